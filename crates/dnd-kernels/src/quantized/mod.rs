//! Products with matrices that stay quantized in memory, in the blocks of 32 values of GGUF files
//! (`block_q4_1` and `block_q8_0` in ggml's `ggml-common.h`).
//!
//! A few input rows are rounded to 16 bits and multiplied in integers. For more rows, panels of the
//! matrix are unpacked for the [f32 matmul](crate::blocked).

mod rounded;
#[cfg(feature = "wgpu")]
mod wgsl;

use rayon::prelude::*;

use crate::widened::{self, Widen};
use rounded::{Rounded, Rows};
#[cfg(feature = "wgpu")]
pub use wgsl::QuantizedBuffers;

/// Values of a block.
const BLOCK: usize = 32;
/// Input rows from which on panels are unpacked.
const PANEL_ROWS: usize = 4;
/// Fewest matrix rows of a task.
const TASK_ROWS: usize = 64;

/// How the values of a block are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Blocks {
    /// 4 bits a value, with a scale and a minimum: 20 bytes.
    Q4_1,
    /// 8 bits a value, with a scale: 34 bytes.
    Q8_0,
}

impl Blocks {
    /// Bytes of a block in a file.
    fn stored_bytes(self) -> usize {
        self.scale_bytes() + self.integer_bytes()
    }

    /// Bytes of a block's integers.
    fn integer_bytes(self) -> usize {
        match self {
            Self::Q4_1 => BLOCK / 2,
            Self::Q8_0 => BLOCK,
        }
    }

    /// Bytes of a block beside its integers: its scale and, in Q4_1, its minimum.
    fn scale_bytes(self) -> usize {
        match self {
            Self::Q4_1 => 4,
            Self::Q8_0 => 2,
        }
    }
}

/// A quantized matrix (output, input), the right operand of products as linear layers store it.
#[derive(Debug)]
pub struct Quantized {
    blocks: Blocks,
    shape: [usize; 2],
    /// Integers of all blocks, as stored.
    integers: Vec<u8>,
    /// Scales of all blocks, as the bits of f16.
    scales: Vec<u16>,
    /// Minima of all blocks, as the bits of f16; none in Q8_0.
    minima: Vec<u16>,
}

impl Quantized {
    /// Takes the bytes of a matrix (output, input) of a GGUF file. `None` if their number does
    /// not fit the shape, or if rows are not whole blocks.
    pub fn new(blocks: Blocks, bytes: &[u8], shape: [usize; 2]) -> Option<Self> {
        let count = shape[0] * shape[1] / BLOCK;
        let stored = blocks.stored_bytes();
        if !shape[1].is_multiple_of(BLOCK) || bytes.len() != count * stored {
            return None;
        }
        let mut integers = Vec::with_capacity(count * blocks.integer_bytes());
        let mut scales = Vec::with_capacity(count);
        let mut minima = Vec::new();
        for block in bytes.chunks_exact(stored) {
            let (halves, rest) = block.split_at(blocks.scale_bytes());
            let mut halves = halves.as_chunks::<2>().0.iter();
            scales.extend(halves.next().map(|&half| u16::from_le_bytes(half)));
            minima.extend(halves.next().map(|&half| u16::from_le_bytes(half)));
            integers.extend_from_slice(rest);
        }
        Some(Self {
            blocks,
            shape,
            integers,
            scales,
            minima,
        })
    }

    /// (output, input).
    pub fn shape(&self) -> [usize; 2] {
        self.shape
    }

