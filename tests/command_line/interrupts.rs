//! Ctrl-C and kill -9: finished work is kept, and the same command resumes.

use crate::program::Running;
use crate::stopping::{ends_alike, interrupt, stopped};
use crate::world::{TRAIN_TASKS, World, contents};

/// The finished tasks of the world's collection.
fn finished(world: &World) -> Vec<&'static str> {
    let manifest = |task: &&str| world.collection().join(task).join("manifest.json").exists();
    TRAIN_TASKS.into_iter().filter(manifest).collect()
}

/// Enough steps to interrupt a collection between its first and last task.
const COLLECT_STEPS: &str = "60";

/// Asserts that resuming keeps the finished task, collects the others, and gives the snapshots of
/// an uninterrupted run.
fn goes_on(world: &World) {
    let manifest = world.collection().join("always_a/manifest.json");
    let before = std::fs::read(&manifest).unwrap();
    let rest = world
        .collect_steps(&world.collection(), COLLECT_STEPS, "2")
        .run()
        .succeeds();
    assert!(rest.stderr.contains("always_a: finished before"), "{rest}");
    assert_eq!(std::fs::read(&manifest).unwrap(), before);
    assert_eq!(finished(world), TRAIN_TASKS);
    let whole = world.path("whole");
    world
        .collect_steps(&whole, COLLECT_STEPS, "2")
        .run()
        .succeeds();
    for task in TRAIN_TASKS {
        let snapshots = world.collection().join(task).join("snapshots");
        assert!(
            contents(&snapshots) == contents(&whole.join(task).join("snapshots")),
            "{task} differs after resuming"
        );
    }
}

#[test]
fn a_killed_collection_goes_on() {
    let world = World::new();
    let mut run = world
        .collect_steps(&world.collection(), COLLECT_STEPS, "2")
        .start();
    run.wait_until(|| !finished(&world).is_empty());
    run.kill();
    assert_eq!(
        finished(&world),
        ["always_a"],
        "killed too late to test anything"
    );
    goes_on(&world);
}

#[test]
fn an_interrupted_collection_stops_cleanly_and_goes_on() {
    let world = World::new();
    let mut run = world
        .collect_steps(&world.collection(), COLLECT_STEPS, "2")
        .start();
    run.wait_until(|| !finished(&world).is_empty());
    interrupt(run);
    assert_eq!(finished(&world), ["always_a"]);
    goes_on(&world);
}

const REPORT_EVERY: usize = 20;

/// A world with a longer recipe, whose training was interrupted with `stop`.
fn stopped_world(stop: impl Fn(Running)) -> World {
    let world = World::collected();
    let recipe = std::fs::read_to_string(world.recipe()).unwrap();
    let report_every = format!("report_every = {REPORT_EVERY}");
    let slow = recipe
        .replace("steps = 6", "steps = 400")
        .replace("report_every = 2", &report_every);
    world.write("recipe.toml", slow);
    stopped(&world, world.train(&world.bundle()), stop);
    world
}

#[test]
fn an_interrupted_fit_ends_in_the_same_bytes() {
    let world = stopped_world(interrupt);
    ends_alike(&world, REPORT_EVERY, |out| world.train(out));
}

#[test]
fn a_killed_fit_ends_in_the_same_bytes() {
    let world = stopped_world(Running::kill);
    ends_alike(&world, REPORT_EVERY, |out| world.train(out));
}

/// A run may only be resumed with the same recipe.
#[test]
fn a_state_of_another_recipe_gets_refused() {
    let world = stopped_world(Running::kill);
    let recipe = std::fs::read_to_string(world.recipe()).unwrap();
    world.write("recipe.toml", recipe.replace("rate = 0.01", "rate = 0.02"));
    world
        .train(&world.bundle())
        .run()
        .fails(&["bundle.safetensors.state", "state.json"]);
    assert!(world.path("bundle.safetensors.state").exists());
}
