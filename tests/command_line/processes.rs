//! Training in several processes gives the losses of one process.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::behaviour::{contrasting, train};
use crate::world::{World, names};

/// Largest difference of a loss.
const TOLERANCE: f64 = 1e-5;

/// All losses of a curve, row by row.
fn losses(bundle: &Path) -> Vec<(String, f64)> {
    let text = std::fs::read_to_string(bundle.with_extension("csv")).unwrap();
    let mut lines = text.lines();
    let columns: Vec<&str> = lines.next().unwrap().split(',').collect();
    let mut losses = Vec::new();
    for (number, line) in lines.enumerate() {
        for (column, field) in columns.iter().zip(line.split(',')) {
            if let (true, Ok(value)) = (column.contains("loss"), field.parse()) {
                losses.push((format!("{column} of row {number}"), value));
            }
        }
    }
    losses
}

fn agree(found: &Path, expected: &Path) {
    let (found, expected) = (losses(found), losses(expected));
    assert!(expected.len() > 2 && found.len() == expected.len());
    for ((name, found), (other, expected)) in found.iter().zip(&expected) {
        assert_eq!(name, other);
        let difference = (found - expected).abs();
        assert!(
            difference <= TOLERANCE,
            "{name}: {found}, expected {expected}"
        );
    }
}

/// A world whose run by behaviour reports often.
fn world(steps: usize) -> World {
    let world = contrasting();
    let recipe = std::fs::read_to_string(world.path("behaviour.toml")).unwrap();
    let recipe = recipe.replace("steps = 160", &format!("steps = {steps}"));
    let recipe = recipe.replace("report_every = 20", "report_every = 4");
    // Differences of rounding grow with every step.
    world.write("behaviour.toml", recipe.replace("0.01", "0.001"));
    world
}

fn bundle(world: &World, name: &str) -> PathBuf {
    world.path(&format!("{name}.safetensors"))
}

#[test]
fn processes_share_steps_by_behaviour() {
    let world = world(12);
    let alone = bundle(&world, "alone");
    train(&world, &alone).run().succeeds();
    for count in [2, 4] {
        let shared = bundle(&world, &format!("shared{count}"));
        let outcome = train(&world, &shared).in_processes(count).run().succeeds();
        // Only the first process prints.
        assert_eq!(outcome.stdout.lines().count(), 1, "{outcome}");
        assert_eq!(outcome.stderr.matches("step 12:").count(), 1, "{outcome}");
        agree(&shared, &alone);
    }
}

/// Two namespaces need rights that only root has.
#[test]
fn two_hosts_share_steps() {
    let try_name = format!("dnd-try-{}", std::process::id());
    let namespace = |action: &str| {
        Command::new("ip")
            .args(["netns", action, &try_name])
            .output()
    };
    if !namespace("add").is_ok_and(|outcome| outcome.status.success()) {
        println!("skipped: no right to make network namespaces (`ip netns add`)");
        return;
    }
    namespace("del").unwrap();
    let world = world(8);
    let [alone, shared] = ["alone", "shared"].map(|name| bundle(&world, name));
    train(&world, &alone).run().succeeds();
    train(&world, &shared).on_two_hosts(2).run().succeeds();
    agree(&shared, &alone);
}

#[test]
fn processes_share_batches_of_weights() {
    let world = World::collected();
    let [alone, shared] = ["alone", "shared"].map(|name| bundle(&world, name));
    world.train(&alone).run().succeeds();
    world.train(&shared).in_processes(2).run().succeeds();
    agree(&shared, &alone);
}

#[test]
fn a_run_goes_on_after_a_process_was_killed() {
    let world = world(40);
    let [alone, killed] = ["alone", "killed"].map(|name| bundle(&world, name));
    train(&world, &alone).run().succeeds();

    let mut running = train(&world, &killed).in_processes(2).start();
    let state = killed.with_extension("safetensors.state");
    running.wait_until(|| state.exists());
    let parent = running.id().to_string();
    let kill = ["-KILL", "--newest", "--parent", &parent];
    assert!(Command::new("pkill").args(kill).status().unwrap().success());
    // The others do not wait for it for ever.
    let outcome = running.wait();
    assert!(outcome.code != Some(0), "{outcome}");
    assert!(!killed.exists());

    let outcome = train(&world, &killed).in_processes(2).run().succeeds();
    assert!(outcome.stderr.contains("resuming after step"), "{outcome}");
    agree(&killed, &alone);
    assert!(
        !names(killed.parent().unwrap())
            .iter()
            .any(|name| name.ends_with(".state"))
    );
}

#[test]
fn a_process_that_fails_ends_all() {
    let world = world(4);
    let out = bundle(&world, "out");
    std::fs::remove_file(world.path("contrast/low_0.train.jsonl")).unwrap();
    let outcome = train(&world, &out).in_processes(2).run();
    assert!(outcome.code != Some(0), "{outcome}");
    assert!(outcome.stderr.contains("low_0.train.jsonl"), "{outcome}");
}
