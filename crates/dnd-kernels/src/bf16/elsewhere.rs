//! Where there are no tiles, no matrix is packed.

/// Whether the CPU has tiles of bfloat16 and the system lets this process use them: not here.
pub fn is_available() -> bool {
    false
}

/// A packed matrix, of which there is none here.
#[derive(Debug)]
pub enum Packed {}

impl Packed {
    /// Packs a matrix.
    ///
    /// # Panics
    /// Always.
    pub fn new(_: usize, _: usize, _: impl Fn(usize, usize) -> f32 + Sync) -> Self {
        unreachable!("matrices are packed where the CPU has tiles")
    }

    /// The transposed matrix, packed.
    pub fn transposed(&self) -> Self {
        match *self {}
    }

    /// Rows of the matrix.
    pub fn depth(&self) -> usize {
        match *self {}
    }

    /// Columns of the matrix.
    pub fn width(&self) -> usize {
        match *self {}
    }

    /// Rows of numbers times the matrix.
    pub fn product(&self, _: &[f32]) -> Vec<f32> {
        match *self {}
    }
}
