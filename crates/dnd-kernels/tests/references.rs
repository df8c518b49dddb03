//! Every kernel against its reference in plain burn: values and gradients, over random shapes.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cases;

use std::sync::Arc;

use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};
use dnd_kernels::adamw::{self, AdamW};
use dnd_kernels::epilogue::LinearEpilogue;
use dnd_kernels::expand::Sizes;
use dnd_kernels::linear;
use dnd_kernels::{
    FrozenMatrix, HalfFormat, HalfMatrix, attention, attention_rows, bf16, biased_gelu, gelu,
    layer_norm, rms_norm, rope, silu_mul,
};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;

use cases::ExpansionCase;

/// Random, approximately normal tensors from a seed.
struct Source(ChaCha12Rng);

impl Source {
    fn new(seed: u64) -> Self {
        Self(ChaCha12Rng::seed_from_u64(seed))
    }

    fn random<const D: usize>(&mut self, shape: [usize; D]) -> Tensor<D> {
        let count = shape.iter().product();
        // The sum of four uniform numbers is close enough to normal.
        let values = (0..count).map(|_| (0..4).map(|_| self.0.random_range(-0.87..0.87)).sum());
        let values: Vec<f32> = values.collect();
        Tensor::from_data(TensorData::new(values, shape), &Device::flex())
    }
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.try_into_vec_as::<f32>().unwrap()
}

/// The largest absolute difference, relative to the largest expected value.
fn difference(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let scale = expected
        .iter()
        .fold(1e-6f32, |most, value| most.max(value.abs()));
    let pairs = found.iter().zip(expected);
    pairs.fold(0.0f32, |most, (a, b)| most.max((a - b).abs())) / scale
}

/// The output of `job`, and the gradients of a weighted sum of it with respect to `inputs`.
fn with_gradients<const D: usize, const E: usize>(
    inputs: &[Tensor<D>],
    job: impl Fn(&[Tensor<D>]) -> Tensor<E>,
) -> Vec<Vec<f32>> {
    let leaves: Vec<Tensor<D>> = inputs
        .iter()
        .map(|input| input.clone().autodiff().require_grad())
        .collect();
    let output = job(&leaves);
    let count: usize = output.dims().iter().product();
    let weights: Vec<f32> = (0..count).map(|index| (index as f32 * 0.7).sin()).collect();
    let weights = Tensor::<1>::from_data(weights.as_slice(), &output.device());
    let gradients = (output.clone().reshape([count]) * weights).sum().backward();
    let of_leaves = leaves
        .iter()
        .map(|leaf| values(leaf.grad(&gradients).unwrap()));
    std::iter::once(values(output.inner()))
        .chain(of_leaves)
        .collect()
}

fn assert_same(found: Vec<Vec<f32>>, expected: Vec<Vec<f32>>, tolerance: f32) {
    for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
        let difference = difference(found, expected);
        assert!(difference < tolerance, "output {index}: {difference}");
    }
}

