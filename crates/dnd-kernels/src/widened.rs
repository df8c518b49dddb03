//! Products with matrices that stay small in memory and are widened to f32 in parts.
//!
//! A part is widened into a panel of the [f32 matmul](crate::blocked) and used for all input rows
//! before the next one. The transposed product, which gradients need, reads the same values, so
//! that no second copy is packed for it.

use std::cell::Cell;

use rayon::prelude::*;

use crate::blocked::{Blocked, PANEL};

/// Matrix rows of a part of the transposed product.
#[cfg(feature = "autodiff")]
const DEPTH: usize = 1024;

/// Steps of a panel that are written together; a multiple of [`PANEL`].
const BLOCK: usize = 64;

thread_local! {
    /// Buffer for a panel, reused across calls.
    static PANEL_BUFFER: Cell<Vec<f32>> = const { Cell::new(Vec::new()) };
}

/// `input` times a panel of `steps` rows and `taken` columns, which `fill` writes.
fn with_panel(
    steps: usize,
    taken: usize,
    fill: impl FnOnce(&mut [f32]),
    input: &[f32],
) -> Vec<f32> {
    let mut packed = PANEL_BUFFER.take();
    packed.resize(steps * PANEL, 0.0);
    fill(&mut packed);
    let panel = Blocked::packed(packed, [taken, steps]);
    let output = panel.product_here(input);
    PANEL_BUFFER.set(panel.into_values());
    output
}

/// Adds panels (rows, up to [`PANEL`] columns each) to `output` (rows, width).
fn add_panels(output: &mut [f32], width: usize, panels: &[Vec<f32>]) {
    for (row, output) in output.chunks_exact_mut(width.max(1)).enumerate() {
        for (output, panel) in output.chunks_mut(PANEL).zip(panels) {
            let taken = output.len();
            let sums = &panel[row * taken..][..taken];
            output.iter_mut().zip(sums).for_each(|(to, sum)| *to += sum);
        }
    }
}

/// A matrix (output, input) whose values can be read as f32.
pub(crate) trait Widen: Sync {
    /// (output, input).
    fn shape(&self) -> [usize; 2];

    /// Writes values of a row, from the one at `start` on, which is a multiple of [`PANEL`].
    fn widen(&self, row: usize, start: usize, values: &mut [f32]);
}

/// Row-major `input` (rows, input) times the transposed matrix: (rows, output).
pub(crate) fn product(matrix: &impl Widen, input: &[f32]) -> Vec<f32> {
    let [width, depth] = matrix.shape();
    let rows = input.len() / depth.max(1);
    let mut output = vec![0.0; rows * width];
    let panels = (0..width.div_ceil(PANEL)).into_par_iter();
    let panels: Vec<Vec<f32>> = panels
        .map(|panel| {
            let first = panel * PANEL;
            let taken = PANEL.min(width - first);
            with_panel(
                depth,
                taken,
                |packed| {
                    let mut row = [0.0; BLOCK];
                    // A few steps at a time, so that what is scattered stays in the cache.
                    for (block, packed) in packed.chunks_mut(BLOCK * PANEL).enumerate() {
                        let steps = packed.len() / PANEL;
                        for column in 0..taken {
                            let row = &mut row[..steps];
                            matrix.widen(first + column, block * BLOCK, row);
                            let columns = packed[column..].iter_mut().step_by(PANEL);
                            columns.zip(row).for_each(|(to, value)| *to = *value);
                        }
                    }
                },
                input,
            )
        })
        .collect();
    add_panels(&mut output, width, &panels);
    output
}

/// Row-major `input` (rows, output) times the matrix: (rows, input).
#[cfg(feature = "autodiff")]
pub(crate) fn transposed_product(matrix: &impl Widen, input: &[f32]) -> Vec<f32> {
    let [depth, width] = matrix.shape();
    let rows = input.len() / depth.max(1);
    let mut output = vec![0.0; rows * width];
    let mut part = Vec::new();
    for start in (0..depth).step_by(DEPTH) {
        let steps = DEPTH.min(depth - start);
        part.clear();
        for row in input.chunks_exact(depth) {
            part.extend_from_slice(&row[start..start + steps]);
        }
        let panels = (0..width.div_ceil(PANEL)).into_par_iter();
        let panels: Vec<Vec<f32>> = panels
            .map(|panel| {
                let first = panel * PANEL;
                let taken = PANEL.min(width - first);
                with_panel(
                    steps,
                    taken,
                    |packed| {
                        for (row, packed) in packed.chunks_exact_mut(PANEL).enumerate() {
                            matrix.widen(start + row, first, &mut packed[..taken]);
                        }
                    },
                    &part,
                )
            })
            .collect();
        add_panels(&mut output, width, &panels);
    }
    output
}
