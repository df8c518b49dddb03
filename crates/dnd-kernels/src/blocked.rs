//! f32 matmuls on the CPU with a frozen matrix that is packed once. The epilogue runs while the
//! result is in the cache.
//!
//! A block of rows times a panel of 32 columns is accumulated in registers (Goto and van de
//! Geijn, Anatomy of High-Performance Matrix Multiplication, 2008). The left matrix is not
//! packed.

#[cfg(target_arch = "wasm32")]
pub mod relaxed;
mod vectors;

use burn::backend::Flex;
use burn::tensor::Tensor;
use rayon::prelude::*;

use crate::{cpu, gelu};

#[cfg(all(target_arch = "wasm32", not(target_feature = "simd128")))]
compile_error!("WebAssembly needs `-C target-feature=+simd128`, as set in .cargo/config.toml");

/// Columns of a panel.
pub(crate) const PANEL: usize = 32;
/// Maximum rows of a block.
const ROWS: usize = 12;
/// Maximum rows of a task.
const TASK_ROWS: usize = 8 * ROWS;

/// The right operand of matmuls (depth, width), packed in panels of 32 columns.
#[derive(Debug)]
pub struct Blocked {
    depth: usize,
    width: usize,
    /// Panels in order, each row-major; columns beyond the width are zero.
    values: Vec<f32>,
}

/// Operation on the result of a matmul while it is in the cache.
#[derive(Clone, Copy)]
pub(crate) enum Epilogue<'a> {
    /// None.
    Identity,
    /// A bias for each column.
    Bias(&'a [f32]),
    /// A bias and GELU.
    Gelu(&'a [f32]),
    /// A bias and a residual of the shape of the result.
    Residual(&'a [f32], &'a [f32]),
}

impl Blocked {
    /// Packs a matrix (output, input), as linear layers store it.
    pub fn new(values: &[f32], [output, input]: [usize; 2]) -> Self {
        let mut packed = vec![0.0; output.div_ceil(PANEL) * PANEL * input];
        let panels = packed.par_chunks_mut((PANEL * input).max(1)).enumerate();
        panels.for_each(|(panel, packed)| pack_panel(values, [output, input], panel, packed));
        Self {
            depth: input,
            width: output,
            values: packed,
        }
    }

    /// A matrix (output, input) of one panel that is packed already. Columns beyond the output may
    /// hold anything.
    pub(crate) fn packed(values: Vec<f32>, [output, input]: [usize; 2]) -> Self {
        Self {
            depth: input,
            width: output,
            values,
        }
    }

    /// The packed values.
    pub(crate) fn into_values(self) -> Vec<f32> {
        self.values
    }

    /// Multiplies row-major `input` by the matrix on the calling thread.
    pub(crate) fn product_here(&self, input: &[f32]) -> Vec<f32> {
        let count = input.len() / self.depth.max(1) * self.width;
        let mut output = Vec::with_capacity(count);
        vectors::multiply(self, input, &mut output.spare_capacity_mut()[..count]);
        #[allow(
            unsafe_code,
            reason = "filling with zeros first would cost a pass over the output"
        )]
        // SAFETY: `multiply` has written every element.
        unsafe {
            output.set_len(count);
        }
        output
    }

    /// The transposed matrix, packed.
    #[cfg(feature = "autodiff")]
    pub(crate) fn transposed(&self) -> Self {
        let mut values = vec![0.0; self.depth * self.width];
        let panels = self.values.chunks_exact((PANEL * self.depth).max(1));
        for (panel, packed) in panels.enumerate() {
            let first = panel * PANEL;
            let taken = PANEL.min(self.width - first);
            for (depth, row) in packed.chunks_exact(PANEL).enumerate() {
                values[depth * self.width + first..][..taken].copy_from_slice(&row[..taken]);
            }
        }
        Self::new(&values, [self.depth, self.width])
    }

    /// (output, input).
    pub fn shape(&self) -> [usize; 2] {
        [self.width, self.depth]
    }

    /// Multiplies row-major `input` by the matrix and applies the epilogue.
    pub(crate) fn product(&self, input: &[f32], epilogue: Epilogue) -> Vec<f32> {
        let rows = input.len() / self.depth.max(1);
        let count = rows * self.width;
        let mut output = Vec::with_capacity(count);
        // Each core gets the same number of tasks. With one task per core, tasks are as equal
        // as multiples of four rows allow, but at least one block. With more, tasks consist of
        // whole blocks, and the remainder becomes extra tasks.
        let threads = rayon::current_num_threads();
        let tasks = rows.div_ceil(threads * TASK_ROWS).max(1) * threads;
        let even = rows.div_ceil(tasks);
        let task = if tasks == threads {
            even.next_multiple_of(4).max(ROWS)
        } else {
            even / ROWS * ROWS
        };
        let chunks =
            output.spare_capacity_mut()[..count].par_chunks_mut((task * self.width).max(1));
        chunks.enumerate().for_each(|(index, output)| {
            let rows = output.len() / self.width;
            let first = index * task;
            let input = &input[first * self.depth..][..rows * self.depth];
            vectors::multiply(self, input, output);
            #[allow(
                unsafe_code,
                reason = "filling with zeros first would cost a pass over the output"
            )]
            // SAFETY: `multiply` has written every element.
            let output = unsafe { &mut *(std::ptr::from_mut(output) as *mut [f32]) };
            epilogue.apply(first * self.width, self.width, output);
        });
        #[allow(unsafe_code, reason = "as above")]
        // SAFETY: the tasks together have written every element.
        unsafe {
            output.set_len(count);
        }
        output
    }
}

/// Packs a panel of a matrix (output, input); `packed` is zero.
fn pack_panel(values: &[f32], [output, input]: [usize; 2], panel: usize, packed: &mut [f32]) {
    let first = panel * PANEL;
    for column in first..output.min(first + PANEL) {
        let row = &values[column * input..][..input];
        for (depth, value) in row.iter().enumerate() {
            packed[depth * PANEL + column - first] = *value;
        }
    }
}

impl Epilogue<'_> {
    /// Applies to rows of `width` values that start at element `first` of the result.
    fn apply(self, first: usize, width: usize, output: &mut [f32]) {
        match self {
            Self::Identity => {}
            Self::Bias(bias) => {
                for row in output.chunks_exact_mut(width) {
                    row.iter_mut()
                        .zip(bias)
                        .for_each(|(value, bias)| *value += bias);
                }
            }
            Self::Gelu(bias) => gelu::activate(output, bias),
            Self::Residual(bias, residual) => {
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

/// `input` (rows, depth) times a matrix, followed by the epilogue, on burn's CPU device and
/// without gradients.
///
/// # Panics
/// If `input` is on another device, tracks gradients, or has another depth.
pub(crate) fn product(input: Tensor<2>, matrix: &Blocked, epilogue: Epilogue) -> Tensor<2> {
    let [rows, depth] = input.dims();
    cpu::expect("input", [rows, depth], [rows, matrix.depth]);
    let input = cpu::read(&input).expect("the input must be on the CPU, without gradients");
    let output = matrix.product(cpu::numbers(&input), epilogue);
    Tensor::from_primitive::<Flex>(cpu::tensor(output, [rows, matrix.width]))
}
