//! Compares the models with tensors computed by PyTorch, transformers, peft and the published
//! generator.
//!
//! The tensors are in `../shared/fixtures`, outside the repository. A test without its tensors
//! or models is skipped and prints why.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Int, Tensor, TensorData};
use dnd_adapter::gguf::Gguf;
use dnd_adapter::{BundleTensor, Precision, peft};
use dnd_model::language::{
    Cache, CompletionOptions, LanguageTokenizer, MatmulDtype, Message, PromptCache, TokenBatch,
    complete,
};
use dnd_model::sampling::Sampling;
use dnd_model::{
    GeneratorConfig, LanguageModel, LanguageModelConfig, Lora, TextEncoderConfig, Weights,
};
use safetensors::SafeTensors;

/// A fixture's path, or `None` with a printed reason.
fn fixture(name: &str) -> Option<PathBuf> {
    let shared = std::env::var_os("DND_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let path = shared.join("fixtures").join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: ../shared/fixtures/{name} is absent");
    None
}

/// A model file's path in the cache, or `None` with a printed reason.
fn model_file(name: &str) -> Option<PathBuf> {
    let cache = std::env::var_os("DND_CACHE")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("XDG_CACHE_HOME").map(|home| Path::new(&home).join("dnd")))
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache/dnd")))?;
    let path = cache.join("models").join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: models/{name} is not in the cache; run `cargo xtask setup`");
    None
}

struct Tensors {
    values: HashMap<String, (Vec<usize>, Vec<f32>)>,
    integers: HashMap<String, Vec<u32>>,
    metadata: HashMap<String, String>,
}

fn read_tensors(path: &Path) -> Tensors {
    let bytes = std::fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let mut tensors = Tensors {
        values: HashMap::new(),
        integers: HashMap::new(),
        metadata: header.metadata().clone().unwrap_or_default(),
    };
    for (name, view) in file.iter() {
        let words = view
            .data()
            .chunks_exact(4)
            .map(|b| [b[0], b[1], b[2], b[3]]);
        match view.dtype() {
            safetensors::Dtype::F32 => {
                let values = words.map(f32::from_le_bytes).collect();
                tensors
                    .values
                    .insert(name.to_owned(), (view.shape().to_vec(), values));
            }
            safetensors::Dtype::I32 => {
                let values = words.map(u32::from_le_bytes).collect();
                tensors.integers.insert(name.to_owned(), values);
            }
            safetensors::Dtype::I64 => {
                let (longs, _) = view.data().as_chunks::<8>();
                let values = longs.iter().map(|&bytes| i64::from_le_bytes(bytes) as u32);
                tensors.integers.insert(name.to_owned(), values.collect());
            }
            other => panic!("{name}: {other:?}"),
        }
    }
    tensors
}

fn tensor<const D: usize>(values: &(Vec<usize>, Vec<f32>)) -> Tensor<D> {
    let shape: [usize; D] = values.0.clone().try_into().unwrap();
    Tensor::from_data(TensorData::new(values.1.clone(), shape), &Device::flex())
}

fn read<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.try_into_vec_as::<f32>().unwrap()
}

fn assert_close(found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len());
    let largest = found
        .iter()
        .zip(expected)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max);
    assert!(largest <= tolerance, "largest difference {largest}");
    println!("largest difference {largest}");
}

#[test]
fn encoder_agrees_with_transformers() {
    let (Some(fixture), Some(weights), Some(config)) = (
        fixture("minilm_l6_hidden.safetensors"),
        model_file("all-minilm-l6-v2/model.safetensors"),
        model_file("all-minilm-l6-v2/config.json"),
    ) else {
        return;
    };
    let expected = read_tensors(&fixture);
    let bytes = std::fs::read(weights).unwrap();
    let weights = Weights::from_safetensors(&bytes, "model.safetensors").unwrap();
    let config = std::fs::read_to_string(config).unwrap();
    let device = Device::flex();
    let encoder = TextEncoderConfig::from_json(&config, "config.json")
        .unwrap()
        .load(&weights, &device)
        .unwrap();
    let shape = [3, 21];
    let ids: Vec<i32> = expected.integers["input_ids"]
        .iter()
        .map(|&id| id as i32)
        .collect();
    let ids: Tensor<2, Int> = Tensor::from_data(TensorData::new(ids, shape), &device);
    let mask: Vec<f32> = expected.integers["attention_mask"]
        .iter()
        .map(|&bit| bit as f32)
        .collect();
    let states = encoder.forward(
        ids,
        Tensor::from_data(TensorData::new(mask.clone(), shape), &device),
    );
    // States at padding are meaningless.
    let keep = |values: Vec<f32>| -> Vec<f32> {
        values
            .chunks(384)
            .zip(&mask)
            .filter(|(_, bit)| **bit == 1.0)
            .flat_map(|(row, _)| row.to_vec())
            .collect()
    };
    assert_close(
        &keep(read(states)),
        &keep(expected.values["last_hidden_state"].1.clone()),
        1e-4,
    );
}

