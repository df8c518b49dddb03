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

use crate::assembler::Assembler;
use crate::{BasisConfig, Error, GeneratorConfig, TextEncoderConfig, Weights};

/// Largest accepted difference; values are around 0.1. Devices differ in rounding and in the
/// accuracy of `tanh` and `exp` by about 100 times less.
pub const TOLERANCE: f32 = 1e-4;

/// 16 evenly spaced values of the output, computed on the CPU in f32 and checked on two
/// devices.
const EXPECTED: [f32; 16] = [
    0.006610669,
    0.14365909,
    -0.0488854,
    -0.08514373,
    0.021486761,
    -0.00927664,
    0.12250524,
    0.12237652,
    0.02146842,
    -0.09280523,
    -0.085606754,
    -0.087125175,
    -0.036909204,
    -0.010954361,
    0.04007673,
    -0.016815854,
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
    let generator = config.load(&tensors, "self-test", device)?;
    let condition: Tensor<4> = states.unsqueeze_dim(0);
    let output = generator.cascade(condition.clone(), &mut |_| ());
    let [tokens, rows, columns] = config.output();
    let size = rows * columns;
    let targets = (0..tokens).map(|token| Target {
        offset: token * size,
        row_stride: columns,
        column_stride: 1,
        columns,
        tile: None,
        scale: 1.0,
    });
    let (targets, mean) = (targets.collect(), vec![0.0; tokens * size]);
    match Assembler::new(&tensors, "self-test", &config, targets, &mean, device)? {
        Some(assembler) => Ok(assembler.assemble(output, condition)),
        None => {
            let output = generator.add_basis(output, condition);
            Ok(output.reshape([tokens * size]))
        }
    }
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
        features: vec![[PROMPTS, LENGTH, HIDDEN], [32, 8, 48], [64, 8, 64]],
        kernel_size: 3,
        prompt_kernel_size: 1,
        pooling: false,
        expansion: None,
        basis: Some(BasisConfig {
            count: 3,
            gain: 0.5,
            tokens: vec![1, 4, 7],
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
        if name.ends_with("basis.tiles") {
            tensor.storage = Storage::Int8;
            let tile = tensor.shape[2];
            for tile in tensor.data.chunks_mut(tile) {
                round_to_int8(tile);
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
    // The scale of an int8 tile comes from its largest value.
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
