//! A matrix in the order in which tiles are read, and products with it.

use std::cell::Cell;

use half::bf16;
use rayon::prelude::*;

use super::amx::{self, is_available};

/// Numbers of a row of the left operand that one tile instruction takes.
pub(super) const DEPTH: usize = 32;
/// Columns of a block of the packed matrix: two tiles of 16.
pub(super) const WIDTH: usize = 32;
/// Columns of a tile.
pub(super) const TILE: usize = 16;
/// Rows of the left operand that a kernel takes at once.
pub(super) const ROWS: usize = 32;
/// Numbers of a tile of the packed matrix.
const TILE_LEN: usize = TILE * DEPTH;

thread_local! {
    /// Room for a rounded left operand, kept from one product to the next.
    static ROUNDED: Cell<Vec<bf16>> = const { Cell::new(Vec::new()) };
}

/// The right operand B (depth, width) of products A B, rounded to bfloat16 and packed.
///
/// Blocks of 32 columns follow each other; in a block, steps of 32 rows; in a step, two tiles of 16
/// columns; in a tile, 16 lines of 16 pairs: rows 2i and 2i + 1 of one column are neighbours. What is missing
/// at the edges is zero.
pub struct Packed {
    depth: usize,
    width: usize,
    values: Vec<bf16>,
}

impl Packed {
    /// Packs the matrix of `depth` rows and `width` columns whose numbers `at(row, column)` gives.
    ///
    /// # Panics
    /// Where [`is_available`] is false, or there is no row.
    pub fn new(depth: usize, width: usize, at: impl Fn(usize, usize) -> f32 + Sync) -> Self {
        assert!(is_available(), "this CPU has no tiles of bfloat16");
        assert!(depth > 0, "a matrix without rows");
        let steps = depth.div_ceil(DEPTH);
        let block_len = steps * 2 * TILE_LEN;
        let mut values = vec![bf16::ZERO; width.div_ceil(WIDTH) * block_len];
        let blocks = values.par_chunks_mut(block_len.max(1)).enumerate();
        blocks.for_each(|(block, values)| {
            for (index, value) in values.iter_mut().enumerate() {
                let (tile, within) = (index / TILE_LEN, index % TILE_LEN);
                let row = tile / 2 * DEPTH + within / (2 * TILE) * 2 + within % 2;
                let column = block * WIDTH + tile % 2 * TILE + within / 2 % TILE;
                if row < depth && column < width {
                    *value = bf16::from_f32(at(row, column));
                }
            }
        });
        Self {
            depth,
            width,
            values,
        }
    }

    /// The transposed matrix, packed.
    pub fn transposed(&self) -> Self {
        Self::new(self.width, self.depth, |row, column| self.at(column, row))
    }

    fn at(&self, row: usize, column: usize) -> f32 {
        let tile = row / DEPTH * 2 + column % WIDTH / TILE;
        let within = row % DEPTH / 2 * (2 * TILE) + column % TILE * 2 + row % 2;
        self.block(column / WIDTH)[tile * TILE_LEN + within].to_f32()
    }

    /// Rows of the matrix.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// Columns of the matrix.
    pub fn width(&self) -> usize {
        self.width
    }

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

    /// The packed numbers of a block of 32 columns.
    pub(super) fn block(&self, index: usize) -> &[bf16] {
        let length = self.depth.div_ceil(DEPTH) * 2 * TILE_LEN;
        &self.values[index * length..][..length]
    }
}

impl std::fmt::Debug for Packed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Packed({}, {})", self.depth, self.width)
    }
}

/// Where a product goes: threads write blocks of columns that do not overlap.
pub(super) struct Target {
    values: *mut f32,
    width: usize,
    rows: usize,
}

#[allow(
    unsafe_code,
    reason = "threads share the output and write disjoint columns of it"
)]
// SAFETY: the pointer is only written through `Target::store` and the kernels, for columns that belong to one thread.
unsafe impl Sync for Target {}

impl Target {
    /// Writes what belongs to the matrix of a square of 32 rows and columns.
    #[allow(unsafe_code, reason = "see `Sync`")]
    pub(super) fn store(&self, square: &[f32; ROWS * WIDTH], row: usize, column: usize) {
        let width = WIDTH.min(self.width - column);
        for (index, line) in square.chunks_exact(WIDTH).enumerate() {
            if row + index < self.rows {
                // SAFETY: the row and the `width` columns are inside the output.
                unsafe {
                    let start = self.values.add((row + index) * self.width + column);
                    std::ptr::copy_nonoverlapping(line.as_ptr(), start, width);
                }
            }
        }
    }

    /// Where a whole square of 32 rows and columns can be written in place.
    #[allow(unsafe_code, reason = "see `Sync`")]
    pub(super) fn place(&self, row: usize, column: usize) -> Option<*mut f32> {
        let fits = row + ROWS <= self.rows && column + WIDTH <= self.width;
        // SAFETY: the place is inside the output.
        fits.then(|| unsafe { self.values.add(row * self.width + column) })
    }
}
