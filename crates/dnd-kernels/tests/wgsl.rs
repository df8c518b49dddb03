//! The WGSL kernels against their references on the CPU, over random shapes. Without a GPU, not
//! even a software one, each test prints that it is skipped.

#![cfg(feature = "wgpu")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cases;

use std::sync::{Arc, OnceLock};

use burn::tensor::{Device, Int, Tensor, TensorData};
use dnd_kernels::convolve::{self, Axes};
use dnd_kernels::epilogue::{ConvolutionEpilogue, LinearEpilogue};
use dnd_kernels::expand::Sizes;
use dnd_kernels::linear;
use dnd_kernels::shaders::Storage;
use dnd_kernels::{
    Blocks, FrozenMatrix, Quantized, attend_rows, attention_rows, embed, layer_norm,
    mean_embedding, pool,
};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;

use cases::ExpansionCase;

/// The GPU, or `None` with a printed reason.
fn gpu() -> Option<Device> {
    static GPU: OnceLock<Option<Device>> = OnceLock::new();
    let found = GPU.get_or_init(|| Device::wgpu_options().init().ok());
    if found.is_none() {
        println!("skipped: burn's wgpu device finds no GPU");
    }
    found.clone()
}

/// Random numbers, generated on the CPU so that both devices get the same.
struct Numbers(ChaCha12Rng);

impl Numbers {
    fn new(seed: u64) -> Self {
        Self(ChaCha12Rng::seed_from_u64(seed))
    }

    fn values(&mut self, count: usize, size: f32) -> Vec<f32> {
        (0..count)
            .map(|_| self.0.random_range(-size..=size))
            .collect()
    }

    fn tensor<const D: usize>(&mut self, shape: [usize; D], size: f32) -> Tensor<D> {
        let values = self.values(shape.iter().product(), size);
        Tensor::from_data(TensorData::new(values, shape), &Device::flex())
    }
}

fn there<const D: usize>(tensor: &Tensor<D>, device: &Device) -> Tensor<D> {
    Tensor::from_data(tensor.to_data(), device)
}

fn assert_near<const D: usize>(found: Tensor<D>, expected: Tensor<D>, tolerance: f32) {
    assert_eq!(found.dims(), expected.dims());
    let found = found.try_into_vec_as::<f32>().unwrap();
    let expected = expected.try_into_vec_as::<f32>().unwrap();
    let size = expected.iter().fold(1.0f32, |size, x| size.max(x.abs()));
    for (place, (a, b)) in found.iter().zip(&expected).enumerate() {
        assert!((a - b).abs() <= tolerance * size, "at {place}: {a} and {b}");
    }
}

