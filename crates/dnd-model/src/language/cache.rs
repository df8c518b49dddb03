//! Keys and values of tokens that were computed already.

use burn::tensor::Tensor;

/// The key-value cache of one batch: what the next tokens attend to.
///
/// A cache that was filled with a batch of one serves any batch: its rows are shared. That is how
/// a prefix common to all examples, such as a system message, is computed once, with gradients.
#[derive(Debug, Clone, Default)]
pub struct Cache {
    /// One pair a layer: keys and values of shape (B, key-value heads, S, head dimension).
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

    /// Joins new keys and values of `layer` to the cached ones and keeps the result.
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
