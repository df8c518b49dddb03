//! Self-test of a device: a small encoder and generator on a fixed input.
//!
//! GPU drivers have bugs, and a wrong adapter looks like a correct one. The test runs every
//! operation of the models once. It compares the whole output with the CPU's, and samples of
//! the CPU's with values recorded here.
//!
//! The sizes select the same kernels and tilings as the shipped generator, so that the kernels
//! compiled for the test are reused.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor, TensorData};
use dnd_adapter::{BundleTensor, Precision, Storage, tensor_file};
use dnd_kernels::Target;

use crate::decoder::Decoder;
use crate::generator::expansion::MATRICES;
use crate::{Decoded, Error, ExpansionConfig, GeneratorConfig, TextEncoderConfig, Weights};

/// Largest accepted difference; values are around 0.1. Devices differ in rounding and in the
/// accuracy of `tanh` and `exp` by about 100 times less.
pub const TOLERANCE: f32 = 1e-4;

/// 16 evenly spaced values of the output, computed on the CPU in f32 and checked on two
/// devices.
const EXPECTED: [f32; 16] = [
    0.049316406,
    0.115234375,
    0.0022072047,
    0.050399072,
    0.011962891,
    0.012801285,
    0.10498047,
    0.038300972,
    -0.09889439,
    -0.08911133,
    0.105475724,
    -0.056396484,
    -0.031526566,
    0.061805345,
    -0.012207031,
    -0.06643798,
];

const PROMPTS: usize = 4;
const LENGTH: usize = 16;
/// Wide enough for several tiles of a matrix product.
const HIDDEN: usize = 128;
const INTERMEDIATE: usize = 512;
const VOCABULARY: usize = 32;

/// Runs the models on the fixed input on `device`. [`largest_difference`] checks the result.
///
/// # Errors
/// Those of the loaders. They do not occur with these fixed sizes.
pub fn compute(device: &Device) -> Result<Tensor<1>, Error> {
    let mut numbers = Numbers(1);
    let bytes = encoder_file(&mut numbers)?;
    let encoder =
        encoder_config().load(&Weights::from_safetensors(&bytes, "self-test")?, device)?;
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
    let [tokens, rows, columns] = config.output();
    let size = rows * columns;
    let targets = (0..tokens).map(|token| Target {
        offset: token * size,
        row_stride: columns,
        column_stride: 1,
        columns,
        scale: 1.0,
    });
    let targets: Vec<Target> = targets.collect();
    let mean = numbers.take(tokens * size);
    let decoder = Decoder::load(&tensors, "self-test", &config, &targets, &mean, device)?;
    Ok(match decoder.decode(states.unsqueeze_dim(0), &mut |_| ()) {
        Decoded::Factors(values) => values,
        // Tokens are stored one after another, as the targets say, and have no mean yet.
        Decoded::Tokens(values) => values + Tensor::from_data(mean.as_slice(), device),
    })
}

/// Largest difference of the values of [`compute`] from the expected output; infinite when one
/// is NaN or their number is wrong.
///
/// # Errors
/// As [`compute`], on the CPU.
pub fn largest_difference(values: &[f32]) -> Result<f32, Error> {
    // CPU tensors can be read back synchronously, even in a browser.
    let reference = compute(&Device::flex())?
        .try_into_vec_as::<f32>()
        .map_err(Error::device)?;
    if values.len() != reference.len() {
        return Ok(f32::INFINITY);
    }
    let known = largest(sample(&reference).zip(EXPECTED));
    let all = largest(values.iter().copied().zip(reference));
    Ok(known.max(all))
}

/// 16 evenly spaced values.
fn sample(values: &[f32]) -> impl Iterator<Item = f32> {
    let step = values.len().div_ceil(EXPECTED.len());
    values.iter().copied().step_by(step)
}

fn largest(pairs: impl Iterator<Item = (f32, f32)>) -> f32 {
    pairs.fold(0.0, |largest, (value, expected)| {
        let difference = (value - expected).abs();
        // `max` ignores NaN.
        if difference.is_nan() {
            f32::INFINITY
        } else {
            difference.max(largest)
        }
    })
}

/// A linear congruential generator (Numerical Recipes, 32-bit) of values from -0.125 to 0.125.
/// They are the same on every platform and exact in f16.
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
        features: vec![[8, 4, HIDDEN], [32, 4, 48], [6, 1, 64]],
        kernel_size: 3,
        prompt_kernel_size: 1,
        pooling: true,
        expansion: Some(ExpansionConfig {
            layers: 3,
            // Two tokens of `A`, then two and one of `B`.
            modules: vec![[1, 2], [4, 1]],
            output: [15, 8, 64],
        }),
    }
}

/// Tensors with the names and shapes of the generator, filled with fixed values.
fn generator_tensors(
    config: &GeneratorConfig,
    numbers: &mut Numbers,
) -> Result<BTreeMap<String, BundleTensor>, Error> {
    // On the CPU, where tensors can be read back synchronously, even in a browser.
    let mut tensors = config.init(0, &Device::flex()).to_tensors(Precision::F32)?;
    for (name, tensor) in &mut tensors {
        tensor.data = numbers.take(tensor.data.len());
        if name.ends_with("deviation") || name.ends_with("gain") {
            tensor.data.iter_mut().for_each(|value| *value += 1.0);
        }
        if name.starts_with(MATRICES) {
            tensor.storage = Storage::Int8;
            for row in tensor.data.chunks_mut(tensor.shape[1]) {
                round_to_int8(row);
            }
        }
    }
    Ok(tensors)
}

/// Rounds values to multiples of `UNIT` within ±127, which int8 stores without loss.
fn round_to_int8(numbers: &mut [f32]) {
    const UNIT: f32 = 1.0 / 1024.0;
    for number in numbers.iter_mut() {
        *number = (*number / UNIT).round().clamp(-127.0, 127.0) * UNIT;
    }
    // The scale of an int8 row comes from its largest value.
    numbers[0] = 127.0 * UNIT;
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
