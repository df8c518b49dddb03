//! Writes a small text encoder, a matching bundle and a base model, all with random weights. With
//! them, browser tests run the whole pipeline in a second on a software GPU.
//!
//! `small_models DIR` writes `DIR/encoder/{config.json,model.safetensors,tokenizer.json}`,
//! `DIR/bundle.safetensors` and `DIR/base.gguf`, and `other-bundle.safetensors` and
//! `other-base.gguf` for a base model of another name. Use them like the shipped files:
//! `dnd generate --encoder DIR/encoder --bundle DIR/bundle.safetensors`.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::PathBuf;

use burn::tensor::Device;
use dnd_adapter::gguf::{BlockType, GgufWriter};
use dnd_adapter::{
    BaseDimensions, Bundle, BundleHeader, EncoderId, Layout, Precision, Projection, Statistics,
    bundle, tokens,
};
use dnd_model::{ExpansionConfig, GeneratorConfig};
use dnd_test_support::{bert_shapes, random_file};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;
use serde_json::{Value, json};

/// What the bundles call their base models.
const BASE_MODEL: &str = "HuggingFaceTB/SmolLM2-135M-Instruct";
const OTHER_MODEL: &str = "example/Other-Instruct";
/// Prompts per condition, as in the shipped bundle.
const PROMPTS: usize = 32;
const LENGTH: usize = 32;
const HIDDEN: usize = 64;
const INTERMEDIATE: usize = 128;
const LAYERS: usize = 2;
/// The first tokens of the vocabulary; the rest is printable ASCII, one token per character.
const SPECIAL: [&str; 3] = ["[UNK]", "[CLS]", "[SEP]"];

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1);
    let folder = PathBuf::from(folder.ok_or("usage: small_models DIR")?);
    let encoder = folder.join("encoder");
    fs::create_dir_all(&encoder)?;
    let mut random = ChaCha12Rng::seed_from_u64(1);

    let vocabulary = vocabulary();
    let shapes = bert_shapes([vocabulary.len(), 64], [HIDDEN, INTERMEDIATE], LAYERS);
    let weights = random_file(&shapes, 0.4, 1);
    let sha256 = dnd_files::sha256(&weights);
    let config = json!({
        "vocab_size": vocabulary.len(), "hidden_size": HIDDEN, "intermediate_size": INTERMEDIATE,
        "num_hidden_layers": LAYERS, "num_attention_heads": 4, "max_position_embeddings": 64,
        "type_vocab_size": 2, "layer_norm_eps": 1e-12, "hidden_act": "gelu",
    });
    fs::write(encoder.join("config.json"), config.to_string())?;
    fs::write(
        encoder.join("tokenizer.json"),
        tokenizer(&vocabulary).to_string(),
    )?;
    fs::write(encoder.join("model.safetensors"), weights)?;
    let bundle = small_bundle(sha256, BASE_MODEL, &mut random)?;
    fs::write(folder.join("bundle.safetensors"), bundle.write()?)?;
    fs::write(folder.join("base.gguf"), base_model(&mut random)?)?;
    let sha256 = bundle.header.encoder.sha256;
    let other = small_bundle(sha256, OTHER_MODEL, &mut random)?;
    fs::write(folder.join("other-bundle.safetensors"), other.write()?)?;
    fs::write(folder.join("other-base.gguf"), base_model(&mut random)?)?;
    Ok(())
}

fn numbers(count: usize, scale: f32, random: &mut ChaCha12Rng) -> Vec<f32> {
    (0..count)
        .map(|_| random.random_range(-scale..scale))
        .collect()
}

fn vocabulary() -> BTreeMap<String, usize> {
    let letters = (' '..='~').map(String::from);
    let tokens = SPECIAL.map(str::to_owned).into_iter().chain(letters);
    tokens.enumerate().map(|(id, token)| (token, id)).collect()
}

