//! What `dnd train` writes: the bundle, and the loss curve beside it.

use dnd_adapter::Bundle;

use crate::program::Dnd;
use crate::world::{DEV_TASK, PROMPTS, TRAIN_TASKS, World, names};

#[test]
fn a_fit_leaves_a_bundle_and_its_curve() {
    let world = World::collected();
    let before = names(&world.path(""));
    let outcome = world.train(&world.bundle()).run().succeeds();
    assert!(outcome.stdout.starts_with(world.bundle().to_str().unwrap()));
    assert_eq!(outcome.stdout.lines().count(), 1, "{outcome}");
    let new: Vec<String> = names(&world.path(""))
        .into_iter()
        .filter(|name| !before.contains(name))
        .collect();
    assert_eq!(new, ["bundle.csv", "bundle.safetensors", "bundle.svg"]);

    let curve = std::fs::read_to_string(world.path("bundle.csv")).unwrap();
    let steps: Vec<&str> = curve
        .lines()
        .map(|row| row.split(',').next().unwrap())
        .collect();
    assert_eq!(steps, ["step", "2", "4", "6"]);
    let picture = std::fs::read_to_string(world.path("bundle.svg")).unwrap();
    assert!(picture.starts_with("<svg") && picture.trim_end().ends_with("</svg>"));
    assert!(picture.contains("<polyline"));
}

#[test]
fn a_bundle_says_where_it_comes_from() {
    let world = World::trained();
    let bundle = Bundle::read(&std::fs::read(world.bundle()).unwrap(), "bundle").unwrap();
    assert_eq!(bundle.header.prompts, PROMPTS);
    assert_eq!(bundle.header.encoder.sha256.len(), 64);
    let provenance = &bundle.header.provenance;
    assert_eq!(provenance["tasks"], serde_json::json!(TRAIN_TASKS));
    assert!(!provenance.to_string().contains(DEV_TASK));
    // One of the tasks may not ship, so a bundle trained on it may not either.
    assert_eq!(provenance["all_tasks_ship"], false);
    assert_eq!(provenance["recipe"]["weights"]["steps"], 6);
    assert_eq!(provenance["collected_with"]["steps"], 3);
}

#[test]
fn a_finished_fit_is_not_done_again() {
    let world = World::trained();
    let written = || {
        std::fs::metadata(world.bundle())
            .unwrap()
            .modified()
            .unwrap()
    };
    let before = written();
    let outcome = world.train(&world.bundle()).run().succeeds();
    assert!(outcome.stderr.contains("finished before"), "{outcome}");
    assert_eq!(written(), before);
}

/// The name goes from the collection into bundle and adapter; another one is refused.
#[test]
fn bundles_and_adapters_name_their_base_model() {
    let world = World::new();
    let name = "example/Other-Instruct";
    let collection = world.path("collection");
    let collect = Dnd::new("collect")
        .with("--tasks", world.tasks())
        .with("--base", world.base())
        .with("--config", world.recipe())
        .with("--steps", "2")
        .with("--snapshots", "2")
        .with("--out", &collection);
    let guessed = collect.run().succeeds();
    assert!(guessed.stderr.contains("--base-model NAME"), "{guessed}");
    std::fs::remove_dir_all(&collection).unwrap();
    let collect = Dnd::new("collect")
        .with("--tasks", world.tasks())
        .with("--base", world.base())
        .with("--base-model", name)
        .with("--config", world.recipe())
        .with("--steps", "2")
        .with("--snapshots", "2")
        .with("--out", &collection);
    let named = collect.run().succeeds();
    assert!(!named.stderr.contains("--base-model"), "{named}");
    world.train(&world.bundle()).run().succeeds();
    let (prompts, out) = (world.prompts("prompts.txt", 8), world.path("adapter"));
    let generate = || world.generate(&prompts, &out);
    generate().run().fails(&["base model", name]);
    generate().with("--base-model", name).run().succeeds();
    let config = std::fs::read_to_string(out.join("adapter_config.json")).unwrap();
    assert!(config.contains(name), "{config}");
}
