//! The key-value cache.

use burn::tensor::Tensor;

/// The key-value cache of one batch.
///
/// A cache that was filled with a batch of one serves any batch size: all rows share it. So a
/// common prefix, such as a system message, is computed once for all examples, and gradients
/// flow through it.
#[derive(Debug, Clone, Default)]
pub struct Cache {
    pub(super) layers: Vec<LayerCache>,
}

/// Keys and values of one layer, of shape (B, key-value heads, S, head dimension), once there are
/// any.
#[derive(Debug, Clone, Default)]
pub(super) struct LayerCache(Option<(Tensor<4>, Tensor<4>)>);

impl Cache {
    /// Number of cached positions S, padding included.
    pub fn len(&self) -> usize {
        self.layers.first().map_or(0, LayerCache::len)
    }

    /// Whether nothing is cached.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all positions but the first `length`.
    pub(super) fn truncate(&mut self, length: usize) {
        if length == 0 {
            self.layers.clear();
        }
        for (keys, values) in self.layers.iter_mut().filter_map(|layer| layer.0.as_mut()) {
            let kept = length.min(keys.dims()[2]);
            *keys = keys.clone().narrow(2, 0, kept);
            *values = values.clone().narrow(2, 0, kept);
        }
    }
}

impl LayerCache {
    fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |(keys, _)| keys.dims()[2])
    }

    /// Appends new keys and values and returns all of them.
    pub(super) fn extend(&mut self, keys: Tensor<4>, values: Tensor<4>) -> (Tensor<4>, Tensor<4>) {
        let joined = match &self.0 {
            Some((old_keys, old_values)) => (join(old_keys, keys), join(old_values, values)),
            None => (keys, values),
        };
        self.0 = Some(joined.clone());
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
