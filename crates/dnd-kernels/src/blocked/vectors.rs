//! Matmul with a packed matrix, using the vector instructions of each CPU.

use std::mem::MaybeUninit;

use super::{Blocked, PANEL};

/// Depth after which a block's sums are written to the output, so that its rows and the panel
/// stay in the cache.
const DEPTH: usize = 384;

/// Writes to `output` the sums of a block, `COLUMNS` wide: `steps` rows of the panel, from
/// `right`, times rows of the input, from `left`, which are `depth` apart.
pub(super) type Sums = unsafe extern "C" fn(
    steps: usize,
    right: *const f32,
    left: *const f32,
    depth: usize,
    output: *mut f32,
);

/// Multiplies the rows of `input` by the matrix. Writes all of `output`.
pub(super) fn multiply(matrix: &Blocked, input: &[f32], output: &mut [MaybeUninit<f32>]) {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("fma") {
            #[allow(unsafe_code, reason = "the CPU has the instructions")]
            // SAFETY: they were just detected.
            return unsafe { avx512::multiply(matrix, input, output) };
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            #[allow(unsafe_code, reason = "the CPU has the instructions")]
            // SAFETY: they were just detected.
            return unsafe { avx2::multiply(matrix, input, output) };
        }
    }
    portable::multiply(matrix, input, output);
}

