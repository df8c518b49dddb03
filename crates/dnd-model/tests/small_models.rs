//! Tests properties of the models on small ones with random weights.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use burn::tensor::{Device, Distribution, Int, Tensor, TensorData};
use dnd_adapter::{Adapter, Factors, Layout, Precision, Projection};
use dnd_model::language::{Cache, MatmulDtype, TokenBatch};
use dnd_model::{
    Error, GeneratorConfig, LanguageModel, LanguageModelConfig, Lora, TextEncoder,
    TextEncoderConfig, Weights,
};
use dnd_test_support::{bert_shapes, llama_shapes, random_file};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;

const LANGUAGE_MODEL: &str = r#"{
    "model_type": "qwen2", "vocab_size": 50, "hidden_size": 32, "intermediate_size": 48,
    "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
    "rms_norm_eps": 1e-6, "rope_theta": 10000.0, "hidden_act": "silu"
}"#;

const ENCODER: &str = r#"{
    "vocab_size": 40, "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2,
    "num_attention_heads": 2, "max_position_embeddings": 24, "type_vocab_size": 2,
    "layer_norm_eps": 1e-12, "hidden_act": "gelu"
}"#;

fn language_model() -> LanguageModel {
    language_model_with(MatmulDtype::F32).unwrap()
}

fn language_model_with(matmul_dtype: MatmulDtype) -> Result<LanguageModel, Error> {
    let mut shapes = llama_shapes(50, [32, 48, 16], 2);
    for layer in 0..2 {
        let name = format!("model.layers.{layer}.self_attn.q_proj.bias");
        shapes.push((name, vec![32]));
    }
    let bytes = random_file(&shapes, 0.4, 1);
    LanguageModelConfig::from_json(LANGUAGE_MODEL, "config.json")
        .unwrap()
        .load(
            &Weights::from_safetensors(&bytes, "model.safetensors").unwrap(),
            matmul_dtype,
            &Device::flex(),
        )
}

fn encoder() -> TextEncoder {
    let bytes = random_file(&bert_shapes([40, 24], [16, 32], 2), 0.4, 1);
    TextEncoderConfig::from_json(ENCODER, "config.json")
        .unwrap()
        .load(
            &Weights::from_safetensors(&bytes, "model.safetensors").unwrap(),
            &Device::flex(),
        )
        .unwrap()
}

fn random_adapter(model: &LanguageModel, targets: &[Projection]) -> Adapter {
    let layout = Layout::new("small", &model.config().dimensions, 4, 8.0, targets).unwrap();
    let mut random = ChaCha12Rng::seed_from_u64(2);
    let mut values = |count| (0..count).map(|_| random.random_range(-0.3..0.3)).collect();
    let factors = layout
        .modules
        .iter()
        .map(|module| Factors {
            a: values(module.rank * module.in_features),
            b: values(module.rank * module.out_features),
        })
        .collect();
    Adapter::new(layout, factors).unwrap()
}

fn read<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.try_into_vec_as::<f32>().unwrap()
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max)
}

/// Hidden states of one sequence, computed in one pass.
fn whole(model: &LanguageModel, ids: &[u32], lora: Option<&Lora>) -> Vec<f32> {
    let batch = TokenBatch::after_prefix(&[ids], 0);
    read(model.forward(&batch, lora, &mut Cache::default()))
}

#[test]
fn products_in_bfloat16_are_near_or_refused() {
    match language_model_with(MatmulDtype::fastest(&Device::flex())) {
        Ok(fast) => {
            let exact = language_model();
            let lora =
                Lora::from_adapter(&random_adapter(&exact, &Projection::ALL), exact.device());
            let ids = [3, 14, 15, 9, 26, 5];
            let expected = whole(&exact, &ids, Some(&lora));
            let found = whole(&fast, &ids, Some(&lora));
            let size = expected
                .iter()
                .fold(0.0f32, |most, value| most.max(value.abs()));
            assert!(largest_difference(&found, &expected) < 0.05 * size);
        }
        Err(error) => panic!("{error}"),
    }
    let asked = language_model_with(MatmulDtype::Bf16);
    match (asked, MatmulDtype::fastest(&Device::flex())) {
        (Ok(_), MatmulDtype::Bf16) => {}
        (Err(error), MatmulDtype::F32) => {
            assert!(error.to_string().contains("Intel AMX"), "{error}")
        }
        (asked, fastest) => panic!(
            "{fastest:?} is fastest, and bfloat16 gave {}",
            asked.is_ok()
        ),
    }
}

#[test]
fn a_cache_changes_nothing() {
    let model = language_model();
    let lora = Lora::from_adapter(&random_adapter(&model, &Projection::ALL), model.device());
    let ids = [3, 14, 15, 9, 26, 5];
    let expected = whole(&model, &ids, Some(&lora));
    let mut cache = Cache::default();
    let mut found = Vec::new();
    for part in [&ids[..3], &ids[3..4], &ids[4..]] {
        let batch = TokenBatch::after_prefix(&[part], cache.len());
        found.extend(read(model.forward(&batch, Some(&lora), &mut cache)));
    }
    assert!(largest_difference(&found, &expected) < 1e-5);
}

