//! Stopping a program in the middle, and what has to be there before and after it goes on.

use std::path::Path;
use std::process::Command;

use crate::program::{Dnd, Running};
use crate::world::{World, names};

/// Rows in the curve of a fit that is stopped here.
const REPORTS: usize = 20;

/// What Ctrl-C does in a terminal; asserts that the program ends cleanly.
pub fn interrupt(program: Running) {
    let kill = format!("kill -INT {}", program.id());
    let status = Command::new("sh").args(["-c", &kill]).status().unwrap();
    assert!(status.success());
    let outcome = program.wait();
    assert_eq!(outcome.code, Some(130), "{outcome}");
    let last = outcome.stderr.lines().last().unwrap();
    assert!(last.starts_with("error: cancelled"), "{outcome}");
}

/// Stops a fit of the world's bundle after its first saved state, by `stop`.
pub fn stopped(world: &World, fit: Dnd, stop: impl Fn(Running)) {
    let mut run = fit.start();
    let state = world.path("bundle.safetensors.state");
    run.wait_until(|| state.join("state.json").exists());
    stop(run);
    assert!(state.exists(), "nothing is left to go on from");
    assert!(!world.bundle().exists(), "half a fit is no bundle");
}

/// Asserts that going on ends in the bytes of a fit that nobody stopped, and leaves no state. `fit`
/// writes the bundle to the path that it is given, and reports 20 times, once in `report_every` steps.
pub fn ends_alike(world: &World, report_every: usize, fit: impl Fn(&Path) -> Dnd) {
    let rest = fit(&world.bundle()).run().succeeds();
    assert!(rest.stderr.contains("going on after step"), "{rest}");
    let whole = world.path("whole.safetensors");
    fit(&whole).run().succeeds();
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
    let expected: Vec<String> = (1..=REPORTS)
        .map(|report| (report * report_every).to_string())
        .collect();
    assert_eq!(steps, expected, "the curve has gaps or repeats itself");
}
