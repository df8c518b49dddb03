//! One input row, rounded to 16 bits, times quantized matrix rows.
//!
//! An input block of 32 values has one scale, so a value is off by at most 1/65534 of the largest
//! in its block. Products of 16-bit integers are summed in pairs by one instruction on x86 and in
//! WebAssembly.

use super::{BLOCK, Blocks, finite_f16};

/// Bytes of a block in Q4_1.
const HALF: usize = BLOCK / 2;
/// Bytes that are read ahead.
#[cfg(target_arch = "x86_64")]
const AHEAD: usize = 1024;

/// An input row in blocks of 16-bit integers.
pub(super) struct Rounded {
    integers: Vec<i16>,
    /// Scale of each block.
    scales: Vec<f32>,
    /// Sum of each block's values.
    sums: Vec<f32>,
}

/// Rows of a quantized matrix.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) integers: &'a [u8],
    pub(super) scales: &'a [u16],
    /// Empty in Q8_0.
    pub(super) minima: &'a [u16],
}

impl Rounded {
    pub(super) fn new(input: &[f32]) -> Self {
        const LARGEST: f32 = i16::MAX as f32;
        // Adding this rounds to an integer, which is then in the lowest bits.
        const ROUND: f32 = 12_582_912.0;
        let blocks = input.as_chunks::<BLOCK>().0;
        let mut rounded = Self {
            integers: Vec::with_capacity(input.len()),
            scales: Vec::with_capacity(blocks.len()),
            sums: Vec::with_capacity(blocks.len()),
        };
        for block in blocks {
            let sum: f32 = block.iter().sum();
            let largest = block.iter().fold(0.0f32, |most, x| most.max(x.abs()));
            // Integers cannot say that a value is not a number; the scale can.
            let scale = if sum.is_finite() {
                largest / LARGEST
            } else {
                f32::NAN
            };
            let factor = if largest > 0.0 {
                LARGEST / largest
            } else {
                0.0
            };
            let integers = block
                .iter()
                .map(|value| (value * factor + ROUND).to_bits() as i16);
            rounded.integers.extend(integers);
            rounded.scales.push(scale);
            rounded.sums.push(sum);
        }
        rounded
    }
}

/// Writes the products of `input` and each of `rows` to `output`.
pub(super) fn multiply(blocks: Blocks, rows: Rows, input: &Rounded, output: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        #[allow(unsafe_code, reason = "the CPU has the instructions")]
        // SAFETY: they were just detected.
        return unsafe { avx2::multiply(blocks, rows, input, output) };
    }
    portable::multiply(blocks, rows, input, output);
}

/// The sum of `numbers`, each times one of `halves`, in 8 partial sums so that it vectorizes.
#[inline(always)]
fn weighted(halves: &[u16], numbers: &[f32]) -> f32 {
    let ((halves, rest), (numbers, more)) = (halves.as_chunks::<8>(), numbers.as_chunks::<8>());
    let mut sums = [0.0f32; 8];
    for (halves, numbers) in halves.iter().zip(numbers) {
        for lane in 0..8 {
            sums[lane] += finite_f16(halves[lane]) * numbers[lane];
        }
    }
    let rest = rest.iter().zip(more);
    sums.iter().sum::<f32>()
        + rest
            .map(|(half, number)| finite_f16(*half) * number)
            .sum::<f32>()
}

