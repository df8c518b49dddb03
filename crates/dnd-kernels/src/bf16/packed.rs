//! A matrix packed in the order in which tiles are loaded.

use half::bf16;
use rayon::prelude::*;

use super::available::is_available;

/// Elements of a left row that one tile instruction consumes.
pub(super) const DEPTH: usize = 32;
/// Columns of a block of the packed matrix: two tiles of 16.
pub(super) const WIDTH: usize = 32;
/// Columns of a packed tile, and rows of a left one.
pub(super) const TILE: usize = 16;
/// Rows of the left operand that a kernel processes at once.
pub(super) const ROWS: usize = 32;
/// Elements of a tile of the packed matrix.
const TILE_LEN: usize = TILE * DEPTH;

/// The right operand B (depth, width) of matmuls A B, rounded to bfloat16 and packed.
///
/// The order is: blocks of 32 columns; in a block, steps of 32 rows; in a step, two tiles of 16
/// columns; in a tile, 16 lines of 16 pairs, which hold rows 2i and 2i + 1 of a column. Edges
/// are padded with zeros.
pub struct Packed {
    pub(super) depth: usize,
    pub(super) width: usize,
    values: Vec<bf16>,
}

impl Packed {
    /// Packs the matrix of `depth` rows and `width` columns with elements `at(row, column)`; `None`
    /// where [`is_available`] is false.
    ///
    /// # Panics
    /// If `depth` is zero.
    pub fn new(
        depth: usize,
        width: usize,
        at: impl Fn(usize, usize) -> f32 + Sync,
    ) -> Option<Self> {
        is_available().then(|| Self::pack(depth, width, at))
    }

    fn pack(depth: usize, width: usize, at: impl Fn(usize, usize) -> f32 + Sync) -> Self {
        assert!(depth > 0, "the matrix has no rows");
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
        Self::pack(self.width, self.depth, |row, column| self.at(column, row))
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

    /// The packed elements of a block of 32 columns.
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
