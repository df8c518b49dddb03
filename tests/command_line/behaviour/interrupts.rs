//! Ctrl-C and kill -9: the same command goes on to the bytes of a fit that nobody stopped.

use std::process::Command;

use super::{change, contrasting, train};
use crate::program::Running;
use crate::world::{World, names};

/// Stops a fit after its first saved state, by `stop`; gives the world.
fn stopped(stop: impl Fn(Running)) -> World {
    let world = contrasting();
    change(&world, "report_every = 20", "report_every = 8");
    let mut run = train(&world, &world.bundle()).start();
    let state = world.path("bundle.safetensors.state");
    run.wait_until(|| state.join("state.json").exists());
    stop(run);
    assert!(state.exists(), "nothing is left to go on from");
    assert!(!world.bundle().exists(), "half a fit is no bundle");
    world
}

/// Asserts that going on ends in the bytes of a fit that nobody stopped, and leaves no state.
fn ends_alike(world: &World) {
    let rest = train(world, &world.bundle()).run().succeeds();
    assert!(rest.stderr.contains("going on after step"), "{rest}");
    let whole = world.path("whole.safetensors");
    train(world, &whole).run().succeeds();
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
    assert_eq!(
        curve.lines().count(),
        21,
        "the curve has gaps or repeats itself"
    );
}

#[test]
fn an_interrupted_fit_ends_in_the_same_bytes() {
    ends_alike(&stopped(|run| {
        let kill = format!("kill -INT {}", run.id());
        let status = Command::new("sh").args(["-c", &kill]).status().unwrap();
        assert!(status.success());
        let outcome = run.wait();
        assert_eq!(outcome.code, Some(130), "{outcome}");
        let last = outcome.stderr.lines().last().unwrap();
        assert!(last.starts_with("error: cancelled"), "{outcome}");
    }));
}

#[test]
fn a_killed_fit_ends_in_the_same_bytes() {
    ends_alike(&stopped(Running::kill));
}

#[test]
fn a_state_of_other_tasks_gets_refused() {
    let world = stopped(Running::kill);
    train(&world, &world.bundle())
        .with("--holdout", "low_2")
        .run()
        .fails(&["bundle.safetensors.state", "state.json"]);
}
