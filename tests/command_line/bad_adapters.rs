//! PEFT folders that are damaged or do not match the base model.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::language_model;
use crate::program::Dnd;
use crate::tensors::damages;
use crate::world::{World, file_name};

const CONFIG: &str = "adapter_config.json";
const MODEL: &str = "adapter_model.safetensors";

/// Asserts that all commands that read the world's adapter reject it.
fn refused(world: &World, words: &[&str]) {
    let adapter = adapter(world);
    Dnd::new("inspect").and(&adapter).run().fails(words);
    not_used(world, &adapter, words);
}

/// Asserts that `complete` and `eval` reject an adapter and write no result.
fn not_used(world: &World, adapter: &Path, words: &[&str]) {
    world
        .complete("hello")
        .with("--adapter", adapter)
        .run()
        .fails(words);
    let json = world.path("report.json");
    let method = format!("adapter:{}", adapter.display());
    world.eval(&method, &json).run().fails(words);
    assert!(!json.exists());
}

fn adapter(world: &World) -> PathBuf {
    world.path("collection/length")
}

/// Changes the adapter's configuration.
fn change(world: &World, change: impl Fn(&mut serde_json::Map<String, Value>)) {
    let path = adapter(world).join(CONFIG);
    let mut config: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    change(config.as_object_mut().unwrap());
    std::fs::write(path, config.to_string()).unwrap();
}

#[test]
fn a_configuration_without_r() {
    let world = World::collected();
    change(&world, |config| {
        config.remove("r").unwrap();
    });
    refused(&world, &[CONFIG, "`r`"]);
}

#[test]
fn a_rank_that_the_tensors_do_not_have() {
    let world = World::collected();
    for rank in [0, 3, u64::MAX] {
        change(&world, |config| {
            config.insert("r".to_owned(), rank.into());
        });
        refused(&world, &[MODEL, "layers.0", &rank.to_string()]);
    }
}

#[test]
fn a_kind_of_adapter_that_is_not_lora() {
    let world = World::collected();
    change(&world, |config| {
        config.insert("peft_type".to_owned(), "IA3".into());
    });
    refused(&world, &[CONFIG, "peft_type", "IA3"]);
}

#[test]
fn damaged_tensors() {
    let world = World::collected();
    let path = adapter(&world).join(MODEL);
    let tensor = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight";
    for (what, bytes) in damages(&path, tensor) {
        println!("{what}");
        std::fs::write(&path, bytes).unwrap();
        refused(&world, &[MODEL]);
    }
}

#[test]
fn missing_files() {
    let world = World::collected();
    std::fs::remove_file(adapter(&world).join(MODEL)).unwrap();
    refused(&world, &[MODEL]);
    std::fs::remove_file(adapter(&world).join(CONFIG)).unwrap();
    refused(&world, &[CONFIG]);
    not_used(&world, &world.path("nowhere"), &["nowhere"]);
}

#[test]
fn for_a_model_of_other_dimensions() {
    let world = World::collected();
    language_model::write_folder_of_width(&world.base(), 1, 32);
    let adapter = adapter(&world);
    not_used(&world, &adapter, &[file_name(&adapter), "64", "32"]);
    // The collection does not match this model either.
    let json = world.path("report.json");
    world.eval("average", &json).run().fails(&["64", "32"]);
    assert!(!json.exists());
}