fn rounded(values: &[f32]) -> Vec<f32> {
    let halves = values.iter().map(|&value| half::f16::from_f32(value));
    halves.map(half::f16::to_f32).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]


    // Cases are small, but a software GPU is slow.

    #[test]
    fn linear_layers_agree(
        rows in 1usize..150,
        fours in prop::array::uniform2(1usize..35),
        odd in 0usize..8,
        half: bool,
        packed: bool,
        after in 0..3,
        size in prop::sample::select(vec![1e-3f32, 1.0, 30.0]),
        seed: u64,
    ) {
        let Some(device) = gpu() else { return Ok(()) };
        let mut numbers = Numbers::new(seed);
        // Sizes that are not multiples of four fall back to burn, and must agree as well.
        let (columns, depth) = (
            4 * fours[0] + usize::from(odd == 1),
            4 * fours[1] + usize::from(odd == 2),
        );
        let half = half && odd != 1;
        let input = numbers.tensor([rows, depth], size);
        let mut weights = numbers.values(columns * depth, 1.0);
        if half {
            weights = rounded(&weights);
        }
        let bias = numbers.tensor([1, columns], size);
        let residual = numbers.tensor([rows, columns], size);
        let follows = |residual: Tensor<2>| match after {
            0 => LinearEpilogue::Identity,
            1 => LinearEpilogue::Gelu,
            _ => LinearEpilogue::Residual(residual),
        };
        let data = TensorData::new(weights.clone(), [columns, depth]);
        let here = FrozenMatrix::new(Tensor::from_data(data, &Device::flex()));
        let matrix = if half {
            match FrozenMatrix::half(weights, [columns, depth], &device) {
                // A device with f16 can also read packed words.
                FrozenMatrix::Half { words, shape, .. } if packed => FrozenMatrix::Half {
                    storage: Storage::Packed,
                    words,
                    shape,
                },
                matrix => matrix,
            }
        } else {
            FrozenMatrix::new(Tensor::from_data(
                TensorData::new(weights, [columns, depth]),
                &device,
            ))
        };
        let found = linear(
            there(&input, &device),
            &matrix,
            there(&bias, &device),
            follows(there(&residual, &device)),
        );
        assert_near(
            found,
            linear::reference(input, &here, bias, follows(residual)),
            1e-5,
        );
    }

    #[test]
    fn layer_norms_agree(
        rows in 1usize..40,
        fours in 1usize..100,
        odd in 0usize..8,
        size in prop::sample::select(vec![1e-3f32, 1.0, 1e3]),
        seed: u64,
    ) {
        let Some(device) = gpu() else { return Ok(()) };
        let mut numbers = Numbers::new(seed);
        let width = 4 * fours + usize::from(odd == 1);
        let input = numbers.tensor([rows, width], size);
        let (scale, shift) = (numbers.tensor([width], 1.0), numbers.tensor([width], 1.0));
        let found = layer_norm(
            there(&input, &device),
            there(&scale, &device),
            there(&shift, &device),
            1e-5,
        );
        assert_near(
            found,
            layer_norm::reference(input, scale, shift, 1e-5),
            2e-5,
        );
    }

    #[test]
    fn embeddings_agree(
        prompts in 1usize..5,
        length in 1usize..20,
        fours in 1usize..30,
        odd in 0usize..8,
        half: bool,
        seed: u64,
    ) {
        let Some(device) = gpu() else { return Ok(()) };
        let mut numbers = Numbers::new(seed);
        let (vocabulary, width) = (17, 4 * fours + usize::from(odd == 1));
        let values = rounded(&numbers.values(vocabulary * width, 1.0));
        let ids: Vec<i32> = (0..prompts * length)
            .map(|place| (place * 7 % vocabulary) as i32)
            .collect();
        let ids = |device: &Device| -> Tensor<2, Int> {
            Tensor::from_data(TensorData::new(ids.clone(), [prompts, length]), device)
        };
        let places = numbers.tensor([length + 3, width], 1.0);
        let (scale, shift) = (numbers.tensor([width], 1.0), numbers.tensor([width], 1.0));
        let plain = |device: &Device| {
            FrozenMatrix::new(Tensor::from_data(
                TensorData::new(values.clone(), [vocabulary, width]),
                device,
            ))
        };
        let words = if half {
            FrozenMatrix::half(values.clone(), [vocabulary, width], &device)
        } else {
            plain(&device)
        };
        let found = embed(
            ids(&device),
            &words,
            there(&places, &device),
            there(&scale, &device),
            there(&shift, &device),
            1e-12,
        );
        let here = Device::flex();
        // In narrow rows the variance may be almost zero, and dividing by it amplifies rounding
        // errors.
        let tolerance = if width < 8 { 2e-2 } else { 2e-5 };
        assert_near(
            found,
            embed::reference(ids(&here), &plain(&here), places, scale, shift, 1e-12),
            tolerance,
        );
    }

    #[test]
    fn attention_agrees(
        prompts in 1usize..4,
        heads in 1usize..4,
        length in 1usize..80,
        quads in 1usize..9,
        size in prop::sample::select(vec![0.1f32, 3.0]),
        seed: u64,
    ) {
        let Some(device) = gpu() else { return Ok(()) };
        let mut numbers = Numbers::new(seed);
        let shape = [prompts * length, heads * quads * 4];
        let rows = [size, size, 1.0].map(|size| numbers.tensor(shape, size));
        let rows = Tensor::cat(rows.to_vec(), 1);
        // The first key is never masked; others may be padding.
        let mask: Vec<f32> = (0..prompts * length)
            .map(|place| {
                if place % length == 0 || numbers.0.random_bool(0.7) {
                    0.0
                } else {
                    -1e9
                }
            })
            .collect();
        let mask: Tensor<2> =
            Tensor::from_data(TensorData::new(mask, [prompts, length]), &Device::flex());
        let found = attend_rows(there(&rows, &device), there(&mask, &device), heads);
        assert_near(found, attention_rows::reference(rows, mask, heads), 2e-5);
    }

    #[test]
    fn convolutions_agree(
        mut shape in prop::array::uniform3(1usize..12),
        odd in 0usize..8,
        outputs in 1usize..40,
        order in 0usize..6,
        kernel in prop::sample::select(vec![[1usize, 1], [3, 3], [3, 5]]),
        ending in 0..4,
        size in prop::sample::select(vec![1.0f32, 100.0]),
        seed: u64,
    ) {
        let Some(device) = gpu() else { return Ok(()) };
        let mut numbers = Numbers::new(seed);
        let [height, width, channels] = [
            [0, 1, 2],
            [0, 2, 1],
            [1, 0, 2],
            [1, 2, 0],
            [2, 0, 1],
            [2, 1, 0],
        ][order];
        let axes = Axes {
            height,
            width,
            channels,
        };
        // The kernel requires these sizes to be multiples of four; otherwise the reference
        // runs.
        let mut outputs = outputs;
        if odd != 1 {
            shape[channels] *= 4;
        }
        if odd != 2 && channels == 2 {
            outputs *= 4;
        }
        if odd != 2 && channels != 2 {
            shape[2] *= 4;
        }
        let mut result = shape;
        result[channels] = outputs;
        let [input, other] = [shape, result].map(|[a, b, c]| numbers.tensor([1, a, b, c], size));
        let weights = numbers.tensor([outputs, shape[channels], kernel[0], kernel[1]], 1.0);
        let (bias, channel_bias) = (
            numbers.tensor([result[1], result[2]], 1.0),
            numbers.tensor([outputs], 1.0),
        );
        let end = |device: &Device| match ending {
            0 => ConvolutionEpilogue::Identity,
            1 => ConvolutionEpilogue::Combine {
                other: there(&other, device),
                bias: there(&bias, device),
            },
            2 => ConvolutionEpilogue::Bias {
                bias: there(&channel_bias, device),
                residual: None,
            },
            _ => ConvolutionEpilogue::Bias {
                bias: there(&channel_bias, device),
                residual: Some(there(&other, device)),
            },
        };
        let found = convolve::convolve(
            there(&input, &device),
            there(&weights, &device),
            axes,
            end(&device),
        );
        assert_near(
            found,
            convolve::reference(input, weights, axes, end(&Device::flex())),
            1e-5,
        );
    }

    #[test]
    fn mean_embeddings_agree(
        prompts in 1usize..6,
        length in 1usize..9,
        fours in 1usize..150,
        odd in 0usize..8,
        seed: u64,
    ) {
        let Some(device) = gpu() else { return Ok(()) };
        let width = 4 * fours + usize::from(odd == 1);
        let states = Numbers::new(seed).tensor([1, prompts, length, width], 1.0);
        let found = mean_embedding(there(&states, &device));
        assert_near(found, mean_embedding::reference(states), 1e-6);
    }

    #[test]
    fn pooled_tokens_agree(
        prompts in 1usize..9,
        length in 1usize..40,
        fours in 1usize..150,
        odd in 0usize..8,
        queries in 1usize..9,
        size in prop::sample::select(vec![0.1f32, 3.0]),
        seed: u64,
    ) {
        let Some(device) = gpu() else { return Ok(()) };
        let mut numbers = Numbers::new(seed);
        let width = 4 * fours + usize::from(odd == 1);
        // Prompts of different lengths; the first prompts may be padding altogether.
        let lengths: Vec<usize> = (0..prompts)
            .map(|prompt| {
                let fewest = usize::from(prompt + 1 == prompts);
                numbers.0.random_range(fewest..=length)
            })
            .collect();
        let is_token: Vec<f32> = lengths
            .iter()
            .flat_map(|&count| (0..length).map(move |place| f32::from(u8::from(place < count))))
            .collect();
        let is_token = TensorData::new(is_token, [1, prompts, length, 1]);
        let is_token: Tensor<4> = Tensor::from_data(is_token, &Device::flex());
        let tokens = numbers.tensor([1, prompts, length, width], 1.0) * is_token;
        let queries = numbers.tensor([queries, width], size);
        let mean = numbers.tensor([width], 0.3);
        let deviation = numbers.tensor([width], 0.4) + 0.5;
        let found = pool(
            there(&tokens, &device),
            there(&queries, &device),
            there(&mean, &device),
            there(&deviation, &device),
        );
        assert_near(found, pool::reference(tokens, queries, mean, deviation), 5e-5);
    }

    #[test]
    fn expanded_features_agree(
        layers in 1usize..9,
        types in 1usize..4,
        rows in 1usize..5,
        fours in 1usize..12,
        features in 1usize..9,
        seed: u64,
    ) {
        let Some(device) = gpu() else { return Ok(()) };
        let sizes = Sizes {
            layers,
            rows,
            columns: 4 * fours,
            types,
            features: 4 * features,
        };
        ExpansionCase::new(sizes, seed).check(&device);
    }
}

