//! Products with a frozen f32 matrix that is packed once, on the CPU: what follows the product is done while it is in the cache.
//!
//! A block of rows times a panel of 32 columns is kept in registers, as Goto and van de Geijn do it (Anatomy of
//! High-Performance Matrix Multiplication, 2008); the left matrix is read as it lies.

use std::mem::MaybeUninit;

use burn::backend::Flex;
use burn::tensor::Tensor;
use rayon::prelude::*;

use crate::{cpu, gelu};

/// Columns of a panel.
const PANEL: usize = 32;
/// Most rows of a block.
const ROWS: usize = 12;
/// Most rows that one task takes.
const TASK_ROWS: usize = 8 * ROWS;
/// Depth after which a block is put down, so that its rows and the panel stay in the cache.
const DEPTH: usize = 192;

/// The transposed right matrix of products: (depth, width) in panels of columns.
#[derive(Debug)]
pub struct Blocked {
    depth: usize,
    width: usize,
    /// Panel after panel, row after row; columns beyond the width are zero.
    values: Vec<f32>,
}

/// What follows a product.
#[derive(Clone, Copy)]
pub(crate) enum Follows<'a> {
    /// Nothing.
    Nothing,
    /// A bias for each column.
    Bias(&'a [f32]),
    /// A bias and GELU.
    Gelu(&'a [f32]),
    /// A bias and a matrix like the result.
    Add(&'a [f32], &'a [f32]),
}

impl Blocked {
    /// Packs a matrix (output, input), as linear layers store it.
    pub fn new(values: &[f32], [output, input]: [usize; 2]) -> Self {
        let mut packed = vec![0.0; output.div_ceil(PANEL) * PANEL * input];
        let panels = packed.par_chunks_mut((PANEL * input).max(1)).enumerate();
        panels.for_each(|(panel, packed)| {
            let first = panel * PANEL;
            for column in first..output.min(first + PANEL) {
                let row = &values[column * input..][..input];
                for (depth, value) in row.iter().enumerate() {
                    packed[depth * PANEL + column - first] = *value;
                }
            }
        });
        Self {
            depth: input,
            width: output,
            values: packed,
        }
    }

    /// (output, input).
    pub fn shape(&self) -> [usize; 2] {
        [self.width, self.depth]
    }

    /// Rows of numbers times the matrix, and what follows.
    pub(crate) fn product(&self, input: &[f32], follows: Follows) -> Vec<f32> {
        let rows = input.len() / self.depth.max(1);
        let count = rows * self.width;
        let mut output = Vec::with_capacity(count);
        // As many tasks for each core. Few are as equal as blocks of four rows allow; many have whole blocks, and what is left
        // over are more of them.
        let threads = rayon::current_num_threads();
        let tasks = rows.div_ceil(threads * TASK_ROWS).max(1) * threads;
        let even = rows.div_ceil(tasks);
        let task = if tasks == threads {
            even.next_multiple_of(4).max(4)
        } else {
            even / ROWS * ROWS
        };
        let chunks =
            output.spare_capacity_mut()[..count].par_chunks_mut((task * self.width).max(1));
        chunks.enumerate().for_each(|(index, output)| {
            let rows = output.len() / self.width;
            let first = index * task;
            let input = &input[first * self.depth..][..rows * self.depth];
            self.multiply(input, output);
            #[allow(
                unsafe_code,
                reason = "writing zeros first would cost a pass over the output"
            )]
            // SAFETY: the product has written every number.
            let output = unsafe { &mut *(std::ptr::from_mut(output) as *mut [f32]) };
            follows.apply(first * self.width, self.width, output);
        });
        #[allow(unsafe_code, reason = "as above")]
        // SAFETY: the tasks together have written every number.
        unsafe {
            output.set_len(count);
        }
        output
    }

    /// Writes all of `output`.
    fn multiply(&self, input: &[f32], output: &mut [MaybeUninit<f32>]) {
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("fma") {
                #[allow(unsafe_code, reason = "the CPU has the instructions")]
                // SAFETY: as just seen.
                return unsafe { avx512::multiply(self, input, output) };
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                #[allow(unsafe_code, reason = "the CPU has the instructions")]
                // SAFETY: as just seen.
                return unsafe { avx2::multiply(self, input, output) };
            }
        }
        portable::multiply(self, input, output);
    }
}

