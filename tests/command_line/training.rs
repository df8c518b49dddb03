//! What `dnd train` writes: the bundle, and the loss curve beside it.

use dnd_adapter::Bundle;

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