    /// Appends the values of a row.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn push_row(&self, row: usize, values: &mut Vec<f32>) {
        let start = values.len();
        values.resize(start + self.shape[1], 0.0);
        self.widen(row, 0, &mut values[start..]);
    }

    /// All values, row-major.
    pub fn values(&self) -> Vec<f32> {
        let mut values = Vec::with_capacity(self.shape[0] * self.shape[1]);
        for row in 0..self.shape[0] {
            self.push_row(row, &mut values);
        }
        values
    }

    /// Row-major `input` (rows, input) times the transposed matrix: (rows, output).
    pub(crate) fn product(&self, input: &[f32]) -> Vec<f32> {
        let [width, depth] = self.shape;
        let rows = input.len() / depth.max(1);
        if rows < PANEL_ROWS {
            let mut output = vec![0.0; rows * width];
            let inputs = input.chunks_exact(depth.max(1));
            for (input, output) in inputs.zip(output.chunks_exact_mut(width.max(1))) {
                self.multiply(input, output);
            }
            return output;
        }
        widened::product(self, input)
    }

    /// Row-major `input` (rows, output) times the matrix: (rows, input).
    #[cfg(feature = "autodiff")]
    pub(crate) fn transposed_product(&self, input: &[f32]) -> Vec<f32> {
        widened::transposed_product(self, input)
    }

    /// One input row times the transposed matrix.
    fn multiply(&self, input: &[f32], output: &mut [f32]) {
        let input = Rounded::new(input);
        let task = output.len().div_ceil(rayon::current_num_threads());
        let task = task.max(TASK_ROWS);
        let tasks = output.par_chunks_mut(task).enumerate();
        tasks.for_each(|(index, output)| {
            let rows = self.rows(index * task, output.len());
            rounded::multiply(self.blocks, rows, &input, output);
        });
    }

    /// The blocks of `count` rows.
    fn rows(&self, first: usize, count: usize) -> Rows<'_> {
        let blocks = self.shape[1] / BLOCK;
        let (first, count) = (first * blocks, count * blocks);
        let bytes = self.blocks.integer_bytes();
        Rows {
            integers: &self.integers[first * bytes..][..count * bytes],
            scales: &self.scales[first..][..count],
            minima: match self.blocks {
                Blocks::Q4_1 => &self.minima[first..][..count],
                Blocks::Q8_0 => &[],
            },
        }
    }
}

impl Widen for Quantized {
    fn shape(&self) -> [usize; 2] {
        self.shape
    }

    fn widen(&self, row: usize, start: usize, values: &mut [f32]) {
        let first = start / BLOCK;
        let row = self.rows(row, 1);
        let (scales, minima) = (&row.scales[first..], row.minima.get(first..));
        let values = values.as_chunks_mut::<BLOCK>().0;
        match self.blocks {
            Blocks::Q4_1 => {
                let integers = &row.integers.as_chunks::<{ BLOCK / 2 }>().0[first..];
                let scales = scales.iter().zip(minima.unwrap_or_default());
                for ((integers, scales), values) in integers.iter().zip(scales).zip(values) {
                    let (scale, minimum) = (finite_f16(*scales.0), finite_f16(*scales.1));
                    for (place, byte) in integers.iter().enumerate() {
                        values[place] = f32::from(byte & 15) * scale + minimum;
                        values[place + BLOCK / 2] = f32::from(byte >> 4) * scale + minimum;
                    }
                }
            }
            Blocks::Q8_0 => {
                let integers = &row.integers.as_chunks::<BLOCK>().0[first..];
                for ((integers, &scale), values) in integers.iter().zip(scales).zip(values) {
                    let scale = finite_f16(scale);
                    for (value, &byte) in values.iter_mut().zip(integers) {
                        *value = f32::from(byte.cast_signed()) * scale;
                    }
                }
            }
        }
    }
}

