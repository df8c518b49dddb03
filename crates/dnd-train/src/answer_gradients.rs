//! The loss of answers under an adapter, and its gradients by the adapter's factors.

use burn::tensor::{Gradients, Tensor};
use dnd_adapter::Layout;
use dnd_model::{LanguageModel, Lora};

use crate::Error;
use crate::example::{ExampleBatch, answer_losses};
use crate::values::scalar;

/// A (rank, input) and B (output, rank) of one module.
pub(crate) type FactorPair = (Tensor<2>, Tensor<2>);

/// Computes losses and gradients of a base model's answers.
#[derive(Clone, Copy)]
pub(crate) struct AnswerGradients<'a> {
    pub(crate) model: &'a LanguageModel,
    pub(crate) layout: &'a Layout,
    /// Keeps the states between layers alone and computes each layer again for its gradients
    /// (Chen et al., arXiv 1604.06174).
    pub(crate) recompute: bool,
}

impl AnswerGradients<'_> {
    /// The sum of the cross-entropies of the batch's answer tokens, each times its weight, and the
    /// gradients by `factors`, which are constants in the order of the layout's modules.
    ///
    /// # Errors
    /// When values cannot be read back from the device.
    pub(crate) fn compute(
        &self,
        batch: &ExampleBatch,
        weights: &[f32],
        factors: &[FactorPair],
    ) -> Result<(f32, Vec<FactorPair>), Error> {
        // Leaves of its own for each call: burn's graphs do not bear sharing them over threads.
        let leaf = |factor: &Tensor<2>| factor.clone().autodiff().require_grad();
        let leaves = factors.iter().map(|(a, b)| (leaf(a), leaf(b)));
        let leaves: Vec<FactorPair> = leaves.collect();
        let lora = Lora::from_tensors(self.layout, leaves.iter().cloned());
        if self.recompute {
            return self.recomputed(batch, weights, factors, &leaves, &lora);
        }
        let losses = answer_losses(self.model, batch, Some(&lora));
        let loss = weighted_sum(losses, weights);
        let gradients = loss.backward();
        let pairs = leaves.iter();
        let gradients =
            pairs.map(|(a, b)| (gradient_of(a, &gradients), gradient_of(b, &gradients)));
        Ok((scalar(loss)?, gradients.collect()))
    }

    fn recomputed(
        &self,
        batch: &ExampleBatch,
        weights: &[f32],
        factors: &[FactorPair],
        leaves: &[FactorPair],
        lora: &Lora,
    ) -> Result<(f32, Vec<FactorPair>), Error> {
        let (prefix, rows) = batch.tokens();
        let batches: Vec<_> = prefix.into_iter().chain([rows]).collect();
        let (pass, mut states) = self.model.layer_pass(&batches);
        let constants = Lora::from_tensors(self.layout, factors.iter().cloned());
        let mut inputs = Vec::with_capacity(pass.layers());
        for index in 0..pass.layers() {
            inputs.push(states.clone());
            states = pass.layer(index, states, Some(&constants));
        }

        let outputs: Vec<Tensor<2>> = states.into_iter().map(leaf_of).collect();
        // The last batch is that of the rows.
        let hidden = pass.norm(outputs[outputs.len() - 1].clone());
        let loss = weighted_sum(batch.losses(self.model, hidden), weights);
        let mut by_states = gradients_of(&outputs, &loss.backward());

        let mut by_factors: Vec<Option<FactorPair>> = vec![None; leaves.len()];
        for (index, states) in inputs.into_iter().enumerate().rev() {
            let modules = self.layout.modules.iter();
            if index == 0 && modules.clone().all(|module| module.layer != 0) {
                break;
            }
            // Nothing is learned before the first layer.
            let leaf = |state| if index == 0 { state } else { leaf_of(state) };
            let inputs: Vec<Tensor<2>> = states.into_iter().map(leaf).collect();
            let outputs = pass.layer(index, inputs.iter().cloned(), Some(lora));
            // The sum of output times gradient, as a constant, has that gradient.
            let products = outputs.into_iter().zip(by_states);
            let products = products.map(|(output, gradient)| (output * gradient).sum());
            let surrogate = Tensor::cat(products.collect(), 0).sum();
            let gradients = surrogate.backward();
            let modules = modules.zip(leaves).zip(&mut by_factors);
            for ((_, (a, b)), place) in modules.filter(|((module, _), _)| module.layer == index) {
                *place = Some((gradient_of(a, &gradients), gradient_of(b, &gradients)));
            }
            if index == 0 {
                break;
            }
            by_states = gradients_of(&inputs, &gradients);
        }
        let pairs = by_factors.into_iter().zip(factors);
        let pairs = pairs.map(|(pair, (a, b))| pair.unwrap_or((a.zeros_like(), b.zeros_like())));
        Ok((scalar(loss)?, pairs.collect()))
    }
}

/// The sum of losses, each times its weight.
pub(crate) fn weighted_sum(losses: Tensor<1>, weights: &[f32]) -> Tensor<1> {
    let weights = Tensor::<1>::from_data(weights, &losses.device());
    (losses * weights).sum()
}

fn leaf_of(state: Tensor<2>) -> Tensor<2> {
    state.autodiff().require_grad()
}

fn gradients_of(leaves: &[Tensor<2>], gradients: &Gradients) -> Vec<Tensor<2>> {
    let leaves = leaves.iter();
    leaves.map(|leaf| gradient_of(leaf, gradients)).collect()
}

/// The gradient of a leaf, zero where the loss does not depend on it.
fn gradient_of(leaf: &Tensor<2>, gradients: &Gradients) -> Tensor<2> {
    leaf.grad(gradients)
        .unwrap_or_else(|| leaf.clone().inner().zeros_like())
}
