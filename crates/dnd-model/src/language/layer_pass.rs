//! A forward pass that is taken layer by layer, to save memory while training.

use burn::tensor::Tensor;

use super::attention::{LayerLora, Step};
use super::cache::LayerCache;
use super::{LanguageModel, TokenBatch};
use crate::Lora;

/// A forward pass layer by layer, of batches each of which sees those before it.
///
/// [`LanguageModel::forward`] computes the same. Between layers, the caller may keep the states and
/// forget all else.
pub struct LayerPass<'a> {
    model: &'a LanguageModel,
    steps: Vec<Step>,
}

impl LanguageModel {
    /// The pass over `batches`, and their states (B * T, hidden) before the first layer.
    pub fn layer_pass(&self, batches: &[TokenBatch]) -> (LayerPass<'_>, Vec<Tensor<2>>) {
        let mut cached = 0;
        let steps = batches.iter().map(|batch| {
            let step = self.step(batch, cached);
            cached += batch.shape[1];
            step
        });
        let pass = LayerPass {
            model: self,
            steps: steps.collect(),
        };
        (
            pass,
            batches.iter().map(|batch| self.embed(batch)).collect(),
        )
    }
}

impl LayerPass<'_> {
    /// Number of layers.
    pub fn layers(&self) -> usize {
        self.model.layers.len()
    }

    /// The states of all batches after the layer `index`, from those before it.
    ///
    /// # Panics
    /// If there is no such layer.
    pub fn layer(
        &self,
        index: usize,
        states: impl IntoIterator<Item = Tensor<2>>,
        lora: Option<&Lora>,
    ) -> Vec<Tensor<2>> {
        let (layer, lora) = (&self.model.layers[index], LayerLora { lora, layer: index });
        let mut cache = LayerCache::default();
        let states = states.into_iter().zip(&self.steps);
        let states = states.map(|(state, step)| layer.forward(state, step, lora, &mut cache));
        states.collect()
    }

    /// Hidden states after the final norm, from those after the last layer.
    pub fn norm(&self, state: Tensor<2>) -> Tensor<2> {
        self.model.norm.forward(state)
    }
}
