//! Whether a device computes what it should: a small encoder and generator on a known input.
//!
//! GPU drivers have bugs, and a wrong adapter looks like a right one. So before a device is trusted
//! it computes every operation of the models once. All of the output is compared with the CPU's, and
//! that with numbers written down here.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor, TensorData};
use dnd_adapter::{BundleTensor, Precision, tensor_file};

use crate::{BasisConfig, Error, GeneratorConfig, TextEncoderConfig, Weights};

/// Largest difference of a device that is trusted; values are of order a tenth. Devices differ in how
/// they round and in how exact their `tanh` and `exp` are, which is 100 times less.
pub const TOLERANCE: f32 = 1e-4;

/// 16 values of the output, evenly spread, as computed on the CPU in f32 and checked on two devices.
const EXPECTED: [f32; 16] = [
    -0.05128328,
    -0.038729087,
    0.049921717,
    0.09258884,
    -0.08321325,
    -0.06296817,
    -0.05702963,
    0.09046263,
    -0.11015385,
    -0.12504782,
    -0.016495742,
    -0.0152287325,
    -0.052137334,
    0.05925424,
    0.052035138,
    0.05226027,
];

const PROMPTS: usize = 4;
const LENGTH: usize = 16;
/// Wide enough for several tiles of a matrix product.
const HIDDEN: usize = 128;
const INTERMEDIATE: usize = 512;
const VOCABULARY: usize = 32;

/// Computes the known input on `device`: a vector that [`largest_difference`] judges.
///
/// # Errors
/// Never with the sizes that are fixed here; they are those of the loaders.
pub fn compute(device: &Device) -> Result<Tensor<1>, Error> {
    let mut numbers = Numbers(1);
    let bytes = encoder_file(&mut numbers)?;
    let encoder =
        encoder_config().init(&Weights::from_safetensors(&bytes, "self-test")?, device)?;
    let ids: Vec<i32> = (0..PROMPTS * LENGTH)
        .map(|i| (i * 7 % VOCABULARY) as i32)
        .collect();
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
///
/// # Errors
/// As [`compute`], on the CPU.
pub fn largest_difference(values: &[f32]) -> Result<f32, Error> {
    // The CPU's values can be read back at once even in a browser.
    let reference = compute(&Device::flex())?
        .try_into_vec_as::<f32>()
        .map_err(|e| Error::Device(e.to_string()))?;
    if values.len() != reference.len() {
        return Ok(f32::INFINITY);
    }
    let known = largest(sample(&reference).zip(EXPECTED));
    let all = largest(values.iter().copied().zip(reference));
    Ok(known.max(all))
}

/// 16 values, evenly spread.
fn sample(values: &[f32]) -> impl Iterator<Item = f32> {
    let step = values.len().div_ceil(EXPECTED.len());
    values.iter().copied().step_by(step)
}

fn largest(pairs: impl Iterator<Item = (f32, f32)>) -> f32 {
    pairs.fold(0.0, |largest, (value, expected)| {
        let difference = (value - expected).abs();
        // `max` would pass over what is not a number.
        if difference.is_nan() {
            f32::INFINITY
        } else {
            difference.max(largest)
        }
    })
}

/// The same numbers on every platform, between -0.125 and 0.125 (a linear congruential generator in
/// 32-bit arithmetic, Numerical Recipes), of so few bits that half precision holds them.
struct Numbers(u32);

impl Numbers {
    fn take(&mut self, count: usize) -> Vec<f32> {
        let mut next = || {
            self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((self.0 >> 22) as f32 / 1024.0 - 0.5) / 4.0
        };
        (0..count).map(|_| next()).collect()
    }
}

fn encoder_config() -> TextEncoderConfig {
    TextEncoderConfig {
        vocab_size: VOCABULARY,
        hidden_size: HIDDEN,
        intermediate_size: INTERMEDIATE,
        num_hidden_layers: 1,
        num_attention_heads: 4,
        max_position_embeddings: LENGTH,
        type_vocab_size: 1,
        layer_norm_eps: 1e-12,
        hidden_act: "gelu".to_owned(),
    }
}

fn encoder_file(numbers: &mut Numbers) -> Result<Vec<u8>, Error> {
    let matrix = |name: &str, rows, columns| (name.to_owned(), vec![rows, columns]);
    let mut shapes = vec![
        matrix("embeddings.word_embeddings.weight", VOCABULARY, HIDDEN),
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
        ("intermediate.dense", INTERMEDIATE, HIDDEN),
        ("output.dense", HIDDEN, INTERMEDIATE),
    ] {
        let name = format!("encoder.layer.0.{name}");
        shapes.push((format!("{name}.weight"), vec![output, input]));
        shapes.push((format!("{name}.bias"), vec![output]));
    }
    let values: Vec<Vec<f32>> = shapes
        .iter()
        .map(|(_, shape)| numbers.take(shape.iter().product()))
        .collect();
    let tensors = shapes.iter().zip(&values).map(|((name, shape), values)| {
        (name.clone(), &shape[..], &values[..], Precision::F32.into())
    });
    Ok(tensor_file::write(
        "self-test",
        tensors,
        ("format", "pt".to_owned()),
    )?)
}

fn generator_config() -> GeneratorConfig {
    GeneratorConfig {
        features: vec![[PROMPTS, LENGTH, HIDDEN], [6, 8, 48], [10, 8, 72]],
        kernel_size: 3,
        prompt_kernel_size: 1,
        basis: Some(BasisConfig {
            count: 3,
            gain: 0.5,
            tokens: vec![1, 4, 7],
        }),
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

    fn on_the_cpu() -> Vec<f32> {
        compute(&Device::flex())
            .unwrap()
            .try_into_vec_as::<f32>()
            .unwrap()
    }

    #[test]
    fn the_cpu_passes() {
        let values = on_the_cpu();
        let chosen: Vec<f32> = sample(&values).collect();
        let difference = largest_difference(&values).unwrap();
        assert!(difference < 1e-5, "{difference}: {chosen:?}");
        assert_eq!(chosen.len(), EXPECTED.len());
        assert!(chosen.iter().any(|value| value.abs() > 0.1), "{chosen:?}");
    }

    #[test]
    fn any_wrong_value_is_seen() {
        let mut values = on_the_cpu();
        values[61] += 0.01;
        assert!(largest_difference(&values).unwrap() > TOLERANCE);
        values[61] = f32::NAN;
        assert!(largest_difference(&values).unwrap().is_infinite());
        assert!(largest_difference(&values[1..]).unwrap().is_infinite());
    }
}
