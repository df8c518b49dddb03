//! A matrix packed for training.

#[cfg(feature = "autodiff")]
use std::sync::OnceLock;

use super::Packed;

/// A matrix packed for the forward pass and, on first use, for the backward pass.
#[derive(Debug)]
pub struct PackedPair {
    /// (input, output).
    pub(crate) forward: Packed,
    /// (output, input).
    #[cfg(feature = "autodiff")]
    backward: OnceLock<Packed>,
}

impl PackedPair {
    pub(crate) fn new(values: &[f32], output: usize, input: usize) -> Self {
        Self {
            forward: Packed::new(input, output, |row, column| values[column * input + row]),
            #[cfg(feature = "autodiff")]
            backward: OnceLock::new(),
        }
    }

    #[cfg(feature = "autodiff")]
    pub(crate) fn backward(&self) -> &Packed {
        if let Some(backward) = self.backward.get() {
            return backward;
        }
        // Packed outside the lock: inside it, a thread that waits for rayon could steal work
        // that needs the same lock.
        let backward = self.forward.transposed();
        self.backward.get_or_init(|| backward)
    }
}