/// A `tokenizer.json` that splits text into characters.
fn tokenizer(vocabulary: &BTreeMap<String, usize>) -> Value {
    let special = SPECIAL.iter().enumerate().map(|(id, token)| {
        json!({
            "id": id, "content": token, "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": false, "special": true,
        })
    });
    let frame = |token: &str| json!({ "SpecialToken": { "id": token, "type_id": 0 } });
    let text = |id: &str| json!({ "Sequence": { "id": id, "type_id": 0 } });
    let entry = |token: &str, id: usize| json!({ "id": token, "ids": [id], "tokens": [token] });
    json!({
        "version": "1.0", "truncation": null, "padding": null, "normalizer": null, "decoder": null,
        "added_tokens": special.collect::<Vec<_>>(),
        "pre_tokenizer": {
            "type": "Split", "pattern": { "Regex": "." }, "behavior": "Isolated", "invert": false,
        },
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [frame("[CLS]"), text("A"), frame("[SEP]")],
            "pair": [frame("[CLS]"), text("A"), frame("[SEP]"), text("B"), frame("[SEP]")],
            "special_tokens": { "[CLS]": entry("[CLS]", 1), "[SEP]": entry("[SEP]", 2) },
        },
        "model": { "type": "WordLevel", "vocab": vocabulary, "unk_token": "[UNK]" },
    })
}

/// Dimensions of the base model.
fn dimensions() -> BaseDimensions {
    BaseDimensions {
        architecture: "llama".to_owned(),
        num_layers: 3,
        hidden_size: 64,
        intermediate_size: 96,
        num_attention_heads: 4,
        num_key_value_heads: 2,
        head_dim: 16,
    }
}