#[test]
fn products_with_quantized_matrices_agree() {
    let Some(device) = gpu() else { return };
    let mut numbers = Numbers::new(2);
    for (blocks, halves, integers) in [(Blocks::Q4_1, 2, 16), (Blocks::Q8_0, 1, 32)] {
        for (rows, columns, row_blocks) in [(1, 5, 1), (1, 192, 18), (4, 8, 9), (7, 33, 3)] {
            let bytes = (0..columns * row_blocks).flat_map(|_| {
                let mut block = Vec::new();
                for _ in 0..halves {
                    let scale = half::f16::from_f32(numbers.0.random_range(-0.1..0.1));
                    block.extend(scale.to_le_bytes());
                }
                block.extend((0..integers).map(|_| numbers.0.random::<u8>()));
                block
            });
            let bytes: Vec<u8> = bytes.collect();
            let matrix = Quantized::new(blocks, &bytes, [columns, 32 * row_blocks]).unwrap();
            let input = numbers.tensor([rows, 32 * row_blocks], 1.0);
            let weights = TensorData::new(matrix.values(), matrix.shape());
            let weights: Tensor<2> = Tensor::from_data(weights, &Device::flex());
            let expected = input.clone().matmul(weights.transpose());
            let matrix = FrozenMatrix::quantized(&Arc::new(matrix), &device).unwrap();
            assert!(matches!(matrix, FrozenMatrix::Quantized(_)));
            let found = matrix.product(there(&input, &device));
            assert_near(found, expected, 1e-4);
        }
    }
}

#[test]
fn layer_norm_with_more_rows_than_workgroups() {
    let Some(device) = gpu() else { return };
    let mut numbers = Numbers::new(1);
    let input = numbers.tensor([70_000, 4], 1.0);
    let (scale, shift) = (numbers.tensor([4], 1.0), numbers.tensor([4], 1.0));
    let found = layer_norm(
        there(&input, &device),
        there(&scale, &device),
        there(&shift, &device),
        1e-3,
    );
    assert_near(
        found,
        layer_norm::reference(input, scale, shift, 1e-3),
        1e-4,
    );
}

#[test]
fn weights_beyond_f16_stay_f32() {
    let Some(device) = gpu() else { return };
    let half = |largest: f32| FrozenMatrix::half(vec![1.0, 2.0, 3.0, largest], [1, 4], &device);
    assert!(matches!(half(65_504.0), FrozenMatrix::Half { .. }));
    assert!(matches!(half(65_600.0), FrozenMatrix::Plain(_)));
}