/// Generates `multiply` for one vector type: the vector of zeros, the sums of products of a block
/// in Q4_1 and in Q8_0, the addition of such sums times a factor, and the sum of a vector.
macro_rules! multiply {
    (
        $(#[$attribute:meta])* $module:ident, $zero:expr, $q4_1:expr, $q8_0:expr, $add:expr,
        $total:expr
    ) => {
        mod $module {
            #[allow(unused_imports, reason = "only some variants use intrinsics")]
            use super::*;

            $(#[$attribute])*
            pub(super) fn multiply(
                blocks: Blocks,
                rows: Rows,
                input: &Rounded,
                output: &mut [f32],
            ) {
                let count = input.scales.len();
                let mut factors = vec![0.0; count];
                for (row, output) in output.iter_mut().enumerate() {
                    let scales = &rows.scales[row * count..][..count];
                    for ((factor, half), scale) in
                        factors.iter_mut().zip(scales).zip(&input.scales)
                    {
                        *factor = finite_f16(*half) * scale;
                    }
                    let inputs = input.integers.as_chunks::<BLOCK>().0.iter().zip(&factors);
                    let mut sum = $zero;
                    match blocks {
                        Blocks::Q4_1 => {
                            let integers = rows.integers.as_chunks::<HALF>().0;
                            let integers = &integers[row * count..][..count];
                            for (integers, (input, factor)) in integers.iter().zip(inputs) {
                                sum = $add($q4_1(integers, input), *factor, sum);
                            }
                        }
                        Blocks::Q8_0 => {
                            let integers = rows.integers.as_chunks::<BLOCK>().0;
                            let integers = &integers[row * count..][..count];
                            for (integers, (input, factor)) in integers.iter().zip(inputs) {
                                sum = $add($q8_0(integers, input), *factor, sum);
                            }
                        }
                    }
                    *output = $total(sum);
                    if blocks == Blocks::Q4_1 {
                        *output += weighted(&rows.minima[row * count..][..count], &input.sums);
                    }
                }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

#[cfg(target_arch = "x86_64")]
multiply!(
    #[target_feature(enable = "avx2,fma")]
    #[allow(
        unsafe_code,
        reason = "vectors are loaded through pointers, all inside arrays"
    )]
    avx2,
    _mm256_setzero_ps(),
    |integers: &[u8; HALF], input: &[i16; BLOCK]| {
        // SAFETY: 16 bytes, and twice 16 integers of 2 bytes.
        let (bytes, low, high) = unsafe {
            (
                _mm_loadu_si128(integers.as_ptr().cast()),
                _mm256_loadu_si256(input.as_ptr().cast()),
                _mm256_loadu_si256(input.as_ptr().add(HALF).cast()),
            )
        };
        // Rows come from memory, faster than the CPU expects.
        _mm_prefetch::<_MM_HINT_T0>(integers.as_ptr().wrapping_add(AHEAD).cast());
        let bytes = _mm256_cvtepu8_epi16(bytes);
        let low = _mm256_madd_epi16(_mm256_and_si256(bytes, _mm256_set1_epi16(15)), low);
        _mm256_add_epi32(low, _mm256_madd_epi16(_mm256_srli_epi16::<4>(bytes), high))
    },
    |integers: &[u8; BLOCK], input: &[i16; BLOCK]| {
        let half = |start: usize| {
            // SAFETY: `start` is 0 or 16, of 32 bytes and 32 integers.
            let (bytes, input) = unsafe {
                (
                    _mm_loadu_si128(integers.as_ptr().add(start).cast()),
                    _mm256_loadu_si256(input.as_ptr().add(start).cast()),
                )
            };
            _mm256_madd_epi16(_mm256_cvtepi8_epi16(bytes), input)
        };
        _mm256_add_epi32(half(0), half(HALF))
    },
    |products, factor, sum| {
        _mm256_fmadd_ps(_mm256_cvtepi32_ps(products), _mm256_set1_ps(factor), sum)
    },
    |sum| {
        let halves = _mm_add_ps(_mm256_castps256_ps128(sum), _mm256_extractf128_ps::<1>(sum));
        let pairs = _mm_add_ps(halves, _mm_movehl_ps(halves, halves));
        _mm_cvtss_f32(_mm_add_ss(pairs, _mm_shuffle_ps::<1>(pairs, pairs)))
    }
);

#[cfg(target_arch = "wasm32")]
use std::arch::wasm32::*;

#[cfg(target_arch = "wasm32")]
multiply!(
    #[allow(
        unsafe_code,
        reason = "vectors are loaded through pointers, all inside arrays"
    )]
    portable,
    f32x4_splat(0.0),
    |integers: &[u8; HALF], input: &[i16; BLOCK]| {
        // SAFETY: 16 bytes.
        let bytes = unsafe { v128_load(integers.as_ptr().cast()) };
        let part = |bytes, start: usize| {
            // SAFETY: `start` is 0 or 8, and twice 8 integers are read 16 apart, of 32.
            let (low, high) = unsafe {
                let from = input.as_ptr().add(start);
                (v128_load(from.cast()), v128_load(from.add(HALF).cast()))
            };
            let products = i32x4_dot_i16x8(v128_and(bytes, u16x8_splat(15)), low);
            i32x4_add(products, i32x4_dot_i16x8(u16x8_shr(bytes, 4), high))
        };
        let low = part(u16x8_extend_low_u8x16(bytes), 0);
        i32x4_add(low, part(u16x8_extend_high_u8x16(bytes), 8))
    },
    |integers: &[u8; BLOCK], input: &[i16; BLOCK]| {
        let half = |start: usize| {
            // SAFETY: `start` is 0 or 16, of 32 bytes and 32 integers.
            let (bytes, low, high) = unsafe {
                let from = input.as_ptr().add(start);
                (
                    v128_load(integers.as_ptr().add(start).cast()),
                    v128_load(from.cast()),
                    v128_load(from.add(8).cast()),
                )
            };
            let low = i32x4_dot_i16x8(i16x8_extend_low_i8x16(bytes), low);
            i32x4_add(low, i32x4_dot_i16x8(i16x8_extend_high_i8x16(bytes), high))
        };
        i32x4_add(half(0), half(HALF))
    },
    |products, factor, sum| {
        f32x4_add(
            sum,
            f32x4_mul(f32x4_convert_i32x4(products), f32x4_splat(factor)),
        )
    },
    |sum| {
        f32x4_extract_lane::<0>(sum)
            + f32x4_extract_lane::<1>(sum)
            + f32x4_extract_lane::<2>(sum)
            + f32x4_extract_lane::<3>(sum)
    }
);

#[cfg(not(target_arch = "wasm32"))]
multiply!(
    portable,
    0.0,
    |integers: &[u8; HALF], input: &[i16; BLOCK]| {
        let mut sum = 0;
        for (place, byte) in integers.iter().enumerate() {
            sum += i32::from(byte & 15) * i32::from(input[place]);
            sum += i32::from(byte >> 4) * i32::from(input[place + HALF]);
        }
        sum
    },
    |integers: &[u8; BLOCK], input: &[i16; BLOCK]| {
        let products = integers.iter().zip(input);
        products
            .map(|(byte, input)| i32::from(byte.cast_signed()) * i32::from(*input))
            .sum::<i32>()
    },
    |products: i32, factor, sum| products as f32 * factor + sum,
    |sum: f32| sum
);

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors of this CPU against the portable code.
    #[test]
    fn vectors_agree_with_scalars() {
        for blocks in [Blocks::Q4_1, Blocks::Q8_0] {
            let (rows, count) = (3, 5);
            let bytes = rows * count * blocks.integer_bytes();
            let integers: Vec<u8> = (0..bytes).map(|index| (index * 37 + 11) as u8).collect();
            let half = |index: usize| half::f16::from_f32((index % 7) as f32 - 3.5).to_bits();
            let halves: Vec<u16> = (0..rows * count).map(half).collect();
            let given = Rows {
                integers: &integers,
                scales: &halves,
                minima: &halves,
            };
            let input: Vec<f32> = (0..count * BLOCK)
                .map(|index| ((index * 7919) % 2003) as f32 / 1001.5 - 1.0)
                .collect();
            let input = Rounded::new(&input);
            let (mut found, mut expected) = ([0.0; 3], [0.0; 3]);
            multiply(blocks, given, &input, &mut found);
            portable::multiply(blocks, given, &input, &mut expected);
            for (found, expected) in found.iter().zip(expected) {
                let difference = (found - expected).abs();
                assert!(
                    difference < 1e-5 * expected.abs().max(1.0),
                    "{found} {expected}"
                );
            }
        }
    }

    #[test]
    fn what_is_no_number_stays_so() {
        let mut input = [1.0; BLOCK];
        input[3] = f32::NAN;
        let given = Rows {
            integers: &[1; BLOCK],
            scales: &[half::f16::ONE.to_bits()],
            minima: &[],
        };
        let mut output = [0.0];
        multiply(Blocks::Q8_0, given, &Rounded::new(&input), &mut output);
        assert!(output[0].is_nan());
    }
}
