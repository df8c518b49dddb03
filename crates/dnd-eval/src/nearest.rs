//! Baselines from a collection: the nearest adapter, and averages of all.

use burn::tensor::Device;
use dnd_adapter::{Adapter, Factors, Layout};
use dnd_model::sampling::argmax;
use dnd_model::{PromptEncoder, mean_embedding};

use dnd_model::files::Encoder;
use dnd_train::Error;

/// Maximum number of prompts in an embedding.
const PROMPTS: usize = 128;
/// Maximum number of tokens per prompt.
const TOKENS: usize = 64;
/// Softmax temperature of [`similarity_weights`]: a cosine lower by this much has 1/e of the
/// weight.
pub const TEMPERATURE: f32 = 0.05;

/// Unit-length mean embedding of a task's prompts: the mean over the tokens of each prompt,
/// which is the encoder's own pooling, then over the first 128 prompts.
///
/// # Errors
/// When there is no prompt, or values cannot be read back.
pub fn prompt_embedding(
    encoder: &Encoder,
    prompts: &[String],
    device: &Device,
) -> Result<Vec<f32>, Error> {
    let length = TOKENS.min(encoder.model.max_length());
    let condition = PromptEncoder::new(&encoder.model, &encoder.tokenizer_json, length, device)?;
    let prompts: Vec<&str> = prompts.iter().map(String::as_str).take(PROMPTS).collect();
    let embedding = mean_embedding(condition.encode(&prompts)?);
    let values = embedding.try_into_vec_as::<f32>();
    Ok(values.map_err(dnd_model::Error::device)?)
}

/// Cosine similarity of `embedding` to each candidate. All have unit length.
fn similarities(embedding: &[f32], candidates: &[Vec<f32>]) -> Vec<f32> {
    let similarity =
        |candidate: &Vec<f32>| -> f32 { embedding.iter().zip(candidate).map(|(a, b)| a * b).sum() };
    candidates.iter().map(similarity).collect()
}

/// The index of the embedding with the largest cosine similarity to `embedding`.
pub fn nearest_task(embedding: &[f32], candidates: &[Vec<f32>]) -> usize {
    argmax(&similarities(embedding, candidates))
}

/// Softmax of the cosine similarities divided by [`TEMPERATURE`].
pub fn similarity_weights(embedding: &[f32], candidates: &[Vec<f32>]) -> Vec<f32> {
    let similarities = similarities(embedding, candidates);
    let largest = similarities.iter().copied().fold(f32::MIN, f32::max);
    let weights: Vec<f32> = similarities
        .iter()
        .map(|similarity| ((similarity - largest) / TEMPERATURE).exp())
        .collect();
    let total: f32 = weights.iter().sum();
    weights.iter().map(|weight| weight / total).collect()
}

/// The element-wise average of adapters with the same layout; zero if there are none.
pub fn average_adapter(layout: &Layout, adapters: &[Adapter]) -> Adapter {
    weighted_adapter(
        layout,
        adapters,
        &vec![1.0 / adapters.len() as f32; adapters.len()],
    )
}

/// The element-wise weighted sum of adapters with the same layout.
pub fn weighted_adapter(layout: &Layout, adapters: &[Adapter], weights: &[f32]) -> Adapter {
    let mut average = Adapter::zeros(layout.clone());
    let add = |sum: &mut [f32], values: &[f32], weight: f32| {
        for (sum, value) in sum.iter_mut().zip(values) {
            *sum += value * weight;
        }
    };
    for (adapter, &weight) in adapters.iter().zip(weights) {
        for (Factors { a, b }, factors) in average.factors.iter_mut().zip(&adapter.factors) {
            add(a, &factors.a, weight);
            add(b, &factors.b, weight);
        }
    }
    average
}

#[cfg(test)]
mod tests {
    use super::*;
    use dnd_test_support::small_layout;

    #[test]
    fn the_average_lies_between() {
        let layout = small_layout();
        let one = dnd_train::collect::initial_adapter(&layout, 1);
        let other = dnd_train::collect::initial_adapter(&layout, 2);
        let (of_one, of_other) = (one.factors[3].a[5], other.factors[3].a[5]);
        let adapters = [one, other];
        let average = average_adapter(&layout, &adapters);
        assert!((average.factors[3].a[5] - (of_one + of_other) / 2.0).abs() < 1e-6);
        let weighted = weighted_adapter(&layout, &adapters, &[0.25, 0.75]);
        let expected = 0.25 * of_one + 0.75 * of_other;
        assert!((weighted.factors[3].a[5] - expected).abs() < 1e-6);
    }

    #[test]
    fn similar_tasks_weigh_more() {
        let candidates = vec![vec![1.0, 0.0], vec![0.0, 1.0]];
        let even = similarity_weights(&[0.5f32.sqrt(), 0.5f32.sqrt()], &candidates);
        assert!((even[0] - 0.5).abs() < 1e-6 && (even[1] - 0.5).abs() < 1e-6);
        // A cosine larger by 0.2 is four temperatures, so the weight is e^4 times as large.
        let apart = similarity_weights(&[0.8, 0.6], &candidates);
        assert!((apart[0] / apart[1] - 4.0f32.exp()).abs() < 0.01);
    }

    #[test]
    fn the_nearest_has_the_largest_cosine() {
        let candidates = vec![vec![1.0, 0.0], vec![0.6, 0.8]];
        assert_eq!(nearest_task(&[0.0, 1.0], &candidates), 1);
    }
}