impl Follows<'_> {
    /// For rows of `width` numbers that start at the number `first` of the whole result.
    fn apply(self, first: usize, width: usize, output: &mut [f32]) {
        match self {
            Self::Nothing => {}
            Self::Bias(bias) => {
                for row in output.chunks_exact_mut(width) {
                    row.iter_mut()
                        .zip(bias)
                        .for_each(|(value, bias)| *value += bias);
                }
            }
            Self::Gelu(bias) => gelu::activate(output, bias),
            Self::Add(bias, residual) => {
                let residual = &residual[first..][..output.len()];
                let rows = output.chunks_exact_mut(width);
                for (row, residual) in rows.zip(residual.chunks_exact(width)) {
                    for ((value, bias), residual) in row.iter_mut().zip(bias).zip(residual) {
                        *value += bias + residual;
                    }
                }
            }
        }
    }
}

/// `input` (rows, depth), on burn's CPU device and without gradients, times a matrix, and what follows.
///
/// # Panics
/// When it lives elsewhere, or has another depth.
pub(crate) fn product(input: Tensor<2>, matrix: &Blocked, follows: Follows) -> Tensor<2> {
    let [rows, depth] = input.dims();
    cpu::expect("input", [rows, depth], [rows, matrix.depth]);
    let input = cpu::read(&input).expect("an input on the CPU, without gradients");
    let output = matrix.product(cpu::numbers(&input), follows);
    Tensor::from_primitive::<Flex>(cpu::tensor(output, [rows, matrix.width]))
}

