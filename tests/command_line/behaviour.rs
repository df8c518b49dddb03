//! `dnd train --objective behaviour`: tasks in, bundle out, without a collection.

#[cfg(unix)]
mod interrupts;

use std::path::Path;

use dnd_adapter::{Adapter, Bundle, peft};
use serde_json::json;

use crate::program::Dnd;
use crate::world::{BASE_MODEL, World, names};

/// Examples of a task whose prompts reveal the task; the others are the same in every task.
const TELLING_LINES: usize = 8;
/// Words used in all examples.
const WORDS: [&str; 8] = [
    "one", "two", "three", "four", "five", "six", "seven", "eight",
];

const RECIPE: &str = "
[collect]
rank = 4
alpha = 8.0

[generator]
prompts = 8
tokens_per_prompt = 16
pooling = { queries = 4, positions = 2 }
hidden = [[8, 2, 16]]
features = [1, 16]

[behaviour]
steps = 160
tasks_per_step = 4
examples_per_task = 4
rate = 0.01
mean_rate = 0.01
warm_up = 2
scale = 0.2
weight_decay = 0.0
prompt_pool = 8
report_every = 20
validation_examples = 8
patience = 0
";

/// Two kinds of task that differ only in their first prompts. The other prompts are the same, but
/// have different answers.
fn write_tasks(world: &World) {
    let folder = world.path("contrast");
    std::fs::create_dir(&folder).unwrap();
    let mut index = Vec::new();
    for (kind, mark, answer) in [("low", "aa", "a"), ("high", "zz", "z")] {
        for number in 0..4 {
            let name = format!("{kind}_{number}");
            let lines: String = (0..TELLING_LINES + 16)
                .map(|line| {
                    let word = WORDS[(line + number) % WORDS.len()];
                    let prompt = if line < TELLING_LINES {
                        format!("{mark} {mark} {word} {mark}?")
                    } else {
                        format!("{word} {}?", line / WORDS.len())
                    };
                    format!("{}\n", json!({"prompt": prompt, "response": answer}))
                })
                .collect();
            world.write(&format!("contrast/{name}.train.jsonl"), lines);
            index.push(json!({"name": name, "family": kind, "role": "train", "ship": true}));
        }
    }
    index.push(json!({"name": "measured", "family": "low", "role": "dev", "ship": true}));
    let index = json!({ "tasks": index }).to_string();
    world.write("contrast/index.json", index);
    world.write("behaviour.toml", RECIPE);
}

/// A world with contrasting tasks.
pub fn contrasting() -> World {
    let world = World::new();
    write_tasks(&world);
    world
}

/// `dnd train` on the contrasting tasks into `out`; one task of each kind is held out.
pub fn train(world: &World, out: &Path) -> Dnd {
    Dnd::new("train")
        .with("--objective", "behaviour")
        .with("--tasks", world.path("contrast"))
        .with("--holdout", "low_3,high_3")
        .with("--base", world.base())
        .with("--base-model", BASE_MODEL)
        .with("--encoder", world.encoder())
        .with("--config", world.path("behaviour.toml"))
        .with("--out", out)
}

/// Changes the recipe.
fn change(world: &World, from: &str, to: &str) {
    let recipe = std::fs::read_to_string(world.path("behaviour.toml")).unwrap();
    assert!(recipe.contains(from));
    world.write("behaviour.toml", recipe.replace(from, to));
}

fn read_bundle(path: &Path) -> Bundle {
    Bundle::read(&std::fs::read(path).unwrap(), "bundle").unwrap()
}

fn read_adapter(folder: &Path) -> Adapter {
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let (config, model) = (read(peft::CONFIG_FILE), read(peft::MODEL_FILE));
    peft::read(&config, "config", &model, "model").unwrap()
}

