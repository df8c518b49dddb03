//! Whether a device computes what it should: a small encoder and generator on a known input.
//!
//! GPU drivers have bugs, and a wrong adapter looks like a right one. So before a device is trusted
//! it computes every operation of the models once, and the output is compared with one that is
//! written down here.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor, TensorData};
use dnd_adapter::{BundleTensor, Precision, tensor_file};

use crate::{Error, GeneratorConfig, TextEncoderConfig, Weights};

/// Largest difference of a device that is trusted; values are of order one. Devices differ in how
/// they round and in how exact their `tanh` and `exp` are, which is 100 times less.
pub const TOLERANCE: f32 = 1e-3;

/// Every 60th value of the output, as computed on the CPU in f32 and checked on two devices.
const EXPECTED: [f32; 16] = [
    1.0752985,
    0.22399867,
    -0.27639937,
    0.24183634,
    0.48402607,
    -0.8714385,
    -0.5103483,
    -1.2609427,
    1.0831032,
    0.65357935,
    -0.58926797,
    -0.7236308,
    0.65164065,
    1.3111062,
    1.149539,
    -0.07335788,
];

const PROMPTS: usize = 4;
const LENGTH: usize = 8;
const HIDDEN: usize = 32;

/// Computes the known input on `device`: a vector that [`largest_difference`] judges.
///
/// # Errors
/// Never with the sizes that are fixed here; they are those of the loaders.
pub fn compute(device: &Device) -> Result<Tensor<1>, Error> {
    let mut numbers = Numbers(1);
    let bytes = encoder_file(&mut numbers)?;
    let encoder =
        encoder_config().init(&Weights::from_safetensors(&bytes, "self-test")?, device)?;
    let ids: Vec<i32> = (0..PROMPTS * LENGTH).map(|i| (i * 7 % 32) as i32).collect();
    // Prompt n has n tokens fewer than the longest.
    let mask: Vec<f32> = (0..PROMPTS * LENGTH)
        .map(|i| f32::from(u8::from(i % LENGTH < LENGTH - i / LENGTH)))
        .collect();
    let shape = [PROMPTS, LENGTH];
    let ids = Tensor::from_data(TensorData::new(ids, shape), device);
    let mask: Tensor<2> = Tensor::from_data(TensorData::new(mask, shape), device);
    let states = encoder.forward(ids, mask.clone()) * mask.reshape([PROMPTS, LENGTH, 1]);

    let config = generator_config();
    let tensors = generator_tensors(&config, &mut numbers)?;
    let generator = config.load(&tensors, "self-test", device)?;
    let output = generator.forward(states.unsqueeze_dim(0));
    let [_, tokens, rows, columns] = output.dims();
    Ok(output.reshape([tokens * rows * columns]))
}

/// Largest difference of the values of [`compute`] from the known output; infinite when one is not
/// a number.
pub fn largest_difference(values: &[f32]) -> f32 {
    let chosen = values.iter().step_by(values.len() / EXPECTED.len());
    let mut largest = 0.0;
    for (value, expected) in chosen.zip(EXPECTED) {
        let difference = (value - expected).abs();
        if difference.is_nan() {
            return f32::INFINITY;
        }
        largest = difference.max(largest);
    }
    largest
}

/// The same numbers on every platform, between -0.5 and 0.5 (a linear congruential generator in
/// 32-bit arithmetic, Numerical Recipes).
struct Numbers(u32);

impl Numbers {
    fn take(&mut self, count: usize) -> Vec<f32> {
        let mut next = || {
            self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (self.0 >> 16) as f32 / 65_536.0 - 0.5
        };
        (0..count).map(|_| next()).collect()
    }
}

fn encoder_config() -> TextEncoderConfig {
    TextEncoderConfig {
        vocab_size: 32,
        hidden_size: HIDDEN,
        intermediate_size: 64,
        num_hidden_layers: 1,
        num_attention_heads: 2,
        max_position_embeddings: LENGTH,
        type_vocab_size: 1,
        layer_norm_eps: 1e-12,
        hidden_act: "gelu".to_owned(),
    }
}

fn encoder_file(numbers: &mut Numbers) -> Result<Vec<u8>, Error> {
    let matrix = |name: &str, rows, columns| (name.to_owned(), vec![rows, columns]);
    let mut shapes = vec![
        matrix("embeddings.word_embeddings.weight", 32, HIDDEN),
        matrix("embeddings.position_embeddings.weight", LENGTH, HIDDEN),
        matrix("embeddings.token_type_embeddings.weight", 1, HIDDEN),
    ];
    let norm = |name: &str| ["weight", "bias"].map(|part| (format!("{name}.{part}"), vec![HIDDEN]));
    shapes.extend(norm("embeddings.LayerNorm"));
    for name in ["attention.output.LayerNorm", "output.LayerNorm"] {
        shapes.extend(norm(&format!("encoder.layer.0.{name}")));
    }
    for (name, output, input) in [
        ("attention.self.query", HIDDEN, HIDDEN),
        ("attention.self.key", HIDDEN, HIDDEN),
        ("attention.self.value", HIDDEN, HIDDEN),
        ("attention.output.dense", HIDDEN, HIDDEN),
        ("intermediate.dense", 64, HIDDEN),
        ("output.dense", HIDDEN, 64),
    ] {
        let name = format!("encoder.layer.0.{name}");
        shapes.push((format!("{name}.weight"), vec![output, input]));
        shapes.push((format!("{name}.bias"), vec![output]));
    }
    let values: Vec<Vec<f32>> = shapes
        .iter()
        .map(|(_, shape)| numbers.take(shape.iter().product()))
        .collect();
    let tensors = shapes
        .iter()
        .zip(&values)
        .map(|((name, shape), values)| (name.clone(), &shape[..], &values[..], Precision::F32));
    Ok(tensor_file::write(
        "self-test",
        tensors,
        ("format", "pt".to_owned()),
    )?)
}

fn generator_config() -> GeneratorConfig {
    GeneratorConfig {
        features: vec![[PROMPTS, LENGTH, HIDDEN], [6, 4, 16], [10, 4, 24]],
        kernel_size: 3,
        prompt_kernel_size: 1,
    }
}

/// The generator's own names and shapes, filled with known numbers.
fn generator_tensors(
    config: &GeneratorConfig,
    numbers: &mut Numbers,
) -> Result<BTreeMap<String, BundleTensor>, Error> {
    // On the CPU, where values can be read back at once even in a browser.
    let mut tensors = config.init(0, &Device::flex()).to_tensors(Precision::F32)?;
    for tensor in tensors.values_mut() {
        tensor.data = numbers.take(tensor.data.len());
    }
    Ok(tensors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_passes() {
        let values = compute(&Device::flex())
            .unwrap()
            .try_into_vec_as::<f32>()
            .unwrap();
        let chosen: Vec<f32> = values.iter().copied().step_by(values.len() / 16).collect();
        let difference = largest_difference(&values);
        assert!(difference < 1e-5, "{difference}: {chosen:?}");
        assert!(chosen.iter().any(|value| value.abs() > 0.1), "{chosen:?}");
    }

    #[test]
    fn a_wrong_value_is_seen() {
        let mut values = compute(&Device::flex())
            .unwrap()
            .try_into_vec_as::<f32>()
            .unwrap();
        values[60] += 0.01;
        assert!(largest_difference(&values) > TOLERANCE);
        values[60] = f32::NAN;
        assert!(largest_difference(&values).is_infinite());
    }
}