/// The value of an f16 that is finite, without the instructions that not all CPUs have: its bits
/// in the place of an f32's, and a product that corrects the exponent.
#[inline(always)]
pub(crate) fn finite_f16(half: u16) -> f32 {
    const EXPONENT: f32 = f32::from_bits((127 + 127 - 15) << 23);
    let magnitude = f32::from_bits(u32::from(half & 0x7fff) << 13) * EXPONENT;
    f32::from_bits(magnitude.to_bits() | u32::from(half & 0x8000) << 16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blocked::{Blocked, Epilogue};

    /// Reproducible numbers from -1 to 1.
    fn numbers(count: usize) -> Vec<f32> {
        let number = |index: usize| ((index * 7919 + 13) % 2003) as f32 / 1001.5 - 1.0;
        (0..count).map(number).collect()
    }

    fn matrix(blocks: Blocks, shape: [usize; 2]) -> Quantized {
        let count = shape[0] * shape[1] / BLOCK;
        let numbers = numbers(count * 2);
        let mut bytes = Vec::new();
        for block in 0..count {
            for scale in &numbers[2 * block..][..blocks.scale_bytes() / 2] {
                bytes.extend(half::f16::from_f32(*scale).to_le_bytes());
            }
            let integers = 0..blocks.integer_bytes();
            bytes.extend(integers.map(|index| (index * 37 + block * 101) as u8));
        }
        Quantized::new(blocks, &bytes, shape).unwrap()
    }

    fn agree(found: &[f32], expected: &[f32]) {
        assert_eq!(found.len(), expected.len());
        let largest = expected.iter().fold(0.0f32, |most, x| most.max(x.abs()));
        for (found, expected) in found.iter().zip(expected) {
            let difference = (found - expected).abs();
            assert!(difference < 5e-5 * largest, "{found} {expected}");
        }
    }

    /// Against the f32 matmul with the unpacked matrix.
    #[test]
    fn products_are_those_of_the_unpacked_matrix() {
        for blocks in [Blocks::Q4_1, Blocks::Q8_0] {
            for (rows, width, depth) in [(1, 200, 64), (3, 33, 32), (5, 70, 96), (9, 64, 64)] {
                let matrix = matrix(blocks, [width, depth]);
                let unpacked = Blocked::new(&matrix.values(), [width, depth]);
                let input = numbers(rows * depth);
                let found = matrix.product(&input);
                agree(&found, &unpacked.product(&input, Epilogue::Identity));
                #[cfg(feature = "autodiff")]
                {
                    let input = numbers(rows * width);
                    let expected = unpacked.transposed();
                    let found = matrix.transposed_product(&input);
                    agree(&found, &expected.product(&input, Epilogue::Identity));
                }
            }
        }
    }

    #[test]
    fn halves_have_their_values() {
        for bits in (0..=u16::MAX).filter(|&bits| half::f16::from_bits(bits).is_finite()) {
            assert_eq!(
                finite_f16(bits).to_bits(),
                half::f16::from_bits(bits).to_f32().to_bits()
            );
        }
    }

    #[test]
    fn blocks_are_those_of_ggml() {
        let mut bytes = half::f16::from_f32(0.5).to_le_bytes().to_vec();
        bytes.extend(half::f16::from_f32(-1.0).to_le_bytes());
        bytes.extend((0..16).map(|index| index | (15 - index) << 4));
        let values = Quantized::new(Blocks::Q4_1, &bytes, [1, 32])
            .unwrap()
            .values();
        assert_eq!(
            (values[0], values[3], values[16], values[31]),
            (-1.0, 0.5, 6.5, -1.0)
        );
        let mut bytes = half::f16::from_f32(0.5).to_le_bytes().to_vec();
        bytes.extend((0..32).map(|index| (index as i8 - 16).cast_unsigned()));
        let values = Quantized::new(Blocks::Q8_0, &bytes, [1, 32])
            .unwrap()
            .values();
        assert_eq!((values[0], values[31]), (-8.0, 7.5));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert!(Quantized::new(Blocks::Q4_1, &[0; 20], [1, 16]).is_none());
        assert!(Quantized::new(Blocks::Q4_1, &[0; 21], [1, 32]).is_none());
        assert!(Quantized::new(Blocks::Q8_0, &[0; 34], [1, 32]).is_some());
    }
}