/// Asserts that products with a packed matrix, and their gradients, are those with a plain one, for
/// inputs and LoRA factors.
fn packed_agrees(
    packed: &FrozenMatrix,
    plain: &FrozenMatrix,
    inputs: &[Tensor<2>; 3],
    tolerance: f32,
) {
    let run = |matrix: &FrozenMatrix| {
        with_gradients(inputs, |inputs| {
            matrix.adapted(inputs[0].clone(), inputs[1].clone(), inputs[2].clone(), 2.0)
        })
    };
    assert_same(run(packed), run(plain), tolerance);
    // In the first layer, only the factors track gradients.
    let first = |matrix: &FrozenMatrix| {
        with_gradients(&inputs[1..], |factors| {
            matrix.adapted(
                inputs[0].clone(),
                factors[0].clone(),
                factors[1].clone(),
                2.0,
            )
        })
    };
    assert_same(first(packed), first(plain), tolerance);
    let alone = |matrix: &FrozenMatrix| {
        with_gradients(&inputs[..1], |inputs| matrix.product(inputs[0].clone()))
    };
    assert_same(alone(packed), alone(plain), tolerance);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]


    #[test]
    fn expanded_features_agree(
        layers in 1usize..9,
        types in 1usize..4,
        rows in 1usize..5,
        columns in 1usize..40,
        features in 1usize..30,
        seed: u64,
    ) {
        let sizes = Sizes {
            layers,
            rows,
            columns,
            types,
            features,
        };
        ExpansionCase::new(sizes, seed).check(&Device::flex());
    }

    #[test]
    fn rms_norm_is_its_reference(
        seed: u64,
        rows in 1usize..9,
        width in 2usize..70,
        size in -3i32..4,
    ) {
        let mut source = Source::new(seed);
        let input = source.random([rows, width]) * 10f32.powi(size);
        let weight = source.random([1, width]);
        let epsilon = 1e-5;
        let kernel = with_gradients(std::slice::from_ref(&input), |inputs| {
            rms_norm(inputs[0].clone(), weight.clone(), epsilon)
        });
        let reference = with_gradients(std::slice::from_ref(&input), |inputs| {
            rms_norm::reference(inputs[0].clone(), weight.clone(), epsilon)
        });
        assert_same(kernel, reference, 1e-4);
    }

    #[test]
    fn silu_mul_is_its_reference(
        seed: u64,
        rows in 1usize..9,
        width in 1usize..70,
        size in -1i32..3,
    ) {
        let mut source = Source::new(seed);
        let inputs = [
            source.random([rows, width]) * 10f32.powi(size),
            source.random([rows, width]),
        ];
        let kernel = with_gradients(&inputs, |inputs| {
            silu_mul(inputs[0].clone(), inputs[1].clone())
        });
        let reference = with_gradients(&inputs, |inputs| {
            silu_mul::reference(inputs[0].clone(), inputs[1].clone())
        });
        assert_same(kernel, reference, 1e-5);
    }

    #[test]
    fn biased_gelu_is_its_reference(
        seed: u64,
        rows in 1usize..9,
        width in 1usize..70,
        size in -3i32..3,
    ) {
        let mut source = Source::new(seed);
        let input = source.random([rows, width]) * 10f32.powi(size);
        let bias = source.random([1, width]);
        let found = values(biased_gelu(input.clone(), bias.clone()));
        let expected = values(gelu::reference(input, bias));
        for (found, expected) in found.iter().zip(&expected) {
            assert!(
                (found - expected).abs() < 1e-6 * expected.abs().max(1.0),
                "{found} {expected}"
            );
        }
    }

    #[test]
    fn apply_rope_is_its_reference(
        seed: u64,
        batch in 1usize..4,
        length in 1usize..7,
        heads in 1usize..4,
        half in 1usize..9,
    ) {
        let mut source = Source::new(seed);
        // Both halves of a head have the same angles.
        let angles = source.random([batch, 1, length, half]);
        let angles = Tensor::cat(vec![angles.clone(), angles], 3);
        let (cosine, sine) = (angles.clone().cos(), angles.sin());
        let input = source.random([batch * length, heads * half * 2]);
        let kernel = with_gradients(std::slice::from_ref(&input), |inputs| {
            rope::apply_rope(inputs[0].clone(), cosine.clone(), sine.clone())
        });
        let reference = with_gradients(std::slice::from_ref(&input), |inputs| {
            rope::reference(inputs[0].clone(), cosine.clone(), sine.clone())
        });
        assert_same(kernel, reference, 1e-5);
    }

    #[test]
    fn attend_is_its_reference(
        seed: u64,
        batch in 1usize..4,
        key_heads in 1usize..3,
        group in 1usize..4,
        length in 1usize..20,
        past in 0usize..20,
        head_dim in 1usize..40,
        is_causal: bool,
    ) {
        let mut source = Source::new(seed);
        let (heads, total) = (key_heads * group, past + length);
        let inputs = [
            source.random([batch, heads, length, head_dim]),
            source.random([batch, key_heads, total, head_dim]),
            source.random([batch, key_heads, total, head_dim]),
        ];
        let lines = if is_causal { length } else { 1 };
        let mask: Vec<f32> = (0..batch * lines * total)
            .map(|index| {
                let (line, column) = (index / total % lines, index % total);
                let is_seen = if is_causal {
                    column <= past + line
                } else {
                    column % 5 != 3
                };
                if is_seen { 0.0 } else { -1e9 }
            })
            .collect();
        let mask = Tensor::<1>::from_data(mask.as_slice(), &Device::flex())
            .reshape([batch, 1, lines, total]);
        let run = |attend: fn(Tensor<4>, Tensor<4>, Tensor<4>, Tensor<4>) -> Tensor<2>| {
            with_gradients(&inputs, |inputs| {
                attend(
                    inputs[0].clone(),
                    inputs[1].clone(),
                    inputs[2].clone(),
                    mask.clone(),
                )
            })
        };
        assert_same(run(attention::attend), run(attention::reference), 1e-4);
    }

    #[test]
    fn adamw_is_its_reference(
        seed: u64,
        rows in 1usize..200,
        width in 1usize..200,
        time in 1usize..50,
        decay in 0f32..0.5,
    ) {
        let mut source = Source::new(seed);
        let [parameter, first, second, gradient] = [(); 4].map(|()| source.random([rows, width]));
        let step = AdamW {
            rate: 1e-2,
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-8,
            weight_decay: decay,
            time,
        };
        let state = [parameter, first, second.abs()];
        let found = adamw::adamw(step, state.clone(), gradient.clone());
        let expected = adamw::reference(step, state, gradient);
        assert_same(
            found.map(values).to_vec(),
            expected.map(values).to_vec(),
            1e-5,
        );
    }

    #[test]
    fn packed_products_are_those_of_plain_matrices(
        seed: u64,
        rows in 1usize..70,
        depth in 1usize..100,
        width in 1usize..100,
        rank in 1usize..10,
    ) {
        let mut source = Source::new(seed);
        let weight = source.random([width, depth]);
        let numbers = values(weight.clone());
        let inputs = [
            source.random([rows, depth]),
            source.random([rank, depth]),
            source.random([width, rank]),
        ];
        let packed = FrozenMatrix::packed_f32(&numbers, [width, depth]);
        packed_agrees(&packed, &FrozenMatrix::new(weight), &inputs, 1e-5);
        let halves: Vec<half::bf16> = numbers.iter().map(|x| half::bf16::from_f32(*x)).collect();
        let rounded: Vec<f32> = halves.iter().map(|half| half.to_f32()).collect();
        let plain = Tensor::<1>::from_data(rounded.as_slice(), &Device::flex());
        let plain = FrozenMatrix::new(plain.reshape([width, depth]));
        let bytes: Vec<u8> = halves.iter().flat_map(|half| half.to_le_bytes()).collect();
        let stored = HalfMatrix::new(HalfFormat::Bf16, Arc::new(bytes), 0, [width, depth]);
        packed_agrees(&FrozenMatrix::stored_half(stored.unwrap()), &plain, &inputs, 1e-5);
        if !bf16::is_available() {
            println!("skipped in bfloat16: this CPU has no AMX");
            return Ok(());
        }
        let packed = FrozenMatrix::packed_bf16(&numbers, [width, depth]).unwrap();
        // The left operand and the gradients of outputs are also rounded.
        packed_agrees(&packed, &plain, &inputs, 2e-2);
        // Numbers that bfloat16 represents exactly are multiplied exactly.
        let whole = inputs[0].clone().round();
        let (found, expected) = (packed.product(whole.clone()), plain.product(whole));
        assert!(difference(&values(found), &values(expected)) < 1e-5);
    }

    #[test]
    fn cross_entropies_are_those_of_all_logits(
        seed: u64,
        rows in 1usize..70,
        depth in 1usize..40,
        width in 2usize..100,
    ) {
        let mut source = Source::new(seed);
        let weight = source.random([width, depth]) * 3.0;
        let hidden = source.random([rows, depth]);
        let packed = FrozenMatrix::packed_f32(&values(weight.clone()), [width, depth]);
        let answers: Vec<u32> = (0..rows).map(|row| (row * 7 % width) as u32).collect();
        let found = with_gradients(std::slice::from_ref(&hidden), |hidden| {
            packed.cross_entropy(hidden[0].clone(), answers.clone()).unwrap()
        });
        let ids: Vec<i32> = answers.iter().map(|id| *id as i32).collect();
        let ids = Tensor::<2, Int>::from_data(TensorData::new(ids, [rows, 1]), &Device::flex());
        let expected = with_gradients(&[hidden], |hidden| {
            let device = hidden[0].device();
            let weight = weight.clone().to_device(&device);
            let logits = hidden[0].clone().matmul(weight.transpose());
            let ids = ids.clone().to_device(&device);
            -log_softmax(logits, 1).gather(1, ids).reshape([rows])
        });
        assert_same(found, expected, 1e-4);
    }
}

