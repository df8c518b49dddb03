//! Grouped-query attention with rotary position embeddings.

use burn::tensor::{Device, Int, Tensor, TensorData};
use dnd_adapter::Projection;

use super::cache::LayerCache;
use super::linear::Linear;
use super::model::RmsNorm;
use crate::Lora;
use crate::lora::LoraFactors;

/// Inputs that all layers share in one forward pass of a batch.
pub(super) struct Step {
    /// B and T.
    pub(super) shape: [usize; 2],
    pub(super) rotary: Rotary,
    pub(super) mask: Tensor<4>,
}

/// An adapter's part in one layer.
#[derive(Clone, Copy)]
pub(super) struct LayerLora<'a> {
    pub(super) lora: Option<&'a Lora>,
    pub(super) layer: usize,
}

impl LayerLora<'_> {
    pub(super) fn factors(&self, projection: Projection) -> Option<&LoraFactors> {
        self.lora?.factors(self.layer, projection)
    }
}

/// Cosines and sines of the rotary embedding (Su et al., arXiv 2104.09864) for every position
/// of a batch, each of shape (B, 1, T, head dimension), in the rotate-half order of
/// transformers.
#[derive(Clone)]
pub(super) struct Rotary {
    cosine: Tensor<4>,
    sine: Tensor<4>,
}

impl Rotary {
    /// Rotations for `positions`, B rows of T.
    pub(super) fn new(
        positions: &[usize],
        [batch, length]: [usize; 2],
        frequencies: &[f64],
        device: &Device,
    ) -> Self {
        let head_dim = 2 * frequencies.len();
        let mut cosine = Vec::with_capacity(positions.len() * head_dim);
        let mut sine = Vec::with_capacity(positions.len() * head_dim);
        for &position in positions {
            let angles = frequencies
                .iter()
                .map(|frequency| position as f64 * frequency);
            let angles: Vec<f64> = angles.collect();
            for _ in 0..2 {
                cosine.extend(angles.iter().map(|angle| angle.cos() as f32));
                sine.extend(angles.iter().map(|angle| angle.sin() as f32));
            }
        }
        let shape = [batch, 1, length, head_dim];
        Self {
            cosine: Tensor::from_data(TensorData::new(cosine, shape), device),
            sine: Tensor::from_data(TensorData::new(sine, shape), device),
        }
    }

    /// Rotates (B * T, heads * head dimension) to (B, heads, T, head dimension).
    fn apply_rope(&self, input: Tensor<2>) -> Tensor<4> {
        dnd_kernels::apply_rope(input, self.cosine.clone(), self.sine.clone())
    }
}

/// The four projections of one attention block.
pub(super) struct Attention {
    pub(super) query: Linear,
    pub(super) key: Linear,
    pub(super) value: Linear,
    pub(super) output: Linear,
    /// Norms of each head of queries and of keys, in Qwen3.
    pub(super) norms: Option<[RmsNorm; 2]>,
    pub(super) key_value_heads: usize,
    pub(super) head_dim: usize,
}

impl Attention {
    /// (B * T, hidden) to (B * T, hidden). New keys and values are added to `cache`.
    pub(super) fn forward(
        &self,
        state: Tensor<2>,
        step: &Step,
        lora: LayerLora,
        cache: &mut LayerCache,
    ) -> Tensor<2> {
        let [batch, length] = step.shape;
        let project =
            |linear: &Linear, projection| linear.forward(state.clone(), lora.factors(projection));
        let mut query = project(&self.query, Projection::Query);
        let mut key = project(&self.key, Projection::Key);
        if let Some([of_queries, of_keys]) = &self.norms {
            query = self.norm_heads(query, of_queries);
            key = self.norm_heads(key, of_keys);
        }
        let query = step.rotary.apply_rope(query);
        let key = step.rotary.apply_rope(key);
        let value = project(&self.value, Projection::Value)
            .reshape([batch, length, self.key_value_heads, self.head_dim])
            .swap_dims(1, 2);
        let (keys, values) = cache.extend(key, value);
        let context = dnd_kernels::attend(query, keys, values, step.mask.clone());
        self.output
            .forward(context, lora.factors(Projection::Output))
    }
}

impl Attention {
    /// Normalizes each head of (B * T, heads * head dimension).
    fn norm_heads(&self, input: Tensor<2>, norm: &RmsNorm) -> Tensor<2> {
        let [rows, width] = input.dims();
        let heads = input.reshape([rows * width / self.head_dim, self.head_dim]);
        norm.forward(heads).reshape([rows, width])
    }
}

/// The additive attention mask (B, 1, T, S): 0 at visible positions, -1e9 at hidden ones.
///
/// `columns` (B * S) marks the cached and new positions that hold real tokens. The last T of
/// the S positions are new; each token attends to itself and to earlier positions.
pub(super) fn causal_mask(
    columns: &[bool],
    [batch, length]: [usize; 2],
    total: usize,
    device: &Device,
) -> Tensor<4> {
    let past = total - length;
    let mut mask = vec![-1e9f32; batch * length * total];
    for row in 0..batch {
        for token in 0..length {
            let line = (row * length + token) * total;
            for column in 0..=past + token {
                if columns[row * total + column] {
                    mask[line + column] = 0.0;
                }
            }
        }
    }
    Tensor::from_data(TensorData::new(mask, [batch, 1, length, total]), device)
}

/// Token ids as a tensor of shape (B, T).
pub(super) fn id_tensor(ids: &[u32], shape: [usize; 2], device: &Device) -> Tensor<2, Int> {
    let ids: Vec<i32> = ids.iter().map(|&id| id as i32).collect();
    Tensor::from_data(TensorData::new(ids, shape), device)
}
