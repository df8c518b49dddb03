//! Ctrl-C and kill -9: what is finished stays, and the same command goes on from there.

use std::process::Command;

use crate::program::Running;
use crate::world::{TRAIN_TASKS, World, contents, names};

/// What Ctrl-C does in a terminal.
fn interrupt(program: &Running) {
    let kill = format!("kill -INT {}", program.id());
    let status = Command::new("sh").args(["-c", &kill]).status().unwrap();
    assert!(status.success());
}

/// Tasks of the world's collection that are finished.
fn finished(world: &World) -> Vec<&'static str> {
    let manifest = |task: &&str| world.collection().join(task).join("manifest.json").exists();
    TRAIN_TASKS.into_iter().filter(manifest).collect()
}

/// Steps that leave time to stop a collection between its first task and its last.
const COLLECT_STEPS: &str = "60";

/// Asserts that the rest is done, the finished task left alone, and nothing differs from a
/// collection that nobody stopped.
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
            "{task} differs after going on"
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
    interrupt(&run);
    let outcome = run.wait();
    assert_eq!(outcome.code, Some(130), "{outcome}");
    assert!(
        outcome
            .stderr
            .lines()
            .last()
            .unwrap()
            .starts_with("error: cancelled")
    );
    assert_eq!(finished(&world), ["always_a"]);
    goes_on(&world);
}

/// A world whose recipe takes long enough to be stopped in the middle.
fn slow_world() -> World {
    let world = World::collected();
    let recipe = std::fs::read_to_string(world.recipe()).unwrap();
    let slow = recipe
        .replace("steps = 6", "steps = 400")
        .replace("report_every = 2", "report_every = 20");
    world.write("recipe.toml", slow);
    world
}

/// Stops a fit after its first saved state, by `stop`; gives the world.
fn stopped(stop: impl Fn(Running)) -> World {
    let world = slow_world();
    let mut run = world.train(&world.bundle()).start();
    let state = world.path("bundle.safetensors.state");
    run.wait_until(|| state.join("state.json").exists());
    stop(run);
    assert!(state.exists(), "nothing is left to go on from");
    assert!(!world.bundle().exists(), "half a fit is no bundle");
    world
}

/// Asserts that going on ends in the bytes of a fit that nobody stopped, and leaves no state.
fn ends_alike(world: &World) {
    let rest = world.train(&world.bundle()).run().succeeds();
    assert!(rest.stderr.contains("going on after step"), "{rest}");
    let whole = world.path("whole.safetensors");
    world.train(&whole).run().succeeds();
    let read = |path| std::fs::read(path).unwrap();
    assert!(
        read(world.bundle()) == read(whole),
        "the bundle differs after going on"
    );
    let left: Vec<String> = names(&world.path(""))
        .into_iter()
        .filter(|name| name.contains(".state"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    let curve = std::fs::read_to_string(world.path("bundle.csv")).unwrap();
    let steps: Vec<&str> = curve
        .lines()
        .skip(1)
        .map(|row| row.split(',').next().unwrap())
        .collect();
    let expected: Vec<String> = (1..=20).map(|point| (point * 20).to_string()).collect();
    assert_eq!(steps, expected, "the curve has gaps or repeats itself");
}

#[test]
fn an_interrupted_fit_ends_in_the_same_bytes() {
    let world = stopped(|run| {
        interrupt(&run);
        let outcome = run.wait();
        assert_eq!(outcome.code, Some(130), "{outcome}");
        assert!(
            outcome
                .stderr
                .lines()
                .last()
                .unwrap()
                .starts_with("error: cancelled")
        );
    });
    ends_alike(&world);
}

#[test]
fn a_killed_fit_ends_in_the_same_bytes() {
    ends_alike(&stopped(Running::kill));
}

/// A state may only be gone on with under the recipe that it came from.
#[test]
fn a_state_of_another_recipe_gets_refused() {
    let world = stopped(Running::kill);
    let recipe = std::fs::read_to_string(world.recipe()).unwrap();
    world.write("recipe.toml", recipe.replace("rate = 0.01", "rate = 0.02"));
    world
        .train(&world.bundle())
        .run()
        .fails(&["bundle.safetensors.state", "state.json"]);
    assert!(world.path("bundle.safetensors.state").exists());
}
