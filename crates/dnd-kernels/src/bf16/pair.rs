//! A matrix for both products of training.

#[cfg(feature = "autodiff")]
use std::sync::OnceLock;

use super::Packed;

/// A matrix packed for the product forwards and, once gradients are asked for, for the one
/// backwards.
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
        // Packed outside of the lock: a thread that waits for others there might take up work that
        // needs the lock.
        let backward = self.forward.transposed();
        self.backward.get_or_init(|| backward)
    }
}