/// The product for vectors of one kind: rows and vectors of a block, and the operations on vectors.
macro_rules! product {
    (
        $(#[$attribute:meta])* $module:ident, $rows:literal or $fewer:literal rows, $vectors:literal x $lanes:literal columns,
        $vector:ty, $splat:expr, $load:expr, $store:expr, $add:expr
    ) => {
        mod $module {
            #[allow(unused_imports, reason = "not all of them have a library of instructions")]
            use super::*;

            type Vector = $vector;
            const COLUMNS: usize = $lanes * $vectors;

            $(#[$attribute])*
            pub(super) fn multiply(matrix: &Blocked, input: &[f32], output: &mut [MaybeUninit<f32>]) {
                let (depth, width) = (matrix.depth, matrix.width);
                let rows = output.len() / width.max(1);
                for (panel, values) in matrix.values.chunks_exact((PANEL * depth).max(1)).enumerate() {
                    for start in (0..depth).step_by(DEPTH) {
                        let steps = DEPTH.min(depth - start);
                        let values = &values[start * PANEL..][..steps * PANEL];
                        let place = Place { depth, width, column: panel * PANEL, is_first: start == 0 };
                        let mut row = 0;
                        while row < rows {
                            let input = &input[row * depth + start..];
                            let output = &mut output[row * width..];
                            #[allow(unsafe_code, reason = "an earlier turn has written what this one adds to")]
                            // SAFETY: the first part of the depth comes first, for all rows of the panel.
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

            /// Writes the products of so many rows and a panel, or adds them to what is there; says how many.
            ///
            /// # Safety
            /// Unless the place says that nothing was, these rows must have been written for the panel before.
            $(#[$attribute])*
            #[allow(unused_unsafe, reason = "some operations are safe")]
            #[allow(unsafe_code, reason = "vectors are read and written where they lie")]
            unsafe fn block<const HEIGHT: usize>(
                place: Place,
                values: &[f32],
                input: &[f32],
                output: &mut [MaybeUninit<f32>],
            ) -> usize {
                let steps = values.len() / PANEL;
                let Place { depth, width, column, is_first } = place;
                assert!(input.len() >= (HEIGHT - 1) * depth + steps, "rows of the input");
                assert!(output.len() >= HEIGHT * width, "rows of the output");
                for part in (0..PANEL).step_by(COLUMNS) {
                    let column = column + part;
                    if column >= width {
                        break;
                    }
                    let taken = COLUMNS.min(width - column);
                    // SAFETY: rows of the input are as long as there are steps, as was just seen, and each step has a panel's
                    // columns. Sums are stored inside the rows of the output, or where columns are missing, in an array of
                    // just as many. What is added to was written by the block that was the first.
                    unsafe {
                        let sums = sums::<HEIGHT>(steps, values.as_ptr().add(part), input.as_ptr(), depth);
                        for (row, sums) in sums.iter().enumerate() {
                            let output = output.as_mut_ptr().cast::<f32>().add(row * width + column);
                            let mut edge = [0.0f32; COLUMNS];
                            let target = if taken < COLUMNS { edge.as_mut_ptr() } else { output };
                            if taken < COLUMNS && !is_first {
                                target.copy_from_nonoverlapping(output, taken);
                            }
                            for (vector, sum) in sums.iter().enumerate() {
                                let target = target.add(vector * $lanes);
                                $store(target, if is_first { *sum } else { $add($splat(1.0), $load(target), *sum) });
                            }
                            if taken < COLUMNS {
                                output.copy_from_nonoverlapping(target, taken);
                            }
                        }
                    }
                }
                HEIGHT
            }

            /// The sums of a block, a function of its own so that the compiler has all registers for them.
            ///
            /// # Safety
            /// So many steps of a panel must be readable from `right`, and of rows that are `depth` apart from `left`.
            $(#[$attribute])*
            #[inline(never)]
            #[allow(unused_unsafe, reason = "some operations are safe")]
            #[allow(unsafe_code, reason = "vectors are read where they lie")]
            unsafe fn sums<const HEIGHT: usize>(
                steps: usize,
                right: *const f32,
                left: *const f32,
                depth: usize,
            ) -> [[Vector; $vectors]; HEIGHT] {
                // SAFETY: as the caller says.
                unsafe {
                    let mut sums = [[$splat(0.0); $vectors]; HEIGHT];
                    for step in 0..steps {
                        let columns: [Vector; $vectors] =
                            std::array::from_fn(|vector| $load(right.add(step * PANEL + vector * $lanes)));
                        for (row, sums) in sums.iter_mut().enumerate() {
                            let number = $splat(*left.add(row * depth + step));
                            for (sum, column) in sums.iter_mut().zip(columns) {
                                *sum = $add(number, column, *sum);
                            }
                        }
                    }
                    sums
                }
            }
        }
    };
}

/// How far apart rows of input and output lie, a panel's first column, and whether nothing was written there before.
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
    avx512, 12 or 4 rows, 2 x 16 columns,
    __m512, _mm512_set1_ps, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_fmadd_ps
);
#[cfg(target_arch = "x86_64")]
product!(
    #[target_feature(enable = "avx2,fma")]
    avx2, 6 or 3 rows, 2 x 8 columns,
    __m256, _mm256_set1_ps, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_fmadd_ps
);

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use std::arch::wasm32::*;

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
product!(
    portable, 4 or 2 rows, 2 x 4 columns,
    v128, f32x4_splat, |from: *const f32| v128_load(from.cast()),
    |to: *mut f32, vector| v128_store(to.cast(), vector),
    |left, right, sum| f32x4_add(f32x4_mul(left, right), sum)
);
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
product!(
    portable, 3 or 2 rows, 2 x 1 columns,
    f32, |number: f32| number, |from: *const f32| *from, |to: *mut f32, number| *to = number,
    |left: f32, right: f32, sum: f32| left * right + sum
);
