//! Products with a packed matrix, shared among threads.

use std::cell::Cell;

use half::bf16;
use rayon::prelude::*;

use super::amx;
use super::packed::{DEPTH, Packed, TILE, WIDTH};
use super::target::Target;

thread_local! {
    /// Room for a rounded left operand, kept from one product to the next.
    static ROUNDED: Cell<Vec<bf16>> = const { Cell::new(Vec::new()) };
}

impl Packed {
    /// A B for `left` = A (rows, depth), row after row: (rows, width).
    ///
    /// # Panics
    /// When `left` is not a whole number of rows.
    pub fn product(&self, left: &[f32]) -> Vec<f32> {
        assert_eq!(left.len() % self.depth, 0, "rows of {}", self.depth);
        let rows = left.len() / self.depth;
        let steps = self.depth.div_ceil(DEPTH);
        // A last group of at most 16 rows needs only one tile of them.
        let padded = rows.div_ceil(TILE) * TILE;
        let stride = steps * DEPTH;
        let mut rounded = ROUNDED.take();
        // Rows beyond the last are not stored, and may hold anything.
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
            reason = "writing zeros first would cost a pass over the output"
        )]
        // SAFETY: the blocks together have written every column of every row.
        unsafe {
            output.set_len(rows * self.width);
        }
        ROUNDED.set(rounded);
        output
    }
}
