//! Stand-ins for platforms without AMX, where no matrix is packed.

/// Whether the CPU has AMX with bfloat16: never on this platform.
pub fn is_available() -> bool {
    false
}

/// A packed matrix; none exists on this platform.
#[derive(Debug)]
pub enum Packed {}

impl Packed {
    /// Packs no matrix.
    pub fn new(_: usize, _: usize, _: impl Fn(usize, usize) -> f32 + Sync) -> Option<Self> {
        None
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

    /// Multiplies rows by the matrix.
    pub fn product(&self, _: &[f32]) -> Vec<f32> {
        match *self {}
    }
}
