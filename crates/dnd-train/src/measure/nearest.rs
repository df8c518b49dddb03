//! Baselines from a collection: the nearest adapter and the average of all.

use burn::tensor::Device;
use dnd_adapter::{Adapter, Factors, Layout};
use dnd_model::{Condition, mean_embedding};

use crate::Error;
use crate::models::Encoder;

/// Prompts that an embedding is taken over.
const PROMPTS: usize = 128;
/// Most tokens of a prompt that count.
const TOKENS: usize = 64;

/// Mean embedding of a task's prompts, of length one: the mean over the tokens of each prompt, as
/// the encoder's authors take it, then over the first prompts.
///
/// # Errors
/// When there is no prompt, or values cannot be read back.
pub fn prompt_embedding(
    encoder: &Encoder,
    prompts: &[String],
    device: &Device,
) -> Result<Vec<f32>, Error> {
    let length = TOKENS.min(encoder.model.max_length());
    let condition = Condition::new(&encoder.model, &encoder.tokenizer_json, length, device)?;
    let prompts: Vec<&str> = prompts.iter().map(String::as_str).take(PROMPTS).collect();
    mean_embedding(condition.encode(&prompts)?)
        .try_into_vec_as::<f32>()
        .map_err(|e| dnd_model::Error::Device(e.to_string()).into())
}

/// The index of the embedding with the largest cosine similarity to `embedding`.
pub fn nearest_task(embedding: &[f32], candidates: &[Vec<f32>]) -> usize {
    let similarity =
        |candidate: &Vec<f32>| -> f32 { embedding.iter().zip(candidate).map(|(a, b)| a * b).sum() };
    let similarities: Vec<f32> = candidates.iter().map(similarity).collect();
    dnd_model::sampling::argmax(&similarities)
}

/// The element-wise average of adapters of one layout: zero for none.
pub fn average_adapter<'a>(
    layout: &Layout,
    adapters: impl ExactSizeIterator<Item = &'a Adapter>,
) -> Adapter {
    let count = adapters.len() as f32;
    let mut average = Adapter::zeros(layout.clone());
    let add = |sum: &mut [f32], values: &[f32]| {
        for (sum, value) in sum.iter_mut().zip(values) {
            *sum += value / count;
        }
    };
    for adapter in adapters {
        for (Factors { a, b }, factors) in average.factors.iter_mut().zip(&adapter.factors) {
            add(a, &factors.a);
            add(b, &factors.b);
        }
    }
    average
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_data::small_layout;

    #[test]
    fn the_average_lies_between() {
        let layout = small_layout();
        let one = crate::collect::initial_adapter(&layout, 1);
        let other = crate::collect::initial_adapter(&layout, 2);
        let average = average_adapter(&layout, [&one, &other].into_iter());
        let expected = (one.factors[3].a[5] + other.factors[3].a[5]) / 2.0;
        assert!((average.factors[3].a[5] - expected).abs() < 1e-6);
    }

    #[test]
    fn the_nearest_has_the_largest_cosine() {
        let candidates = vec![vec![1.0, 0.0], vec![0.6, 0.8]];
        assert_eq!(nearest_task(&[0.0, 1.0], &candidates), 1);
    }
}