#[test]
fn a_shared_prefix_and_padding_change_nothing() {
    let model = language_model();
    let prefix = [7, 8, 9];
    let rows: [&[u32]; 3] = [&[1], &[2, 3, 4, 5], &[6, 7]];
    let mut cache = Cache::default();
    model.forward(&TokenBatch::after_prefix(&[&prefix], 0), None, &mut cache);
    let batch = TokenBatch::after_prefix(&rows, prefix.len());
    let found = read(model.forward(&batch, None, &mut cache));
    for (index, row) in rows.iter().enumerate() {
        let ids = [&prefix, *row].concat();
        let expected = &whole(&model, &ids, None)[prefix.len() * 32..];
        let found = &found[index * 4 * 32..][..expected.len()];
        assert!(largest_difference(found, expected) < 1e-5, "row {index}");
    }
}

#[test]
fn an_adapter_acts_on_its_projections_alone() {
    let model = language_model();
    let ids = [1, 2, 3];
    let base = whole(&model, &ids, None);
    for target in Projection::ALL {
        let adapter = random_adapter(&model, &[target]);
        let lora = Lora::from_adapter(&adapter, model.device());
        let found = whole(&model, &ids, Some(&lora));
        assert!(largest_difference(&found, &base) > 1e-4, "{target:?}");
        let zeros = Adapter::zeros(adapter.layout);
        let lora = Lora::from_adapter(&zeros, model.device());
        assert_eq!(whole(&model, &ids, Some(&lora)), base, "{target:?}");
    }
}

#[test]
fn gradients_of_the_adapter_are_slopes_of_the_loss() {
    let model = language_model();
    let adapter = random_adapter(&model, &[Projection::Query, Projection::Down]);
    let device = Device::flex().autodiff();
    let loss = |a: Tensor<2>, adapter: &Adapter| {
        let tensors = adapter.layout.modules.iter().zip(&adapter.factors);
        let tensors: Vec<(Tensor<2>, Tensor<2>)> = tensors
            .enumerate()
            .map(|(index, (module, factors))| {
                let tensor = |values: &[f32], shape: [usize; 2]| {
                    Tensor::from_data(TensorData::new(values.to_vec(), shape), &device)
                };
                let stored = tensor(&factors.a, [module.rank, module.in_features]);
                (
                    if index == 0 { a.clone() } else { stored },
                    tensor(&factors.b, [module.out_features, module.rank]),
                )
            })
            .collect();
        let lora = Lora::from_tensors(&adapter.layout, tensors);
        let batch = TokenBatch::after_prefix(&[&[4, 5, 6, 7]], 0);
        let hidden = model.forward(&batch, Some(&lora), &mut Cache::default());
        hidden.slice([3..4, 0..8]).square().sum()
    };
    let tensor = |values: &[f32]| {
        Tensor::<2>::from_data(TensorData::new(values.to_vec(), [4, 32]), &device).require_grad()
    };
    let a = tensor(&adapter.factors[0].a);
    let gradient = read(a.grad(&loss(a.clone(), &adapter).backward()).unwrap());
    for index in [0, 37, 101] {
        let value = |step: f32| {
            let mut values = adapter.factors[0].a.clone();
            values[index] += step;
            loss(tensor(&values), &adapter).into_scalar::<f32>()
        };
        let slope = (value(1e-2) - value(-1e-2)) / 2e-2;
        let tolerance = 1e-2 * gradient[index].abs().max(0.1);
        assert!(
            (slope - gradient[index]).abs() < tolerance,
            "{slope} {}",
            gradient[index]
        );
    }
}

#[test]
fn padding_does_not_change_encoded_prompts() {
    let encoder = encoder();
    let device = Device::flex();
    let encode = |ids: &[i32], mask: &[f32]| {
        let shape = [1, ids.len()];
        let ids: Tensor<2, Int> = Tensor::from_data(TensorData::new(ids.to_vec(), shape), &device);
        let mask = Tensor::from_data(TensorData::new(mask.to_vec(), shape), &device);
        read(encoder.forward(ids, mask))
    };
    let short = encode(&[5, 6, 7], &[1.0; 3]);
    let padded = encode(&[5, 6, 7, 0, 0], &[1.0, 1.0, 1.0, 0.0, 0.0]);
    assert!(largest_difference(&short, &padded[..short.len()]) < 1e-5);
}

#[test]
fn untrained_generator_is_zero_and_weights_round_trip() {
    let config = GeneratorConfig {
        features: vec![[4, 6, 8], [4, 6, 8], [10, 2, 12]],
        kernel_size: 3,
        prompt_kernel_size: 1,
        pooling: false,
        expansion: None,
    };
    let device = Device::flex();
    let generator = config.init(3, &device);
    let condition = Tensor::random([2, 4, 6, 8], Distribution::Default, &device);
    let output = generator.forward(condition.clone());
    assert_eq!(output.dims(), [2, 10, 2, 12]);
    assert!(read(output).iter().all(|value| *value == 0.0));

    // Weights survive a round trip. With a nonzero last layer, the output depends on the
    // condition.
    let mut tensors = generator.to_tensors(Precision::F32).unwrap();
    for value in &mut tensors.get_mut("generator.1.mix_weight").unwrap().data {
        *value = 0.5;
    }
    let other = config.load(&tensors, "bundle", &device).unwrap();
    assert_eq!(other.to_tensors(Precision::F32).unwrap(), tensors);
    let changed = condition.clone().flip([2]);
    let output = read(other.forward(condition));
    let changed = read(other.forward(changed));
    assert!(largest_difference(&output, &changed) > 1e-3);

    let mut wrong = tensors.clone();
    wrong.get_mut("generator.0.bias").unwrap().shape = vec![8, 6];
    let message = config.load(&wrong, "my.bundle", &device);
    let message = message.unwrap_err().to_string();
    assert!(message.contains("my.bundle") && message.contains("generator.0.bias"));
}
