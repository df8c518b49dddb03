//! Products with a frozen f32 matrix that is packed once, on the CPU: what follows the product is done while it is in the cache.
//!
//! A block of rows times a panel of 32 columns is kept in registers, as Goto and van de Geijn do it (Anatomy of
//! High-Performance Matrix Multiplication, 2008); the left matrix is read as it lies.

use burn::backend::Flex;
use burn::tensor::Tensor;
use rayon::prelude::*;

use crate::{cpu, gelu};

/// Columns of a panel.
const PANEL: usize = 32;
/// Most rows of a block.
const ROWS: usize = 8;
/// Rows that one task takes.
const TASK_ROWS: usize = 12 * ROWS;
/// Depth after which a block is put down, so that its rows and the panel stay in the cache.
const DEPTH: usize = 256;

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
        let mut output = vec![0.0; rows * self.width];
        // Few rows are shared among cores too.
        let task = rows.div_ceil(rayon::current_num_threads() * ROWS).max(1) * ROWS;
        let task = task.min(TASK_ROWS);
        let tasks = output
            .par_chunks_mut((task * self.width).max(1))
            .enumerate();
        tasks.for_each(|(index, output)| {
            let rows = output.len() / self.width;
            let first = index * task;
            let input = &input[first * self.depth..][..rows * self.depth];
            self.multiply(input, output);
            follows.apply(first * self.width, self.width, output);
        });
        output
    }

    fn multiply(&self, input: &[f32], output: &mut [f32]) {
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
        $(#[$attribute:meta])* $module:ident, $rows:literal x $vectors:literal of $lanes:literal,
        $zero:expr, $splat:expr, $load:expr, $store:expr, $add:expr
    ) => {
        mod $module {
            #[allow(unused_imports, reason = "not all of them have a library of instructions")]
            use super::*;

            const COLUMNS: usize = $lanes * $vectors;

            $(#[$attribute])*
            pub(super) fn multiply(matrix: &Blocked, input: &[f32], output: &mut [f32]) {
                let (depth, width) = (matrix.depth, matrix.width);
                let rows = output.len() / width.max(1);
                for (panel, values) in matrix.values.chunks_exact((PANEL * depth).max(1)).enumerate() {
                    for start in (0..depth).step_by(DEPTH) {
                        let steps = DEPTH.min(depth - start);
                        let values = &values[start * PANEL..][..steps * PANEL];
                        let mut row = 0;
                        while row < rows {
                            let input = &input[row * depth + start..];
                            let output = &mut output[row * width..];
                            let place = Place { depth, width, column: panel * PANEL };
                            row += if rows - row >= $rows {
                                block::<$rows>(place, values, input, output)
                            } else {
                                block::<1>(place, values, input, output)
                            };
                        }
                    }
                }
            }

            /// Adds the products of so many rows and a panel; says how many.
            $(#[$attribute])*
            #[allow(unused_unsafe, reason = "some operations are safe")]
            #[allow(unsafe_code, reason = "vectors are read from where they lie")]
            fn block<const HEIGHT: usize>(
                place: Place,
                values: &[f32],
                input: &[f32],
                output: &mut [f32],
            ) -> usize {
                let steps = values.len() / PANEL;
                assert!(input.len() >= (HEIGHT - 1) * place.depth + steps, "rows of the input");
                for part in (0..PANEL).step_by(COLUMNS) {
                    let column = place.column + part;
                    if column >= place.width {
                        break;
                    }
                    // SAFETY: rows of the input are as long as there are steps, as was just seen, and each step has a panel's
                    // columns; a block's sums are stored into an array of just as many.
                    let sums: [[f32; COLUMNS]; HEIGHT] = unsafe {
                        let mut sums = [[$zero; $vectors]; HEIGHT];
                        for step in 0..steps {
                            let columns = values.as_ptr().add(step * PANEL + part);
                            let mut right = [$zero; $vectors];
                            for vector in 0..$vectors {
                                right[vector] = $load(columns.add(vector * $lanes));
                            }
                            for row in 0..HEIGHT {
                                let left = $splat(*input.as_ptr().add(row * place.depth + step));
                                for vector in 0..$vectors {
                                    sums[row][vector] = $add(left, right[vector], sums[row][vector]);
                                }
                            }
                        }
                        let mut stored = [[0.0f32; COLUMNS]; HEIGHT];
                        for row in 0..HEIGHT {
                            for vector in 0..$vectors {
                                $store(stored[row].as_mut_ptr().add(vector * $lanes), sums[row][vector]);
                            }
                        }
                        stored
                    };
                    let taken = COLUMNS.min(place.width - column);
                    for (row, sums) in sums.iter().enumerate() {
                        let output = &mut output[row * place.width + column..][..taken];
                        output.iter_mut().zip(sums).for_each(|(value, sum)| *value += sum);
                    }
                }
                HEIGHT
            }
        }
    };
}

/// How far apart rows of input and output lie, and a panel's first column.
#[derive(Clone, Copy)]
struct Place {
    depth: usize,
    width: usize,
    column: usize,
}

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

#[cfg(target_arch = "x86_64")]
product!(
    #[target_feature(enable = "avx512f,fma")]
    avx512, 8 x 2 of 16,
    _mm512_setzero_ps(), _mm512_set1_ps, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_fmadd_ps
);
#[cfg(target_arch = "x86_64")]
product!(
    #[target_feature(enable = "avx2,fma")]
    avx2, 6 x 2 of 8,
    _mm256_setzero_ps(), _mm256_set1_ps, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_fmadd_ps
);

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use std::arch::wasm32::*;

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
product!(
    portable, 4 x 2 of 4,
    f32x4_splat(0.0), f32x4_splat, |from: *const f32| v128_load(from.cast()),
    |to: *mut f32, vector| v128_store(to.cast(), vector),
    |left, right, sum| f32x4_add(f32x4_mul(left, right), sum)
);
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
product!(
    portable, 2 x 4 of 1,
    0.0f32, |number: f32| number, |from: *const f32| *from, |to: *mut f32, number| *to = number,
    |left: f32, right: f32, sum: f32| left * right + sum
);