/// Generates the matmul for one vector type: rows and vectors of a block, steps per iteration,
/// the function for whole blocks, and the vector operations.
macro_rules! product {
    (
        $(#[$attribute:meta])* $module:ident, $rows:literal or $fewer:literal rows,
        $vectors:literal x $lanes:literal columns,
        $steps:literal steps at once, $whole:expr,
        $vector:ty, $splat:expr, $load:expr, $store:expr, $add:expr
    ) => {
        pub(super) mod $module {
            #[allow(unused_imports, reason = "only some variants use intrinsics")]
            use super::*;

            type Vector = $vector;
            pub(in super::super) const COLUMNS: usize = $lanes * $vectors;
            pub(in super::super) const ROWS: usize = $rows;
            const STEPS: usize = $steps;

            $(#[$attribute])*
            pub(super) fn multiply(
                matrix: &Blocked,
                input: &[f32],
                output: &mut [MaybeUninit<f32>],
            ) {
                let (depth, width) = (matrix.depth, matrix.width);
                let rows = output.len() / width.max(1);
                let panels = matrix.values.chunks_exact((PANEL * depth).max(1));
                for (panel, values) in panels.enumerate() {
                    for start in (0..depth).step_by(DEPTH) {
                        let steps = DEPTH.min(depth - start);
                        let values = &values[start * PANEL..][..steps * PANEL];
                        let place = Place {
                            depth,
                            width,
                            column: panel * PANEL,
                            is_first: start == 0,
                        };
                        let mut row = 0;
                        while row < rows {
                            let input = &input[row * depth + start..];
                            let output = &mut output[row * width..];
                            #[allow(
                                unsafe_code,
                                reason = "later depth ranges add to what the first has written"
                            )]
                            // SAFETY: the first depth range is done first, for all rows of the
                            // panel.
                            let done = unsafe {
                                match rows - row {
                                    $rows.. => block::<$rows>(place, values, input, output),
                                    $fewer.. => block::<$fewer>(place, values, input, output),
                                    _ => block::<1>(place, values, input, output),
                                }
                            };
                            row += done;
                        }
                    }
                }
            }

            /// Writes the product of `HEIGHT` rows and a panel, or adds it to the output.
            /// Returns `HEIGHT`.
            ///
            /// # Safety
            /// Unless `place.is_first`, these rows must have been written for the panel before.
            $(#[$attribute])*
            #[allow(unused_unsafe, reason = "some operations are safe")]
            #[allow(unsafe_code, reason = "vectors are loaded and stored through pointers")]
            unsafe fn block<const HEIGHT: usize>(
                place: Place,
                values: &[f32],
                input: &[f32],
                output: &mut [MaybeUninit<f32>],
            ) -> usize {
                let steps = values.len() / PANEL;
                let Place { depth, width, column, is_first } = place;
                assert!(input.len() >= (HEIGHT - 1) * depth + steps, "input is too short");
                assert!(output.len() >= HEIGHT * width, "output is too short");
                for part in (0..PANEL).step_by(COLUMNS) {
                    let column = column + part;
                    if column >= width {
                        break;
                    }
                    let taken = COLUMNS.min(width - column);
                    // SAFETY: the rows of the input cover `steps`, as asserted above, and each
                    // step has the columns of a panel. Sums are stored inside the rows of the
                    // output or, where columns are missing, in an array of `COLUMNS`. Values
                    // that are added to were written by the first block. Any function that
                    // replaces `sums` for whole blocks has the same rows and columns.
                    unsafe {
                        let function: Sums = if HEIGHT == $rows { $whole } else { sums::<HEIGHT> };
                        let mut sums = MaybeUninit::<[[f32; COLUMNS]; HEIGHT]>::uninit();
                        let right = values.as_ptr().add(part);
                        function(steps, right, input.as_ptr(), depth, sums.as_mut_ptr().cast());
                        for row in 0..HEIGHT {
                            let sums = sums.as_ptr().cast::<f32>().add(row * COLUMNS);
                            let output = output.as_mut_ptr().cast::<f32>();
                            let output = output.add(row * width + column);
                            let mut edge = [0.0f32; COLUMNS];
                            let target = if taken < COLUMNS { edge.as_mut_ptr() } else { output };
                            if taken < COLUMNS && !is_first {
                                target.copy_from_nonoverlapping(output, taken);
                            }
                            for vector in 0..$vectors {
                                let sum = $load(sums.add(vector * $lanes));
                                let target = target.add(vector * $lanes);
                                let sum = if is_first {
                                    sum
                                } else {
                                    $add($splat(1.0), $load(target), sum)
                                };
                                $store(target, sum);
                            }
                            if taken < COLUMNS {
                                output.copy_from_nonoverlapping(target, taken);
                            }
                        }
                    }
                }
                HEIGHT
            }

            /// The sums of a block. A separate function, so that the compiler can use all
            /// registers for them.
            ///
            /// # Safety
            /// `right` must be valid for `COLUMNS` elements in each of `steps` rows of a panel,
            /// `left` for `HEIGHT` rows of `steps` elements that are `depth` apart, and
            /// `output` for `HEIGHT` x `COLUMNS` elements.
            $(#[$attribute])*
            #[inline(never)]
            #[allow(unused_unsafe, reason = "some operations are safe")]
            #[allow(unsafe_code, reason = "vectors are loaded through pointers")]
            pub(in super::super) unsafe extern "C" fn sums<const HEIGHT: usize>(
                steps: usize,
                right: *const f32,
                left: *const f32,
                depth: usize,
                output: *mut f32,
            ) {
                // SAFETY: the caller guarantees it.
                unsafe {
                    let mut sums = [[$splat(0.0); $vectors]; HEIGHT];
                    let whole = steps / STEPS * STEPS;
                    for step in (0..whole).step_by(STEPS) {
                        let right = right.add(step * PANEL);
                        add::<HEIGHT, STEPS>(&mut sums, right, left.add(step), depth);
                    }
                    for step in whole..steps {
                        add::<HEIGHT, 1>(&mut sums, right.add(step * PANEL), left.add(step), depth);
                    }
                    for (row, sums) in sums.iter().enumerate() {
                        for (vector, sum) in sums.iter().enumerate() {
                            $store(output.add(row * COLUMNS + vector * $lanes), *sum);
                        }
                    }
                }
            }

            /// Adds `COUNT` steps, row by row, so that a row's address is computed once for all
            /// of them.
            ///
            /// # Safety
            /// As for [`sums`].
            $(#[$attribute])*
            #[inline]
            #[allow(unused_unsafe, reason = "some operations are safe")]
            #[allow(unsafe_code, reason = "vectors are loaded through pointers")]
            unsafe fn add<const HEIGHT: usize, const COUNT: usize>(
                sums: &mut [[Vector; $vectors]; HEIGHT],
                right: *const f32,
                left: *const f32,
                depth: usize,
            ) {
                // SAFETY: the caller guarantees it.
                unsafe {
                    let columns: [[Vector; $vectors]; COUNT] = std::array::from_fn(|step| {
                        let right = right.add(step * PANEL);
                        std::array::from_fn(|vector| $load(right.add(vector * $lanes)))
                    });
                    for (row, sums) in sums.iter_mut().enumerate() {
                        for (step, columns) in columns.iter().enumerate() {
                            let number = $splat(*left.add(row * depth + step));
                            for (sum, column) in sums.iter_mut().zip(columns) {
                                *sum = $add(number, *column, *sum);
                            }
                        }
                    }
                }
            }
        }
    };
}

/// Strides of the rows of input and output, the panel's first column, and whether this is the
/// first depth range.
#[derive(Clone, Copy)]
struct Place {
    depth: usize,
    width: usize,
    column: usize,
    is_first: bool,
}

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

#[cfg(target_arch = "x86_64")]
product!(
    #[target_feature(enable = "avx512f,fma")]
    avx512, 12 or 4 rows, 2 x 16 columns, 4 steps at once, sums::<ROWS>,
    __m512, _mm512_set1_ps, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_fmadd_ps
);
#[cfg(target_arch = "x86_64")]
product!(
    #[target_feature(enable = "avx2,fma")]
    avx2, 6 or 3 rows, 2 x 8 columns, 1 steps at once, sums::<ROWS>,
    __m256, _mm256_set1_ps, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_fmadd_ps
);

#[cfg(target_arch = "wasm32")]
use std::arch::wasm32::*;

#[cfg(target_arch = "wasm32")]
product!(
    portable, 4 or 2 rows, 2 x 4 columns, 1 steps at once, super::super::relaxed::sums(),
    v128, f32x4_splat, |from: *const f32| v128_load(from.cast()),
    |to: *mut f32, vector| v128_store(to.cast(), vector),
    |left, right, sum| f32x4_add(f32x4_mul(left, right), sum)
);
#[cfg(not(target_arch = "wasm32"))]
product!(
    portable, 3 or 2 rows, 2 x 1 columns, 1 steps at once, sums::<ROWS>,
    f32, |number: f32| number, |from: *const f32| *from, |to: *mut f32, number| *to = number,
    |left: f32, right: f32, sum: f32| left * right + sum
);
