//! The output of a matmul, written by several threads.

use super::packed::{ROWS, WIDTH};

/// Output of a matmul. Threads write disjoint blocks of columns.
pub(super) struct Target {
    pub(super) values: *mut f32,
    pub(super) width: usize,
    pub(super) rows: usize,
}

#[allow(
    unsafe_code,
    reason = "threads share the output and write disjoint columns of it"
)]
// SAFETY: only `Target::store` and the kernels write through the pointer, each thread to its
// own columns.
unsafe impl Sync for Target {}

impl Target {
    /// Copies the part of a 32 x 32 block that is inside the matrix.
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

    /// Address of a 32 x 32 block, or `None` if it is not entirely inside the matrix.
    #[allow(unsafe_code, reason = "see `Sync`")]
    pub(super) fn place(&self, row: usize, column: usize) -> Option<*mut f32> {
        let fits = row + ROWS <= self.rows && column + WIDTH <= self.width;
        // SAFETY: the address is inside the output.
        fits.then(|| unsafe { self.values.add(row * self.width + column) })
    }
}
