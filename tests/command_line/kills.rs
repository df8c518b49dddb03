//! Programs that are killed at random moments end, run again, with the results of an undisturbed
//! run.
//!
//! `DND_KILLS=50 cargo nextest run --release --workspace --test command_line killed_at_random` is
//! the long form; `./test` kills each command three times.

use std::path::Path;
use std::time::{Duration, Instant};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;
use serde_json::Value;

use crate::behaviour;
use crate::program::Dnd;
use crate::world::{TRAIN_TASKS, World, contents};

/// How often each command is killed.
fn kills() -> usize {
    let kills = std::env::var("DND_KILLS").ok();
    kills.map_or(3, |kills| kills.parse().expect("DND_KILLS is a number"))
}

/// Runs `command` to its end, then with other folders `out` again and again, killing it at a random
/// moment of that time and running it once more. `read` gives the result.
fn is_killed_at_random<T: PartialEq>(
    name: &str,
    world: &World,
    command: impl Fn(&Path) -> Dnd,
    read: impl Fn(&Path) -> T,
) {
    let folder = |name: String| {
        let folder = world.path(&name);
        std::fs::create_dir(&folder).unwrap();
        folder
    };
    let whole = folder(format!("{name}-whole"));
    let started = Instant::now();
    command(&whole).run().succeeds();
    let duration = started.elapsed();
    let expected = read(&whole);
    let mut random = ChaCha12Rng::seed_from_u64(7);
    let mut killed = 0;
    for turn in 0..kills() {
        let out = folder(format!("{name}-{turn}"));
        let moment = duration.mul_f64(random.random_range(0.0..1.0));
        let mut run = command(&out).start();
        let started = Instant::now();
        while started.elapsed() < moment && run.is_running() {
            std::thread::sleep(Duration::from_millis(1));
        }
        killed += usize::from(run.is_running());
        run.kill();
        let rest = command(&out).run().succeeds();
        if read(&out) != expected {
            let fresh = folder(format!("{name}-fresh"));
            command(&fresh).run().succeeds();
            let which = match read(&fresh) == expected {
                true => "that of the first",
                false => "another than that of the first",
            };
            panic!(
                "{name}, killed after {moment:?} of {duration:?}: another result. One more \
                 undisturbed run has {which}.\n{rest}"
            );
        }
        std::fs::remove_dir_all(out).unwrap();
    }
    println!("{name}: killed {killed} times within {duration:?}, always the same result");
    assert!(killed > 0, "{name}: it always ended before");
}

#[test]
fn a_collection_killed_at_random_is_the_same() {
    let world = World::new();
    is_killed_at_random(
        "collect",
        &world,
        |out| world.collect_steps(&out.join("collection"), "30", "2"),
        |out| {
            let snapshots = |task| contents(&out.join("collection").join(task).join("snapshots"));
            TRAIN_TASKS.map(snapshots)
        },
    );
}

/// The files of a trained bundle; none of an unfinished run is left.
fn bundle(out: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = contents(out);
    // Speeds and times differ.
    files.retain(|(name, _)| !name.ends_with(".csv") && !name.ends_with(".svg"));
    files
}

#[test]
fn a_fit_to_weights_killed_at_random_is_the_same() {
    let world = World::collected();
    let recipe = std::fs::read_to_string(world.recipe()).unwrap();
    let longer = recipe.replace("steps = 6", "steps = 200");
    world.write(
        "recipe.toml",
        longer.replace("report_every = 2", "report_every = 20"),
    );
    is_killed_at_random(
        "weights",
        &world,
        |out| world.train(&out.join("bundle.safetensors")),
        bundle,
    );
}

#[test]
fn a_fit_to_behaviour_killed_at_random_is_the_same() {
    let world = behaviour::contrasting();
    is_killed_at_random(
        "behaviour",
        &world,
        |out| behaviour::train(&world, &out.join("bundle.safetensors")),
        bundle,
    );
}

#[test]
fn an_evaluation_killed_at_random_is_the_same() {
    let world = World::trained();
    is_killed_at_random(
        "eval",
        &world,
        |out| {
            world
                .eval(
                    "majority,base,average,nearest,generated",
                    &out.join("report.json"),
                )
                .and("--resume")
        },
        |out| {
            let text = std::fs::read_to_string(out.join("report.json")).unwrap();
            let mut rows: Vec<Value> = serde_json::from_str(&text).unwrap();
            for row in &mut rows {
                for field in ["adapt_seconds", "answer_seconds"] {
                    row[field] = Value::Null;
                }
            }
            rows
        },
    );
}
