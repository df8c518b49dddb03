//! All commands in sequence, as a user would run them: from tasks to an evaluated generator.

use dnd_adapter::Projection;

use crate::program::Dnd;
use crate::world::{DEV_TASK, LINES, PROMPTS, World, contents, names};

#[test]
fn tasks_become_a_generator_that_is_measured() {
    let world = World::new();
    world.collect(&world.collection()).run().succeeds();
    world.train(&world.bundle()).run().succeeds();
    let prompts = world.prompts("prompts.txt", PROMPTS);
    let adapter = world.path("adapter");
    world.generate(&prompts, &adapter).run().succeeds();
    assert_eq!(
        names(&adapter),
        [
            "README.md",
            "adapter_config.json",
            "adapter_model.safetensors"
        ]
    );

    let methods = format!("base,generated,adapter:{}", adapter.display());
    let json = world.path("report.json");
    let table = world.eval(&methods, &json).run().succeeds().stdout;
    assert!(table.contains(DEV_TASK), "{table}");
    assert!(json.exists());

    let shown = Dnd::new("inspect").and(&adapter).run().succeeds().stdout;
    for target in Projection::ALL {
        assert!(shown.contains(target.name()), "{shown}");
    }
    let answer = world.complete("hello").with("--adapter", &adapter);
    answer.run().succeeds();
}

/// The only test here that checks learning: it fails if fine-tuning, saving snapshots or applying
/// adapters is broken.
#[test]
fn a_task_that_is_collected_is_solved_by_its_adapter() {
    let world = World::new();
    world
        .collect_steps(&world.collection(), "60", "2")
        .with("--rate", "0.02")
        .with("--only", "always_a")
        .run()
        .succeeds();
    let methods = format!("base,adapter:{}/{{task}}", world.collection().display());
    let json = world.path("report.json");
    world
        .eval(&methods, &json)
        .with("--only", "always_a")
        .run()
        .succeeds();
    let rows: serde_json::Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    assert_eq!(rows[0]["exact_match"], 0.0, "{rows}");
    assert_eq!(rows[1]["exact_match"], 1.0, "{rows}");
    assert_eq!(rows[1]["n"], LINES, "{rows}");
    let answer = world
        .complete("always a of whatever?")
        .with("--adapter", world.path("collection/always_a"))
        .run()
        .succeeds();
    assert_eq!(answer.stdout, "a\n");
}

/// Runs must be reproducible, or snapshots and bundles could not be compared between machines.
#[test]
fn the_same_commands_give_the_same_bytes() {
    let world = World::trained();
    let collection = world.path("again");
    world.collect(&collection).run().succeeds();
    for task in crate::world::TRAIN_TASKS {
        assert!(
            contents(&collection.join(task).join("snapshots"))
                == contents(&world.collection().join(task).join("snapshots")),
            "snapshots of {task} differ"
        );
    }
    let bundle = world.path("again.safetensors");
    world.train(&bundle).run().succeeds();
    assert!(
        std::fs::read(&bundle).unwrap() == std::fs::read(world.bundle()).unwrap(),
        "two runs of one recipe differ"
    );
}
