//! Whether a device computes what it should: a small encoder and generator on a known input.
//!
//! GPU drivers have bugs, and a wrong adapter looks like a right one. So before a device is trusted
//! it computes every operation of the models once. All of the output is compared with the CPU's, and
//! that with numbers written down here.
//!
//! Sizes are such that a GPU runs the kernels of the shipped generator, tilings included: what it compiles
//! for the test need not be compiled again.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor, TensorData};
use dnd_adapter::{BundleTensor, Precision, Storage, tensor_file};
use dnd_kernels::Target;

use crate::assembler::Assembler;
use crate::{BasisConfig, Error, GeneratorConfig, TextEncoderConfig, Weights};

/// Largest difference of a device that is trusted; values are of order a tenth. Devices differ in how
/// they round and in how exact their `tanh` and `exp` are, which is 100 times less.
pub const TOLERANCE: f32 = 1e-4;

/// 16 values of the output, evenly spread, as computed on the CPU in f32 and checked on two devices.
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

/// Computes the known input on `device`: a vector that [`largest_difference`] judges.
///
/// # Errors
/// Never with the sizes that are fixed here; they are those of the loaders.
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

/// Largest difference of the values of [`compute`] from the known output; infinite when one is not
/// a number.
///
/// # Errors
/// As [`compute`], on the CPU.
pub fn largest_difference(values: &[f32]) -> Result<f32, Error> {
    // The CPU's values can be read back at once even in a browser.
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
        features: vec![[PROMPTS, LENGTH, HIDDEN], [32, 8, 48], [64, 8, 64]],
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
    for (name, tensor) in &mut tensors {
        tensor.data = numbers.take(tensor.data.len());
        if name.ends_with("basis.tiles") {
            tensor.storage = Storage::Int8;
            let tile = tensor.shape[2];
            for tile in tensor.data.chunks_mut(tile) {
                in_integers(tile);
            }
        }
    }
    Ok(tensors)
}

/// Rounds numbers to what integers from -127 to 127 stand for, so that nothing is lost when they are stored as such.
fn in_integers(numbers: &mut [f32]) {
    const UNIT: f32 = 1.0 / 1024.0;
    for number in numbers.iter_mut() {
        *number = (*number / UNIT).round().clamp(-127.0, 127.0) * UNIT;
    }
    // The largest one tells what the unit is.
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