proptest! {

    #[test]
    fn packed_layers_agree(
        rows in 1usize..60,
        output in 1usize..100,
        input in 1usize..1100,
        after in 0..3,
        seed: u64,
    ) {
        let mut source = Source::new(seed);
        let values: Tensor<2> = source.random([output, input]);
        let (rows, bias) = (source.random([rows, input]), source.random([1, output]));
        let residual = source.random([rows.dims()[0], output]);
        let follows = || match after {
            0 => LinearEpilogue::Identity,
            1 => LinearEpilogue::Gelu,
            _ => LinearEpilogue::Residual(residual.clone()),
        };
        let numbers = values.clone().try_into_vec_as::<f32>().unwrap();
        let packed = FrozenMatrix::inference(numbers, [output, input], &Device::flex());
        prop_assert!(matches!(packed, FrozenMatrix::Blocked(_)));
        let plain = FrozenMatrix::new(values);
        let found = linear(rows.clone(), &packed, bias.clone(), follows());
        let expected = linear::reference(rows.clone(), &plain, bias, follows());
        assert_same(
            vec![found.try_into_vec_as().unwrap()],
            vec![expected.try_into_vec_as().unwrap()],
            1e-5,
        );
        let (found, expected) = (packed.product(rows.clone()), plain.product(rows));
        assert_same(
            vec![found.try_into_vec_as().unwrap()],
            vec![expected.try_into_vec_as().unwrap()],
            1e-5,
        );
    }
}

proptest! {

    #[test]
    fn rows_of_attention_and_norms_agree(
        prompts in 1usize..4,
        length in 1usize..40,
        heads in 1usize..4,
        width in 1usize..40,
        seed: u64,
    ) {
        let mut source = Source::new(seed);
        let shape = [prompts * length, 3 * heads * width];
        let rows = source.random(shape);
        let mask = source.random([prompts, length]);
        let found = attention_rows::attend_rows(rows.clone(), mask.clone(), heads);
        let expected = attention_rows::reference(rows.clone(), mask, heads);
        assert_same(vec![values(found)], vec![values(expected)], 1e-5);
        let (scale, shift) = (source.random([shape[1]]), source.random([shape[1]]));
        let found = layer_norm(rows.clone(), scale.clone(), shift.clone(), 1e-5);
        let expected = layer_norm::reference(rows, scale, shift, 1e-5);
        assert_same(vec![values(found)], vec![values(expected)], 1e-5);
    }
}