fn generator_agrees(name: &str) {
    let Some(fixture) = fixture(name) else { return };
    let expected = read_tensors(&fixture);
    let kernel_size = expected.metadata["kernel_size"].parse().unwrap();
    let config = GeneratorConfig {
        features: serde_json::from_str(&expected.metadata["features"]).unwrap(),
        kernel_size,
        prompt_kernel_size: kernel_size,
        pooling: false,
        expansion: None,
    };
    let names = [
        ("linear1.norm.weight", "norm_weight"),
        ("linear1.norm.bias", "norm_bias"),
        ("linear1.conv1w.weight", "width_first_width"),
        ("linear1.conv1h.weight", "width_first_height"),
        ("linear1.conv2h.weight", "height_first_height"),
        ("linear1.conv2w.weight", "height_first_width"),
        ("linear1.bias", "bias"),
        ("linear2.weight", "mix_weight"),
        ("linear2.bias", "mix_bias"),
    ];
    let mut weights = std::collections::BTreeMap::new();
    for layer in 0..config.features.len() - 1 {
        for (theirs, ours) in names {
            let (shape, data) =
                &expected.values[&format!("weights.decoder.module_list.{layer}.{theirs}")];
            weights.insert(
                format!("generator.{layer}.{ours}"),
                BundleTensor {
                    shape: shape.clone(),
                    data: data.clone(),
                    storage: Precision::F32.into(),
                },
            );
        }
    }
    let generator = config.load(&weights, name, &Device::flex()).unwrap();
    let output = generator.forward(tensor(&expected.values["input"]));
    assert_close(&read(output), &expected.values["output"].1, 1e-4);
}

#[test]
fn generator_agrees_with_the_published_code() {
    generator_agrees("hyperconv_tiny.safetensors");
}

#[test]
fn generator_agrees_with_the_published_code_at_kernel_9() {
    generator_agrees("hyperconv_k9.safetensors");
}

fn logits(model: &LanguageModel, ids: &[u32], lora: Option<&Lora>) -> Vec<Vec<f32>> {
    let batch = TokenBatch::after_prefix(&[ids], 0);
    let hidden = model.forward(&batch, lora, &mut Cache::default());
    let vocabulary = model.config().vocab_size;
    read(model.logits(hidden))
        .chunks(vocabulary)
        .map(<[f32]>::to_vec)
        .collect()
}

/// Qwen2, Qwen3 with its norms of queries and keys and a head size of its own, and Llama 3's
/// rotary scaling.
#[test]
fn small_models_agree_with_transformers() {
    for name in ["tiny_qwen2", "tiny_qwen3", "tiny_llama3_rope"] {
        if let Some(folder) = fixture(name) {
            agrees_with_transformers(&folder);
        }
    }
}

fn agrees_with_transformers(folder: &Path) {
    let bytes = std::fs::read(folder.join("model.safetensors")).unwrap();
    let weights = Weights::from_safetensors(&bytes, "model.safetensors").unwrap();
    let config = std::fs::read_to_string(folder.join("config.json")).unwrap();
    let model = LanguageModelConfig::from_json(&config, "config.json")
        .unwrap()
        .load(&weights, MatmulDtype::F32, &Device::flex())
        .unwrap();
    let expected = read_tensors(&folder.join("expected.safetensors"));
    let width = expected.integers["ids"].len() / 2;
    let rows = expected.integers["ids"].chunks(width);
    let found: Vec<f32> = rows
        .flat_map(|ids| logits(&model, ids, None).concat())
        .collect();
    assert_close(&found, &expected.values["logits"].1, 2e-3);
}

fn smollm2<R>(run: impl FnOnce(&LanguageModel, &LanguageTokenizer) -> R) -> Option<R> {
    let path = model_file("smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf")?;
    let bytes = std::fs::read(path).unwrap();
    let gguf = Gguf::parse(&bytes, "smollm2.gguf").unwrap();
    let tokenizer = LanguageTokenizer::from_gguf(&gguf, "smollm2.gguf").unwrap();
    let config = LanguageModelConfig::from_gguf(&gguf, "smollm2.gguf").unwrap();
    let weights = Weights::from_gguf(gguf, "smollm2.gguf").unwrap();
    let model = config
        .load(&weights, MatmulDtype::F32, &Device::flex())
        .unwrap();
    Some(run(&model, &tokenizer))
}

