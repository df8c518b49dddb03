//! Results that cannot be written: the error is one line and no partial file remains.

use std::path::Path;

use crate::disk::Disk;
use crate::program::{Dnd, Outcome};
use crate::world::{PROMPTS, World};

/// `dnd generate` to `out` in f32, which takes the most space.
fn generate(world: &World, out: &Path) -> Dnd {
    let prompts = world.prompts("prompts.txt", PROMPTS);
    world.generate(&prompts, out).with("--precision", "f32")
}

fn is_about(outcome: Outcome, name: &str) {
    outcome.fails_in_the_end(&[name]);
}

#[test]
fn an_adapter_that_does_not_fit() {
    let world = World::trained();
    let Some(disk) = Disk::small() else { return };
    generate(&world, &disk.join("adapter"))
        .run()
        .fails(&["adapter", "No space left"]);
    disk.holds(&[]);
    generate(&world, &disk.join("a/b/adapter"))
        .run()
        .fails(&["adapter", "No space left"]);
    disk.holds(&[]);
    let zip = generate(&world, &disk.join("adapter.zip")).and("--zip");
    zip.run().fails(&["adapter.zip", "No space left"]);
    disk.holds(&[]);
}

/// A failed write must not destroy the existing adapter.
#[test]
fn an_adapter_that_does_not_fit_leaves_the_older_one() {
    let world = World::trained();
    let Some(disk) = Disk::small() else { return };
    let out = disk.join("adapter");
    std::fs::create_dir(&out).unwrap();
    std::fs::write(out.join("adapter_model.safetensors"), "older").unwrap();
    generate(&world, &out)
        .run()
        .fails(&["adapter_model.safetensors", "No space left"]);
    disk.holds(&["adapter/adapter_model.safetensors"]);
    let kept = std::fs::read_to_string(out.join("adapter_model.safetensors"));
    assert_eq!(kept.unwrap(), "older");
}

#[test]
fn results_on_a_full_disk() {
    let world = World::trained();
    let Some(disk) = Disk::full() else { return };
    is_about(generate(&world, &disk.join("adapter")).run(), "adapter");
    is_about(
        world.eval("base", &disk.join("report.json")).run(),
        "report.json",
    );
    is_about(world.train(&disk.join("new.safetensors")).run(), "/new.");
    is_about(world.collect(&disk.join("collection")).run(), "collection");
    disk.holds(&[]);
}

#[test]
fn a_fit_whose_state_does_not_fit() {
    let world = World::collected();
    let Some(disk) = Disk::small() else { return };
    let outcome = world.train(&disk.join("new.safetensors")).run();
    outcome.fails_in_the_end(&["new.safetensors.state"]);
    // A partial state must not stay, or the next run would resume from it.
    disk.holds(&[]);
}

/// The disk fills up at the first snapshots.
#[test]
fn a_collection_that_does_not_fit() {
    let world = World::new();
    let Some(disk) = Disk::small() else { return };
    let outcome = world.collect(&disk.join("collection")).run();
    outcome.fails_in_the_end(&["always_a", "No space left"]);
    let content = disk.files();
    let unwanted = |path: &&std::path::PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.starts_with('.') || name == "manifest.json"
    };
    assert_eq!(content.iter().find(unwanted), None, "{content:?}");
}

#[test]
fn results_on_a_read_only_disk() {
    let world = World::trained();
    let Some(disk) = Disk::read_only() else {
        return;
    };
    is_about(generate(&world, &disk.join("adapter")).run(), "adapter");
    let zip = generate(&world, &disk.join("adapter.zip")).and("--zip");
    is_about(zip.run(), "adapter.zip");
    is_about(
        world.eval("base", &disk.join("report.json")).run(),
        "report.json",
    );
    is_about(world.train(&disk.join("new.safetensors")).run(), "/new.");
    is_about(world.collect(&disk.join("collection")).run(), "collection");
    disk.holds(&[]);
}

/// Works without root and mounting.
#[test]
fn results_below_a_file() {
    let world = World::trained();
    let file = world.write("file.txt", "kept");
    is_about(generate(&world, &file.join("adapter")).run(), "file.txt");
    is_about(generate(&world, &file).run(), "file.txt");
    is_about(
        world.eval("base", &file.join("report.json")).run(),
        "file.txt",
    );
    is_about(world.train(&file.join("new.safetensors")).run(), "file.txt");
    is_about(world.collect(&file.join("collection")).run(), "file.txt");
    assert_eq!(std::fs::read_to_string(file).unwrap(), "kept");
}
