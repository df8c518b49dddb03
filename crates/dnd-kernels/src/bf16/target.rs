//! The output of a product, which threads write together.

use super::packed::{ROWS, WIDTH};

/// Where a product goes: threads write blocks of columns that do not overlap.
pub(super) struct Target {
    pub(super) values: *mut f32,
    pub(super) width: usize,
    pub(super) rows: usize,
}

#[allow(
    unsafe_code,
    reason = "threads share the output and write disjoint columns of it"
)]
// SAFETY: the pointer is only written through `Target::store` and the kernels, for columns that
// belong to one thread.
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
