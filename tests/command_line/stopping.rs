//! Interrupting a program, with checks before and after it resumes.

use std::path::Path;
use std::process::Command;

use crate::program::{Dnd, Running};
use crate::world::{World, names};

/// Rows in the loss curve of an interrupted run.
const REPORTS: usize = 20;

/// Sends SIGINT, like Ctrl-C, and asserts that the program exits cleanly.
pub fn interrupt(program: Running) {
    let kill = format!("kill -INT {}", program.id());
    let status = Command::new("sh").args(["-c", &kill]).status().unwrap();
    assert!(status.success());
    let outcome = program.wait();
    assert_eq!(outcome.code, Some(130), "{outcome}");
    let last = outcome.stderr.lines().last().unwrap();
    assert!(last.starts_with("error: cancelled"), "{outcome}");
}

/// Starts training the world's bundle and calls `stop` after the first saved state.
pub fn stopped(world: &World, fit: Dnd, stop: impl Fn(Running)) {
    let mut run = fit.start();
    let state = world.path("bundle.safetensors.state");
    run.wait_until(|| state.join("state.json").exists());
    stop(run);
    assert!(state.exists(), "no state to resume from");
    assert!(!world.bundle().exists(), "a bundle before the end");
}

/// Asserts that resuming gives the bytes of an uninterrupted run and leaves no state. `fit`
/// trains a bundle at the given path and reports 20 times, once every `report_every` steps.
pub fn ends_alike(world: &World, report_every: usize, fit: impl Fn(&Path) -> Dnd) {
    let rest = fit(&world.bundle()).run().succeeds();
    assert!(rest.stderr.contains("resuming after step"), "{rest}");
    let whole = world.path("whole.safetensors");
    fit(&whole).run().succeeds();
    let read = |path| std::fs::read(path).unwrap();
    assert!(
        read(world.bundle()) == read(whole),
        "the bundle differs after resuming"
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
    let expected: Vec<String> = (1..=REPORTS)
        .map(|report| (report * report_every).to_string())
        .collect();
    assert_eq!(steps, expected, "the curve has gaps or repeats itself");
}