#[test]
fn prompts_that_tell_the_task_make_better_adapters() {
    let world = contrasting();
    let outcome = train(&world, &world.bundle()).run().succeeds();
    assert!(outcome.stderr.contains("held-out tasks: mean"), "{outcome}");
    assert!(outcome.stderr.contains("tokens/s"), "{outcome}");
    let bundle = read_bundle(&world.bundle());
    let provenance = &bundle.header.provenance;
    assert_eq!(provenance["objective"], "behaviour");
    assert_eq!(provenance["held_out"], json!(["low_3", "high_3"]));
    assert_eq!(provenance["all_tasks_ship"], true);
    assert_eq!(provenance["tasks"].as_array().unwrap().len(), 6);
    assert_eq!(bundle.header.tasks.len(), 6);
    let loss = |name: &str| provenance[name].as_f64().unwrap();
    let [mean, generated, shuffled] = ["mean_loss", "generated_loss", "shuffled_loss"].map(loss);
    assert!(
        generated < 0.8 * mean && shuffled > mean,
        "mean {mean}, generated {generated}, from other prompts {shuffled}\n{outcome}"
    );
    // `dnd generate` reads the bundle.
    let prompts = world.prompts("prompts.txt", 8);
    let adapter = world.path("adapter");
    world
        .generate(&prompts, &adapter)
        .with("--format", "peft,gguf")
        .run()
        .succeeds();
    let gguf = std::fs::read(adapter.join("adapter.gguf")).unwrap();
    let convert = Dnd::new("convert").and(&adapter).with("--to", "gguf");
    convert.with("--base", world.base()).run().succeeds();
    assert_eq!(std::fs::read(adapter.join("adapter.gguf")).unwrap(), gguf);

    let curve = std::fs::read_to_string(world.path("bundle.csv")).unwrap();
    assert!(curve.starts_with("step,rate,loss,mean_loss,generated_loss,shuffled_loss"));
    assert_eq!(curve.lines().count(), 9);
    let picture = std::fs::read_to_string(world.path("bundle.svg")).unwrap();
    assert!(picture.contains("held-out tasks, generated"));

    // Running again changes nothing. With --start, training continues from the bundle.
    let again = train(&world, &world.bundle()).run().succeeds();
    assert!(again.stderr.contains("finished before"), "{again}");
    change(&world, "steps = 160", "steps = 2");
    change(&world, "report_every = 20", "report_every = 1");
    let next = world.path("next.safetensors");
    train(&world, &next)
        .with("--start", world.bundle())
        .run()
        .succeeds();
    let provenance = read_bundle(&next).header.provenance;
    let start = provenance["start"].as_str().unwrap();
    assert!(start.starts_with("bundle "), "{start}");
    let after = provenance["generated_loss"].as_f64().unwrap();
    assert!(after < mean, "{after} after starting from {generated}");

    // --start-mean takes only the mean, so the generator may have other sizes.
    change(&world, "hidden = [[8, 2, 16]]", "hidden = []");
    train(&world, &next)
        .with("--start", world.bundle())
        .run()
        .fails(&["bundle.safetensors", "generator"]);
    let fresh = world.path("fresh.safetensors");
    train(&world, &fresh)
        .with("--start-mean", world.bundle())
        .run()
        .succeeds();
    let provenance = read_bundle(&fresh).header.provenance;
    let fresh = provenance["generated_loss"].as_f64().unwrap();
    assert!(
        fresh > after,
        "{fresh} with a new generator, {after} before"
    );
}

#[test]
fn without_a_generator_there_is_one_adapter_for_all_tasks() {
    let world = contrasting();
    change(&world, "steps = 160", "steps = 4\ntrain_generator = false");
    change(&world, "report_every = 20", "report_every = 2");
    let adapter = world.path("mean");
    train(&world, &world.bundle())
        .with("--adapter-out", &adapter)
        .run()
        .succeeds();
    let provenance = read_bundle(&world.bundle()).header.provenance;
    assert!(provenance["mean_loss"].is_number());
    assert!(provenance["generated_loss"].is_null());
    let files = names(&adapter);
    assert!(
        files.contains(&"adapter_model.safetensors".to_owned()),
        "{files:?}"
    );
    // The bundle generates the mean adapter, which is also in the folder.
    let prompts = world.prompts("prompts.txt", 8);
    let generated = world.path("generated");
    world
        .generate(&prompts, &generated)
        .with("--precision", "f16")
        .run()
        .succeeds();
    // Compare numbers, not bytes: -0.0 + 0.0 is 0.0.
    assert_eq!(read_adapter(&adapter), read_adapter(&generated));
}

#[test]
fn patience_ends_a_fit_that_gets_no_better() {
    let world = contrasting();
    // Learning rates too small to change anything: the first report stays the best.
    change(
        &world,
        "rate = 0.01\nmean_rate = 0.01",
        "rate = 1e-30\nmean_rate = 0.0",
    );
    change(&world, "report_every = 20", "report_every = 1");
    change(&world, "patience = 0", "patience = 2");
    let outcome = train(&world, &world.bundle()).run().succeeds();
    assert!(
        outcome.stderr.contains("best loss on held-out tasks"),
        "{outcome}"
    );
    let curve = std::fs::read_to_string(world.path("bundle.csv")).unwrap();
    assert_eq!(curve.lines().count(), 4, "{curve}");
    assert_eq!(read_bundle(&world.bundle()).header.provenance["step"], 1);
}

#[test]
fn options_that_cannot_be_meant() {
    let world = contrasting();
    let out = world.bundle();
    train(&world, &out)
        .with("--holdout", "measured")
        .run()
        .fails(&["holdout", "measured"]);
    train(&world, &out)
        .with("--tasks", world.path("contrast"))
        .run()
        .fails(&["twice"]);
    train(&world, &out)
        .with("--start", world.path("missing.safetensors"))
        .run()
        .fails(&["missing.safetensors"]);
    world.write("behaviour.toml", "[behaviour]\ndrop_condition = 1.5\n");
    train(&world, &out)
        .run()
        .fails(&["behaviour.toml", "behaviour.drop_condition"]);
    world
        .train(&out)
        .with("--tasks", world.tasks())
        .run()
        .fails(&["--tasks", "behaviour"]);
    assert!(!out.exists());
}
