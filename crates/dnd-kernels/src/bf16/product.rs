//! Multithreaded matmul with a packed matrix.

use std::cell::Cell;

use half::bf16;
use rayon::prelude::*;

use super::amx;
use super::packed::{DEPTH, Packed, TILE, WIDTH};
use super::target::Target;

thread_local! {
    /// Buffer for the rounded left operand, reused across calls.
    static ROUNDED: Cell<Vec<bf16>> = const { Cell::new(Vec::new()) };
}

impl Packed {
    /// Computes A B for the row-major `left` = A (rows, depth): (rows, width).
    ///
    /// # Panics
    /// If `left` is not a whole number of rows.
    pub fn product(&self, left: &[f32]) -> Vec<f32> {
        assert_eq!(
            left.len() % self.depth,
            0,
            "length is not a multiple of {}",
            self.depth
        );
        let rows = left.len() / self.depth;
        let steps = self.depth.div_ceil(DEPTH);
        // If at most 16 rows remain at the end, one tile is enough for them.
        let padded = rows.div_ceil(TILE) * TILE;
        let stride = steps * DEPTH;
        let mut rounded = ROUNDED.take();
        // Results of padding rows are not stored, so their content does not matter.
        rounded.resize(rounded.len().max(padded * stride), bf16::ZERO);
        for (row, values) in left.chunks_exact(self.depth).enumerate() {
            let (target, beyond) = rounded[row * stride..][..stride].split_at_mut(self.depth);
            amx::round(values, target);
            beyond.fill(bf16::ZERO);
        }

        let mut output = Vec::with_capacity(rows * self.width);
        let target = Target {
            values: output.as_mut_ptr(),
            width: self.width,
            rows,
        };
        let blocks = self.width.div_ceil(WIDTH);
        let threads = rayon::current_num_threads().clamp(1, blocks.max(1));
        let share = blocks.div_ceil(threads);
        let work = |thread: usize| {
            let range = thread * share..((thread + 1) * share).min(blocks);
            amx::blocks(self, &rounded[..padded * stride], range, &target);
        };
        if threads == 1 {
            work(0);
        } else {
            (0..threads).into_par_iter().for_each(work);
        }
        #[allow(
            unsafe_code,
            reason = "filling with zeros first would cost a pass over the output"
        )]
        // SAFETY: the blocks together have written every column of every row.
        unsafe {
            output.set_len(rows * self.width);
        }
        ROUNDED.set(rounded);
        output
    }
}
