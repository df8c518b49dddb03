//! A BERT of one layer with random weights, as a Hugging Face folder.

use std::collections::BTreeMap;
use std::path::Path;

use dnd_test_support::bert_shapes;
use serde_json::{Value, json};

use crate::tensors::Weights;

const HIDDEN: usize = 32;
const INTERMEDIATE: usize = 64;
/// Maximum sequence length.
pub const POSITIONS: usize = 128;

/// Word pieces of one character, initial and continuing, so that any lower-case word can be
/// encoded.
fn vocabulary() -> Vec<String> {
    let characters = || ('a'..='z').chain('0'..='9').chain(".,:?!'".chars());
    let special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"].map(str::to_owned);
    let whole = characters().map(String::from);
    let continuing = characters().map(|character| format!("##{character}"));
    special.into_iter().chain(whole).chain(continuing).collect()
}

/// Writes the encoder's folder.
pub fn write_folder(folder: &Path, seed: u64) {
    std::fs::create_dir_all(folder).unwrap();
    let write = |name: &str, value: Value| {
        std::fs::write(folder.join(name), value.to_string()).unwrap();
    };
    let vocabulary = vocabulary();
    write(
        "config.json",
        json!({
            "model_type": "bert", "hidden_act": "gelu", "vocab_size": vocabulary.len(),
            "hidden_size": HIDDEN, "intermediate_size": INTERMEDIATE, "num_hidden_layers": 1,
            "num_attention_heads": 2, "max_position_embeddings": POSITIONS,
            "type_vocab_size": 2, "layer_norm_eps": 1e-12,
        }),
    );
    write("tokenizer.json", tokenizer(&vocabulary));
    weights(seed, vocabulary.len()).save(&folder.join("model.safetensors"));
}

fn tokenizer(vocabulary: &[String]) -> Value {
    let ids: BTreeMap<&String, usize> = vocabulary.iter().zip(0..).collect();
    let special = |id: &str| json!({"SpecialToken": {"id": id, "type_id": 0}});
    let sequence = |id: &str| json!({"Sequence": {"id": id, "type_id": 0}});
    let named = |id: usize| json!({"id": vocabulary[id], "ids": [id], "tokens": [vocabulary[id]]});
    json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
        "normalizer": {
            "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
            "strip_accents": null, "lowercase": true,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [special("[CLS]"), sequence("A"), special("[SEP]")],
            "pair": [special("[CLS]"), sequence("A"), special("[SEP]"), sequence("B")],
            "special_tokens": {"[CLS]": named(2), "[SEP]": named(3)},
        },
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
        "model": {
            "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": ids,
        },
    })
}

fn weights(seed: u64, vocabulary: usize) -> Weights {
    let mut weights = Weights::new(seed);
    for (name, shape) in bert_shapes([vocabulary, POSITIONS], [HIDDEN, INTERMEDIATE], 1) {
        match shape.len() {
            _ if name.ends_with("LayerNorm.weight") => weights.filled(&name, &shape, 1.0),
            _ if name.ends_with("LayerNorm.bias") => weights.filled(&name, &shape, 0.0),
            1 => weights.random(&name, &shape, 0.1),
            _ if name.starts_with("embeddings") => weights.random(&name, &shape, 0.5),
            _ => weights.random(&name, &shape, 0.3),
        }
    }
    weights
}