/// A base model that speaks in printable ASCII, one token per character.
fn base_model(random: &mut ChaCha12Rng) -> Result<Vec<u8>, Box<dyn Error>> {
    const STRING: u32 = 8;
    const ARRAY: u32 = 9;
    const INT32: u32 = 5;
    let text = |text: &str| [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat();
    let array = |key: &str, kind: u32, values: Vec<Vec<u8>>| {
        let head = [
            text(key),
            ARRAY.to_le_bytes().to_vec(),
            kind.to_le_bytes().to_vec(),
        ];
        let count = (values.len() as u64).to_le_bytes().to_vec();
        [head.concat(), count, values.concat()].concat()
    };
    let dimensions = dimensions();
    let mut file = GgufWriter::default();
    file.string("general.architecture", &dimensions.architecture);
    for (key, value) in [
        ("block_count", dimensions.num_layers),
        ("embedding_length", dimensions.hidden_size),
        ("feed_forward_length", dimensions.intermediate_size),
        ("attention.head_count", dimensions.num_attention_heads),
        ("attention.head_count_kv", dimensions.num_key_value_heads),
        ("context_length", 512),
    ] {
        file.unsigned(&format!("llama.{key}"), u32::try_from(value)?);
    }
    file.float("llama.attention.layer_norm_rms_epsilon", 1e-5);
    file.float("llama.rope.freq_base", 10_000.0);
    file.string("tokenizer.ggml.model", "gpt2");
    file.string("tokenizer.ggml.pre", "smollm");
    file.string(
        "tokenizer.chat_template",
        "{% for m in messages %}{{ m.content }}\n{% endfor %}",
    );
    file.unsigned("tokenizer.ggml.eos_token_id", 0);
    // Byte-level BPE writes a space and a line break as these letters.
    let letters = ('!'..='~').chain(['\u{120}', '\u{10a}']).map(String::from);
    let tokens = ["<|im_end|>".to_owned(), "<|im_start|>".to_owned()];
    let tokens: Vec<String> = tokens.into_iter().chain(letters).collect();
    let kinds = tokens
        .iter()
        .map(|token| if token.len() > 3 { 3i32 } else { 1 });
    file.copied(&array(
        "tokenizer.ggml.token_type",
        INT32,
        kinds.map(|kind| kind.to_le_bytes().to_vec()).collect(),
    ));
    let names = tokens.iter().map(|token| text(token)).collect();
    file.copied(&array("tokenizer.ggml.tokens", STRING, names));
    file.copied(&array("tokenizer.ggml.merges", STRING, Vec::new()));
    let mut matrix = |file: &mut GgufWriter, name: &str, shape: [usize; 2]| {
        let blocks = shape[0] * shape[1] / 32;
        let block = |_| {
            let scale = half::f16::from_f32(2e-3).to_le_bytes();
            let values: [u8; 32] = random.random();
            [&scale[..], &values].concat()
        };
        let bytes: Vec<u8> = (0..blocks).flat_map(block).collect();
        file.tensor(name, &shape, BlockType::Q8_0, &bytes);
    };
    let ones = |file: &mut GgufWriter, name: &str| {
        let bytes = 1.0f32.to_le_bytes().repeat(dimensions.hidden_size);
        file.tensor(name, &[dimensions.hidden_size], BlockType::F32, &bytes);
    };
    matrix(
        &mut file,
        "token_embd.weight",
        [tokens.len(), dimensions.hidden_size],
    );
    ones(&mut file, "output_norm.weight");
    for layer in 0..dimensions.num_layers {
        for (projection, name) in Projection::ALL.iter().zip([
            "attn_q",
            "attn_k",
            "attn_v",
            "attn_output",
            "ffn_gate",
            "ffn_up",
            "ffn_down",
        ]) {
            let (input, output) = dimensions.projection_shape(*projection);
            matrix(
                &mut file,
                &format!("blk.{layer}.{name}.weight"),
                [output, input],
            );
        }
        for name in ["attn_norm", "ffn_norm"] {
            ones(&mut file, &format!("blk.{layer}.{name}.weight"));
        }
    }
    Ok(file.finish())
}

fn small_bundle(
    encoder: String,
    base_model: &str,
    random: &mut ChaCha12Rng,
) -> Result<Bundle, Box<dyn Error>> {
    let dimensions = dimensions();
    let layout = Layout::new(base_model, &dimensions, 8, 16.0, &Projection::ALL)?;
    let [count, _, width] = tokens::shape(&layout)?;
    let expansion = ExpansionConfig::new(&layout)?;
    let config = GeneratorConfig {
        features: vec![[4, 4, HIDDEN], [16, 2, 32], [expansion.blocks(), 1, 32]],
        kernel_size: 3,
        prompt_kernel_size: 1,
        pooling: true,
        expansion: Some(expansion),
    };
    // Names and shapes come from an initialized generator. The values are random, because its
    // expansion starts at zero.
    let mut tensors = config.init(0, &Device::flex()).to_tensors(Precision::F16)?;
    for (name, tensor) in &mut tensors {
        if !name.starts_with("generator.pooling") {
            tensor.data = numbers(tensor.data.len(), 0.3, random);
        }
    }
    let mut bundle = Bundle {
        header: BundleHeader {
            format: bundle::FORMAT,
            generator: serde_json::to_value(&config)?,
            layout,
            base: Some(dimensions),
            encoder: EncoderId {
                name: "small".to_owned(),
                sha256: encoder,
            },
            prompts: PROMPTS,
            tokens_per_prompt: LENGTH,
            tasks: Vec::new(),
            provenance: json!({ "made_by": "small_models" }),
        },
        tensors,
    };
    let statistics = Statistics {
        mean: numbers(count * 8 * width, 0.05, random),
        scale: vec![0.02; count],
    };
    bundle.set_statistics(&statistics, Precision::F16)?;
    let tasks = ["antonym", "country-capital", "last-letter"].map(|name| {
        let embedding = numbers(HIDDEN, 1.0, random);
        let length = embedding.iter().map(|x| x * x).sum::<f32>().sqrt();
        let embedding = embedding.iter().map(|x| x / length).collect();
        (name.to_owned(), embedding)
    });
    bundle.set_task_embeddings(tasks.to_vec(), Precision::F16)?;
    Ok(bundle)
}
