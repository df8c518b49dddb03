//! Ctrl-C and kill -9: the same command resumes and gives the bytes of an uninterrupted run.

use super::{change, contrasting, train};
use crate::program::Running;
use crate::stopping::{ends_alike, interrupt, stopped};
use crate::world::World;

const REPORT_EVERY: usize = 8;

/// A world whose training was interrupted with `stop`.
fn stopped_world(stop: impl Fn(Running)) -> World {
    let world = contrasting();
    let report_every = format!("report_every = {REPORT_EVERY}");
    change(&world, "report_every = 20", &report_every);
    stopped(&world, train(&world, &world.bundle()), stop);
    world
}

#[test]
fn an_interrupted_fit_ends_in_the_same_bytes() {
    let world = stopped_world(interrupt);
    ends_alike(&world, REPORT_EVERY, |out| train(&world, out));
}

#[test]
fn a_killed_fit_ends_in_the_same_bytes() {
    let world = stopped_world(Running::kill);
    ends_alike(&world, REPORT_EVERY, |out| train(&world, out));
}

#[test]
fn a_state_of_other_tasks_gets_refused() {
    let world = stopped_world(Running::kill);
    train(&world, &world.bundle())
        .with("--holdout", "low_2")
        .run()
        .fails(&["bundle.safetensors.state", "state.json"]);
}
