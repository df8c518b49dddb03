//! Bundles that are damaged, inconsistent, or for another model.

use serde_json::{Value, json};

use crate::program::Dnd;
use crate::tensors::{Container, damages};
use crate::text_encoder::{self, POSITIONS};
use crate::world::{PROMPTS, World, file_name};

/// Asserts that `inspect` and `generate` reject these bytes and name the file.
fn refused(world: &World, what: &str, bytes: &[u8]) {
    println!("{what}");
    let bundle = world.write("damaged.safetensors", bytes);
    let name = file_name(&bundle);
    Dnd::new("inspect").and(&bundle).run().fails(&[name]);
    not_used(world, bytes, &[name]);
}

/// Asserts that `generate` rejects these bytes, mentions `words` and writes nothing.
fn not_used(world: &World, bytes: &[u8], words: &[&str]) {
    let bundle = world.write("damaged.safetensors", bytes);
    let prompts = world.prompts("prompts.txt", PROMPTS);
    let out = world.path("adapter");
    world
        .generate_with(&bundle, &prompts, &out)
        .run()
        .fails(words);
    assert!(!out.exists());
}

#[test]
fn damaged_files() {
    let world = World::trained();
    for (what, bytes) in damages(&world.bundle(), "generator.0.bias") {
        refused(&world, &what, &bytes);
    }
}

#[test]
fn headers_of_another_kind() {
    let world = World::trained();
    let container = Container::open(&world.bundle());
    let text = |what: &str, text: &str| {
        let mut container = container.clone();
        container.header["__metadata__"]["dnd"] = Value::from(text);
        refused(&world, what, &container.bytes());
    };
    text("no JSON", "certainly");
    text("no fields", "{}");
    text("another version", "{\"format\": 2}");
    let mut plain = container.clone();
    plain.header["__metadata__"] = json!({"format": "pt"});
    refused(&world, "another safetensors file", &plain.bytes());
}

/// Sizes must be checked against the tensors: allocating by the header alone would abort the
/// program.
#[test]
fn headers_with_sizes_that_no_tensor_has() {
    let world = World::trained();
    let container = Container::open(&world.bundle());
    let huge = 1u64 << 45;
    type Change = fn(&mut Value, Value);
    let changes: [(&str, Change); 6] = [
        ("prompts", |header, size| {
            header["prompts"] = size.clone();
            header["generator"]["features"][0][0] = size;
        }),
        ("tokens", |header, size| {
            header["tokens_per_prompt"] = size.clone();
            header["generator"]["features"][0][1] = size;
        }),
        ("hidden", |header, size| {
            header["generator"]["features"][1][0] = size
        }),
        ("kernel", |header, size| {
            header["generator"]["kernel_size"] = json!(size.as_u64().unwrap() + 1);
        }),
        ("rank", |header, size| {
            for module in header["layout"]["modules"].as_array_mut().unwrap() {
                module["rank"] = size.clone();
            }
        }),
        ("width", |header, size| {
            header["layout"]["modules"][0]["in_features"] = size;
        }),
    ];
    for (what, change) in changes {
        println!("{what}");
        for size in [3, huge, u64::MAX / 2] {
            let bytes = container.with_bundle_header(|header| change(header, json!(size)));
            not_used(&world, &bytes, &["damaged.safetensors"]);
        }
    }
}

#[test]
fn for_another_base_model() {
    let world = World::trained();
    let prompts = world.prompts("prompts.txt", PROMPTS);
    let out = world.path("adapter");
    let words = [
        "bundle.safetensors",
        "owner/other",
        "HuggingFaceTB/SmolLM2-135M-Instruct",
    ];
    let generate = world
        .generate(&prompts, &out)
        .with("--base-model", "owner/other");
    generate.run().fails(&words);
    assert!(!out.exists());

    let change = |header: &mut Value| header["layout"]["base_model"] = json!("owner/other");
    let bytes = Container::open(&world.bundle()).with_bundle_header(change);
    not_used(&world, &bytes, &["damaged.safetensors", words[1], words[2]]);
    let json = world.path("report.json");
    std::fs::write(world.bundle(), &bytes).unwrap();
    world.eval("generated", &json).run().fails(&words);
    assert!(!json.exists());
}

#[test]
fn for_another_encoder() {
    let world = World::trained();
    // The same architecture, so that only the hash differs.
    text_encoder::write_folder(&world.encoder(), 3);
    let prompts = world.prompts("prompts.txt", PROMPTS);
    let out = world.path("adapter");
    let generate = world.generate(&prompts, &out);
    generate
        .run()
        .fails(&["bundle.safetensors", "encoder", "SHA-256"]);
    assert!(!out.exists());
}

/// Prompts are limited by the encoder's position embeddings and its two special tokens.
#[test]
fn recipes_for_prompts_that_the_encoder_cannot_read() {
    let world = World::collected();
    let recipe = std::fs::read_to_string(world.recipe()).unwrap();
    let long = "lorem ".repeat(4 * POSITIONS);
    let prompts = world.path("collection/length/prompts.json");
    std::fs::write(prompts, json!([long, long, long, long]).to_string()).unwrap();
    for tokens in ["1", "512"] {
        let text = format!("tokens_per_prompt = {tokens}");
        let recipe = recipe.replace("tokens_per_prompt = 16", &text);
        world.write("recipe.toml", recipe);
        world
            .train(&world.bundle())
            .run()
            .fails(&["tokens", tokens]);
        assert!(!world.bundle().exists());
    }
}
