//! What `dnd collect` writes, and what it skips when run again.

use std::path::Path;

use safetensors::{Dtype, SafeTensors};
use serde_json::Value;

use crate::language_model;
use crate::tensors::agree;
use crate::world::{LINES, TRAIN_TASKS, World, contents, file_name, names};

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn a_collection_holds_what_it_promises() {
    let world = World::new();
    let collection = world.collection();
    let outcome = world.collect(&collection).run().succeeds();
    assert_eq!(
        outcome.stdout,
        format!("{}: 3 tasks\n", collection.display())
    );
    assert_eq!(
        names(&collection),
        ["always_a", "collection.json", "first_letter", "length"]
    );
    for task in TRAIN_TASKS {
        let folder = collection.join(task);
        assert_eq!(
            names(&folder),
            [
                "adapter_config.json",
                "adapter_model.safetensors",
                "log.csv",
                "manifest.json",
                "prompts.json",
                "snapshots"
            ]
        );
        let manifest = json(&folder.join("manifest.json"));
        assert_eq!(manifest["task"], task);
        assert_eq!(manifest["snapshots"], 2);
        assert_eq!(manifest["ship"], task != "length");
        assert_eq!(
            json(&folder.join("prompts.json")).as_array().unwrap().len(),
            LINES
        );
        check_log(&folder.join("log.csv"));
        check_snapshots(&folder);
    }
}

/// One row per step, with the snapshot steps marked.
fn check_log(path: &Path) {
    let log = std::fs::read_to_string(path).unwrap();
    let phases: Vec<&str> = log
        .lines()
        .map(|line| line.split(',').nth(1).unwrap())
        .collect();
    assert_eq!(
        phases,
        ["phase", "tune", "tune", "tune", "snapshot", "snapshot"]
    );
    for row in log.lines().skip(1) {
        let loss: f32 = row.split(',').nth(2).unwrap().parse().unwrap();
        // Guessing among 259 tokens costs 5.6 nats. The model is random, and may be confidently
        // wrong, which costs more.
        assert!(loss > 0.0 && loss < 30.0, "{row}");
    }
}

/// F16 factors of all modules, which differ between snapshots.
fn check_snapshots(folder: &Path) {
    let snapshots = contents(&folder.join("snapshots"));
    let file_names: Vec<&str> = snapshots.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(file_names, ["000.safetensors", "001.safetensors"]);
    assert!(snapshots[0].1 != snapshots[1].1, "the snapshots are equal");
    for (name, bytes) in &snapshots {
        let file = SafeTensors::deserialize(bytes).unwrap();
        // A and B of seven projections in two layers.
        assert_eq!(file.len(), 28, "{name}");
        assert!(file.iter().all(|(_, tensor)| tensor.dtype() == Dtype::F16));
    }
    let last = std::fs::read(folder.join("adapter_model.safetensors")).unwrap();
    assert!(
        last == snapshots[1].1,
        "the adapter is not the last snapshot"
    );
}

#[test]
fn finished_tasks_are_not_done_again() {
    let world = World::collected();
    let stamps = || {
        TRAIN_TASKS.map(|task| {
            let path = world.collection().join(task).join("manifest.json");
            let modified = std::fs::metadata(&path).unwrap().modified().unwrap();
            (modified, std::fs::read(&path).unwrap())
        })
    };
    let before = stamps();
    let outcome = world.collect(&world.collection()).run().succeeds();
    assert!(stamps() == before, "a manifest was written again");
    for task in TRAIN_TASKS {
        assert!(outcome.stderr.contains(&format!("{task}: finished before")));
    }
}

/// Weights in 16 bits, mapped from their file, give the adapters of f32.
#[test]
fn frozen_weights_may_stay_in_16_bits() {
    let world = World::new();
    language_model::write_bf16(&world.base(), 1);
    let [stored, expected] = ["stored", "f32"].map(|dtype| {
        let out = world.path(dtype);
        let collect = world.collect(&out).with("--matmul-dtype", dtype);
        collect.run().succeeds();
        out
    });
    for task in TRAIN_TASKS {
        let file = format!("{task}/adapter_model.safetensors");
        agree(&stored.join(&file), &expected.join(&file), 1e-3);
    }
}

/// A value that is not finite is found in weights that stay as they are, too.
#[test]
fn weights_that_are_not_finite_are_refused_in_16_bits() {
    let world = World::new();
    language_model::write_bf16(&world.base(), 1);
    let path = world.base().join("model.safetensors");
    let mut bytes = std::fs::read(&path).unwrap();
    let last = bytes.len() - 2;
    bytes[last..].copy_from_slice(&[0x80, 0x7f]);
    std::fs::write(&path, bytes).unwrap();
    let collect = world
        .collect(&world.collection())
        .with("--matmul-dtype", "stored");
    collect.run().fails(&["model.safetensors", "finite"]);
}

#[test]
fn shards_share_the_tasks_out() {
    let world = World::collected();
    let parts = world.path("parts");
    let first = world.collect(&parts).with("--shard", "1/2");
    first.run().succeeds();
    assert_eq!(names(&parts), ["always_a", "collection.json", "length"]);
    let second = world.collect(&parts).with("--shard", "2/2");
    second.run().succeeds();
    assert_eq!(names(&parts), names(&world.collection()));
    for task in TRAIN_TASKS {
        let snapshots = |collection: &Path| contents(&collection.join(task).join("snapshots"));
        assert!(
            snapshots(&parts) == snapshots(&world.collection()),
            "{task} depends on what was collected before it"
        );
    }
}

/// With more shards than tasks, some shards are empty, which is not an error.
#[test]
fn an_empty_shard_succeeds() {
    let world = World::new();
    let shard = world.collect(&world.collection()).with("--shard", "4/4");
    shard.run().succeeds();
}

#[test]
fn a_recipe_can_keep_to_tasks_that_may_ship() {
    let world = World::new();
    world.write("recipe.toml", "[collect]\nship = true\nrank = 4\n");
    world.collect(&world.collection()).run().succeeds();
    assert_eq!(
        names(&world.collection()),
        ["always_a", "collection.json", "first_letter"]
    );
}

#[test]
fn every_field_of_a_recipe_may_be_left_out() {
    let world = World::new();
    world.write("recipe.toml", "[collect.tune]\nwarm_up = 2\n");
    world.collect(&world.collection()).run().succeeds();
    let header = json(&world.collection().join("collection.json"));
    assert_eq!(header["settings"]["warm_up"], 2);
}

/// Snapshots with other settings are not samples of the same distribution.
#[test]
fn a_collection_is_not_gone_on_with_under_other_settings() {
    let world = World::collected();
    let collection = world.collection();
    let before = std::fs::read(collection.join("collection.json")).unwrap();
    let other = world.collect(&collection).with("--rate", "0.5");
    other
        .run()
        .fails(&[file_name(&collection), "collection.json"]);
    assert_eq!(
        std::fs::read(collection.join("collection.json")).unwrap(),
        before
    );
}
