//! A Llama model of 2 layers with random weights, as a Hugging Face folder and as GGUF.

use std::collections::BTreeMap;
use std::path::Path;

use dnd_test_support::llama_shapes;
use serde_json::{Value, json};

use crate::gguf::{GgufFile, TensorType};
use crate::tensors::{Weights, floats};

const WEIGHTS: &str = "model.safetensors";
const LAYERS: usize = 2;
const HIDDEN: usize = 64;
const INTERMEDIATE: usize = 128;
const HEADS: usize = 4;
const KEY_VALUE_HEADS: usize = 2;
const HEAD: usize = HIDDEN / HEADS;
const SPECIAL: [&str; 3] = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"];
const VOCABULARY: usize = 256 + SPECIAL.len();
/// Like SmolLM2's: adds a default system message if there is none.
const TEMPLATE: &str = "{% for message in messages %}\
    {% if loop.first and message['role'] != 'system' %}\
    {{ '<|im_start|>system\nBe brief.<|im_end|>\n' }}{% endif %}\
    {{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}\
    {% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

/// All tokens: the bytes in GPT-2's byte-to-unicode mapping, then the special tokens.
fn tokens() -> Vec<String> {
    let printable = |byte: u32| matches!(byte, 33..=126 | 161..=172 | 174..=255);
    let mut spare = 256..;
    let bytes = (0..256).map(|byte| {
        let code = if printable(byte) {
            byte
        } else {
            spare.next().unwrap()
        };
        char::from_u32(code).unwrap().to_string()
    });
    let bytes: Vec<String> = bytes.collect();
    bytes
        .into_iter()
        .chain(SPECIAL.map(str::to_owned))
        .collect()
}

/// Weights by their Hugging Face names, for a model of this hidden size.
fn weights(seed: u64, hidden: usize) -> Weights {
    let keys = KEY_VALUE_HEADS * (hidden / HEADS);
    let mut weights = Weights::new(seed);
    for (name, shape) in llama_shapes(VOCABULARY, [hidden, INTERMEDIATE, keys], LAYERS) {
        match shape.len() {
            1 => weights.filled(&name, &shape, 1.0),
            _ if name.contains("embed") => weights.random(&name, &shape, 0.5),
            _ => weights.random(&name, &shape, 0.2),
        }
    }
    weights
}

/// Writes the model as a folder.
pub fn write_folder(folder: &Path, seed: u64) {
    write_folder_of_width(folder, seed, HIDDEN);
}

/// Writes a model with another hidden size, which the usual adapters do not match.
pub fn write_folder_of_width(folder: &Path, seed: u64, hidden: usize) {
    std::fs::create_dir_all(folder).unwrap();
    let write = |name: &str, value: Value| {
        std::fs::write(folder.join(name), value.to_string()).unwrap();
    };
    write(
        "config.json",
        json!({
            "model_type": "llama", "hidden_act": "silu", "vocab_size": VOCABULARY,
            "hidden_size": hidden, "intermediate_size": INTERMEDIATE,
            "num_hidden_layers": LAYERS, "num_attention_heads": HEADS,
            "num_key_value_heads": KEY_VALUE_HEADS, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
            "tie_word_embeddings": true,
        }),
    );
    write(
        "tokenizer_config.json",
        json!({"eos_token": "<|im_end|>", "chat_template": TEMPLATE}),
    );
    write("tokenizer.json", tokenizer());
    weights(seed, hidden).save(&folder.join(WEIGHTS));
}

/// Writes the weights of [`write_folder`] anew, in bfloat16.
pub fn write_bf16(folder: &Path, seed: u64) {
    weights(seed, HIDDEN).save_bf16(&folder.join(WEIGHTS));
}

/// Byte-level BPE without merges: every byte is a token.
fn tokenizer() -> Value {
    let tokens = tokens();
    let vocabulary: BTreeMap<&String, usize> = tokens.iter().zip(0..).collect();
    let added: Vec<Value> = (256..)
        .zip(SPECIAL)
        .map(|(id, content)| {
            json!({
                "id": id, "content": content, "special": true, "normalized": false,
                "single_word": false, "lstrip": false, "rstrip": false,
            })
        })
        .collect();
    let byte_level = json!({
        "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true,
    });
    json!({
        "version": "1.0", "truncation": null, "padding": null, "normalizer": null,
        "post_processor": null, "added_tokens": added,
        "pre_tokenizer": byte_level, "decoder": byte_level,
        "model": {
            "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
            "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false,
            "vocab": vocabulary, "merges": [],
        },
    })
}

/// The same model as a GGUF file; the embedding is stored as `embedding_type`.
pub fn gguf(seed: u64, embedding_type: TensorType) -> Vec<u8> {
    let mut file = GgufFile::default();
    let tokens = tokens();
    let kinds = (0..VOCABULARY).map(|id| if id < 256 { 1 } else { 3 });
    file.text("general.architecture", "llama");
    file.text("tokenizer.ggml.model", "gpt2");
    file.text("tokenizer.ggml.pre", "smollm");
    file.text("tokenizer.chat_template", TEMPLATE);
    file.texts("tokenizer.ggml.tokens", &tokens);
    file.texts("tokenizer.ggml.merges", &[]);
    file.numbers("tokenizer.ggml.token_type", &kinds.collect::<Vec<u32>>());
    file.float("llama.attention.layer_norm_rms_epsilon", 1e-5);
    file.float("llama.rope.freq_base", 10000.0);
    for (key, value) in [
        ("tokenizer.ggml.eos_token_id", VOCABULARY - 1),
        ("llama.block_count", LAYERS),
        ("llama.embedding_length", HIDDEN),
        ("llama.feed_forward_length", INTERMEDIATE),
        ("llama.attention.head_count", HEADS),
        ("llama.attention.head_count_kv", KEY_VALUE_HEADS),
    ] {
        file.number(key, value as u32);
    }
    for (name, (shape, values)) in weights(seed, HIDDEN).tensors {
        let (kind, bytes) = match (name.as_str(), embedding_type) {
            ("model.embed_tokens.weight", TensorType::IQ4XS) => {
                // The type is rejected before they are read.
                (TensorType::IQ4XS, vec![0; values.len()])
            }
            _ if name.contains("q_proj") || name.contains("k_proj") => {
                (TensorType::F32, floats(&in_llama_cpp_order(&values)))
            }
            _ => (TensorType::F32, floats(&values)),
        };
        file.tensor(&gguf_name(&name), &shape, kind, &bytes);
    }
    file.bytes()
}

/// Rows of q or k as llama.cpp stores them: the two halves of every head interleaved.
fn in_llama_cpp_order(values: &[f32]) -> Vec<f32> {
    let rows: Vec<&[f32]> = values.chunks(HIDDEN).collect();
    let heads = rows.chunks(HEAD);
    heads
        .flat_map(|head| (0..HEAD / 2).flat_map(|pair| [head[pair], head[pair + HEAD / 2]]))
        .flatten()
        .copied()
        .collect()
}

/// llama.cpp's name of a tensor.
fn gguf_name(name: &str) -> String {
    [
        ("model.layers", "blk"),
        ("model.embed_tokens", "token_embd"),
        ("model.norm", "output_norm"),
        ("input_layernorm", "attn_norm"),
        ("post_attention_layernorm", "ffn_norm"),
        ("self_attn.o_proj", "attn_output"),
        ("self_attn.", "attn_"),
        ("mlp.", "ffn_"),
        ("_proj", ""),
    ]
    .iter()
    .fold(name.to_owned(), |name, (from, to)| name.replace(from, to))
}
