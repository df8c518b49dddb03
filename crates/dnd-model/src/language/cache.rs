//! The key-value cache.

use burn::tensor::Tensor;

/// The key-value cache of one batch.
///
/// A cache that was filled with a batch of one serves any batch size: all rows share it. So a
/// common prefix, such as a system message, is computed once for all examples, and gradients
/// flow through it.
#[derive(Debug, Clone, Default)]
pub struct Cache {
    /// One pair per layer: keys and values of shape (B, key-value heads, S, head dimension).
    pub(super) layers: Vec<(Tensor<4>, Tensor<4>)>,
}

impl Cache {
    /// Number of cached positions S, padding included.
    pub fn len(&self) -> usize {
        self.layers.first().map_or(0, |(keys, _)| keys.dims()[2])
    }

    /// Whether nothing is cached.
    pub fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }

    /// Forgets all positions but the first `length`.
    pub(super) fn truncate(&mut self, length: usize) {
        if length == 0 {
            self.layers.clear();
        }
        for (keys, values) in &mut self.layers {
            let kept = length.min(keys.dims()[2]);
            *keys = keys.clone().narrow(2, 0, kept);
            *values = values.clone().narrow(2, 0, kept);
        }
    }

    /// Appends new keys and values of `layer` and returns all of its keys and values.
    pub(super) fn extend(
        &mut self,
        layer: usize,
        keys: Tensor<4>,
        values: Tensor<4>,
    ) -> (Tensor<4>, Tensor<4>) {
        let joined = match self.layers.get(layer) {
            Some((old_keys, old_values)) => (join(old_keys, keys), join(old_values, values)),
            None => (keys, values),
        };
        if layer < self.layers.len() {
            self.layers[layer] = joined.clone();
        } else {
            self.layers.push(joined.clone());
        }
        joined
    }
}

fn join(old: &Tensor<4>, new: Tensor<4>) -> Tensor<4> {
    let [old_batch, heads, length, width] = old.dims();
    let batch = new.dims()[0];
    let old = if old_batch == batch {
        old.clone()
    } else {
        old.clone().expand([batch, heads, length, width])
    };
    Tensor::cat(vec![old, new], 2)
}
