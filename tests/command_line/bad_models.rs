//! Base models and encoders that are damaged, missing or unsupported.

use std::path::Path;

use serde_json::Value;

use crate::gguf::{GgufFile, TensorType};
use crate::language_model;
use crate::program::Dnd;
use crate::tensors::damages;
use crate::world::{World, file_name};

fn refused(base: &Path, words: &[&str]) {
    Dnd::new("complete")
        .with("--base", base)
        .and("hello")
        .run()
        .fails(words);
}

#[test]
fn a_gguf_of_an_unsupported_type() {
    let world = World::new();
    let gguf = world.write("packed.gguf", language_model::gguf(1, TensorType::IQ4XS));
    refused(&gguf, &["packed.gguf", "token_embd.weight", "IQ4_XS"]);
}

#[test]
fn a_part_of_a_split_gguf() {
    let world = World::new();
    let mut part = GgufFile::default();
    part.number("split.no", 1);
    part.number("split.count", 2);
    let gguf = world.write("model-00002-of-00002.gguf", part.bytes());
    refused(
        &gguf,
        &[
            "model-00002-of-00002.gguf",
            "part 2 of 2",
            "llama-gguf-split",
        ],
    );
}

#[test]
fn a_truncated_gguf() {
    let world = World::new();
    let whole = language_model::gguf(1, TensorType::F32);
    for length in [0, 3, 4, 20, 200, 8000, whole.len() / 2, whole.len() - 1] {
        let gguf = world.write("cut.gguf", &whole[..length]);
        refused(&gguf, &["cut.gguf"]);
        Dnd::new("inspect").and(&gguf).run().fails(&["cut.gguf"]);
    }
}

#[test]
fn a_gguf_that_is_something_else() {
    let world = World::new();
    let other = world.write("other.gguf", "<!DOCTYPE html>");
    refused(&other, &["other.gguf"]);
    Dnd::new("inspect").and(&other).run().fails(&["other.gguf"]);
}

#[test]
fn damaged_weights() {
    let world = World::new();
    let path = world.base().join("model.safetensors");
    for (what, bytes) in damages(&path, "model.norm.weight") {
        println!("{what}");
        std::fs::write(&path, bytes).unwrap();
        refused(&world.base(), &["model.safetensors"]);
    }
}

#[test]
fn a_damaged_encoder() {
    let world = World::collected();
    let path = world.encoder().join("model.safetensors");
    for (what, bytes) in damages(&path, "embeddings.LayerNorm.bias") {
        println!("{what}");
        std::fs::write(&path, bytes).unwrap();
        world
            .train(&world.bundle())
            .run()
            .fails(&["model.safetensors"]);
        assert!(!world.bundle().exists());
    }
}

#[test]
fn each_missing_file_is_named() {
    let world = World::collected();
    let base = [
        "tokenizer_config.json",
        "tokenizer.json",
        "model.safetensors",
        "config.json",
    ];
    for name in base {
        std::fs::remove_file(world.base().join(name)).unwrap();
        refused(&world.base(), &[name]);
    }
    refused(&world.path("no-model"), &["no-model", "cargo xtask setup"]);
    for name in ["tokenizer.json", "model.safetensors", "config.json"] {
        std::fs::remove_file(world.encoder().join(name)).unwrap();
        world.train(&world.bundle()).run().fails(&[name]);
    }
}

#[test]
fn each_damaged_json_is_named() {
    let world = World::new();
    for name in ["tokenizer_config.json", "tokenizer.json", "config.json"] {
        let path = world.base().join(name);
        let whole = std::fs::read(&path).unwrap();
        for damaged in [&b"{"[..], b"[]", b"{}", b"\xff", b""] {
            std::fs::write(&path, damaged).unwrap();
            refused(&world.base(), &[name]);
        }
        std::fs::write(&path, whole).unwrap();
    }
}

/// Settings that would give wrong results if they were ignored.
#[test]
fn configurations_that_ask_for_more() {
    let world = World::new();
    let path = world.base().join("config.json");
    let whole: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    for (field, value) in [
        ("model_type", Value::from("mamba")),
        ("hidden_act", Value::from("relu")),
        (
            "rope_scaling",
            serde_json::json!({"type": "linear", "factor": 2.0}),
        ),
        ("hidden_size", Value::from(66)),
        ("hidden_size", Value::from(1u64 << 40)),
        ("num_hidden_layers", Value::from(3)),
        ("vocab_size", Value::from(300)),
        ("vocab_size", Value::from(u64::MAX)),
        ("num_attention_heads", Value::from(0)),
        ("num_key_value_heads", Value::from(3)),
    ] {
        println!("{field} {value}");
        let mut config = whole.clone();
        config[field] = value;
        std::fs::write(&path, config.to_string()).unwrap();
        let name = file_name(&world.base()).to_owned();
        refused(&world.base(), &[&name]);
    }
}