fn check_logits(model: &LanguageModel, ids: &Tensors, expected: &Tensors, lora: Option<&Lora>) {
    for text in 0..3 {
        let ids = &ids.integers[&format!("{text}.ids")];
        let rows = logits(model, ids, lora);
        let last = &expected.values[&format!("{text}.last_logits")].1;
        assert_close(&rows[rows.len() - 1], last, 2e-3);
        let mut mean = vec![0.0f64; last.len()];
        for row in &rows {
            for (sum, value) in mean.iter_mut().zip(row) {
                *sum += f64::from(*value) / rows.len() as f64;
            }
        }
        let mean: Vec<f32> = mean.into_iter().map(|value| value as f32).collect();
        let expected = &expected.values[&format!("{text}.mean_logits")].1;
        assert_close(&mean, expected, 2e-3);
    }
}

#[test]
fn smollm2_agrees_with_transformers_with_and_without_an_adapter() {
    let (Some(base), Some(adapted), Some(adapter)) = (
        fixture("smollm2_135m_logits.safetensors"),
        fixture("peft_adapter_logits.safetensors"),
        fixture("peft_adapter"),
    ) else {
        return;
    };
    smollm2(|model, tokenizer| {
        let base = read_tensors(&base);
        for text in 0..3 {
            let ids = tokenizer
                .encode(&base.metadata[&format!("{text}.text")])
                .unwrap();
            assert_eq!(ids, base.integers[&format!("{text}.ids")]);
        }
        check_logits(model, &base, &base, None);
        let config = std::fs::read(adapter.join("adapter_config.json")).unwrap();
        let weights = std::fs::read(adapter.join("adapter_model.safetensors")).unwrap();
        let adapter = peft::read(
            &config,
            "adapter_config.json",
            &weights,
            "adapter_model.safetensors",
        )
        .unwrap();
        let lora = Lora::from_adapter(&adapter, model.device());
        check_logits(model, &base, &read_tensors(&adapted), Some(&lora));

        let options = CompletionOptions {
            max_tokens: 24,
            sampling: Sampling::Greedy,
        };
        let prompt = &base.integers["2.ids"];
        let mut cached = PromptCache::default();
        let mut ask = |prompt: &[u32]| {
            let mut streamed = String::new();
            let on_text = async |text: &str| {
                streamed.push_str(text);
                true
            };
            let cached = &mut cached;
            let answer = complete(model, tokenizer, prompt, None, options, cached, on_text);
            let answer = futures_lite::future::block_on(answer).unwrap();
            assert_eq!(answer.text, streamed);
            answer.text
        };
        let expected = &base.metadata["greedy"];
        let expected = expected.strip_prefix(&base.metadata["2.text"]).unwrap();
        assert_eq!(ask(prompt), expected);
        // Again, from a cache that holds another prompt with the same beginning.
        ask(&[&prompt[..prompt.len() / 2], &prompt[..1]].concat());
        assert_eq!(ask(prompt), expected);
    });
}

#[test]
fn smollm2_tokenizer_and_chat_template_agree_with_transformers() {
    let Some(fixture) = fixture("smollm2_tokens.json") else {
        return;
    };
    let Some(path) = model_file("smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf") else {
        return;
    };
    let bytes = std::fs::read(path).unwrap();
    let gguf = Gguf::parse(&bytes, "smollm2.gguf").unwrap();
    let tokenizer = LanguageTokenizer::from_gguf(&gguf, "smollm2.gguf").unwrap();
    let expected: serde_json::Value =
        serde_json::from_slice(&std::fs::read(fixture).unwrap()).unwrap();
    for case in expected["tokens"].as_array().unwrap() {
        let text = case["text"].as_str().unwrap();
        let ids: Vec<u32> = serde_json::from_value(case["ids"].clone()).unwrap();
        assert_eq!(tokenizer.encode(text).unwrap(), ids, "{text:?}");
    }
    for case in expected["chat"].as_array().unwrap() {
        let messages: Vec<Message> = serde_json::from_value(case["messages"].clone()).unwrap();
        assert_eq!(
            tokenizer.render(&messages).unwrap(),
            case["text"].as_str().unwrap()
        );
    }
}
