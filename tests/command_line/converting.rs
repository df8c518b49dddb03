//! `dnd convert`, `dnd merge` and `dnd generate --format gguf`: adapters for llama.cpp.

use std::path::Path;

use dnd_adapter::tensor_file::TensorFile;

use crate::gguf::TensorType;
use crate::language_model;
use crate::program::Dnd;
use crate::world::{World, contents, names};

const PROMPT: &str = "What is the opposite of hot?";

/// A world with a bundle, and the folder of an adapter.
fn generated() -> (World, std::path::PathBuf) {
    let world = World::trained();
    let adapter = world.path("adapter");
    let prompts = world.prompts("prompts.txt", 8);
    world.generate(&prompts, &adapter).run().succeeds();
    (world, adapter)
}

fn convert(world: &World, adapter: &Path, to: &str, out: &Path) -> Dnd {
    Dnd::new("convert")
        .and(adapter)
        .with("--to", to)
        .with("--base", world.base())
        .with("--out", out)
}

/// Logits for the first token of the answer.
fn logits(world: &World, base: &Path, adapter: Option<&Path>) -> Vec<f32> {
    let path = world.path("logits.safetensors");
    let complete = Dnd::new("complete")
        .with("--base", base)
        .and(PROMPT)
        .with("--max-tokens", "1")
        .with("--logits", &path);
    let complete = match adapter {
        Some(adapter) => complete.with("--adapter", adapter),
        None => complete,
    };
    complete.run().succeeds();
    let bytes = std::fs::read(path).unwrap();
    let file = TensorFile::new(&bytes, "logits").unwrap();
    file.tensor("logits").unwrap().data
}

#[test]
fn an_adapter_survives_the_way_to_gguf_and_back() {
    let (world, adapter) = generated();
    let gguf = world.path("adapter.gguf");
    convert(&world, &adapter, "gguf", &gguf).run().succeeds();
    let base = world.base();
    let expected = logits(&world, &base, Some(&adapter));
    assert_eq!(logits(&world, &base, Some(&gguf)), expected);
    assert_ne!(logits(&world, &base, None), expected);
    let back = world.path("back");
    convert(&world, &gguf, "peft", &back).run().succeeds();
    let model = |folder: &Path| {
        let files = contents(folder).into_iter();
        let mut files = files.filter(|(name, _)| name != "README.md");
        [files.next().unwrap(), files.next().unwrap()]
    };
    assert_eq!(model(&back), model(&adapter));
}

#[test]
fn a_merged_model_answers_like_base_and_adapter() {
    let (world, adapter) = generated();
    let base = world.write("base.gguf", language_model::gguf(1, TensorType::F32));
    let merged = world.path("merged.gguf");
    let merge = Dnd::new("merge").and(&adapter).with("--base", &base);
    merge
        .with("--type", "f16")
        .with("--out", &merged)
        .run()
        .succeeds();
    let expected = logits(&world, &base, Some(&adapter));
    let found = logits(&world, &merged, None);
    let differences = expected.iter().zip(&found).map(|(a, b)| (a - b).abs());
    let largest = differences.fold(0.0, f32::max);
    let effect = logits(&world, &base, None);
    let effect = effect.iter().zip(&expected).map(|(a, b)| (a - b).abs());
    let effect = effect.fold(0.0, f32::max);
    assert!(largest < 0.1 * effect, "{largest} of {effect}");
}

#[test]
fn what_cannot_be_converted_is_refused() {
    let (world, adapter) = generated();
    let gguf = world.path("adapter.gguf");
    // A bundle of the weights objective does not tell the base model's sizes.
    world
        .generate(&world.prompts("prompts.txt", 8), &world.path("other"))
        .with("--format", "peft,gguf")
        .run()
        .fails(&["--format gguf", "dnd convert"]);
    assert!(!names(&world.path("")).contains(&"other".to_owned()));
    // Neither a model nor a folder that is no adapter is one.
    let model = world.write("base.gguf", language_model::gguf(1, TensorType::F32));
    convert(&world, &model, "peft", &world.path("x"))
        .run()
        .fails(&["base.gguf", "a GGUF file with a model"]);
    convert(&world, &world.base(), "gguf", &gguf)
        .run()
        .fails(&["adapter_config.json"]);
    Dnd::new("merge")
        .and(&adapter)
        .with("--base", world.base())
        .with("--out", &gguf)
        .run()
        .fails(&["expected the GGUF file of the base model, found a folder"]);
    assert!(!gguf.exists());
}

/// The file for llama.cpp would otherwise answer for another task than the files beside it.
#[test]
fn a_new_adapter_takes_the_earlier_gguf_file_with_it() {
    let (world, adapter) = generated();
    let gguf = adapter.join("adapter.gguf");
    convert(&world, &adapter, "gguf", &gguf).run().succeeds();
    let again = world.generate(&world.prompts("prompts.txt", 8), &adapter);
    let outcome = again.run().succeeds();
    assert!(outcome.stderr.contains("adapter.gguf"), "{outcome}");
    assert!(!gguf.exists());
}

#[test]
fn nothing_else_is_written_over() {
    let (world, adapter) = generated();
    let own = adapter.join("adapter.gguf");
    convert(&world, &adapter, "gguf", &own).run().succeeds();
    // Into its own folder it may be converted again.
    convert(&world, &adapter, "gguf", &own).run().succeeds();
    let gguf = world.path("adapter.gguf");
    convert(&world, &adapter, "gguf", &gguf).run().succeeds();
    let before = contents(&adapter);
    for (from, to, out) in [
        (&adapter, "gguf", &gguf),
        (&gguf, "gguf", &gguf),
        (&gguf, "peft", &adapter),
        (&adapter, "peft", &adapter),
    ] {
        let outcome = convert(&world, from, to, out).run();
        outcome.fails(&["expected a new place", "--yes"]);
    }
    assert!(contents(&adapter) == before);
    let weights = adapter.join("adapter_model.safetensors");
    for out in [&weights, &adapter] {
        let outcome = convert(&world, &adapter, "gguf", out).and("--yes").run();
        outcome.fails(&["adapter"]);
    }
    for out in [&weights, &gguf] {
        let merge = Dnd::new("merge").and(&adapter).with("--out", out);
        let merge = merge.with(
            "--base",
            world.write("b.gguf", language_model::gguf(1, TensorType::F32)),
        );
        merge.run().fails(&["found something else"]);
    }
    // The GGUF file of the adapter before goes.
    convert(&world, &gguf, "peft", &adapter)
        .and("--yes")
        .run()
        .succeeds();
    assert!(!own.exists());

    let base = world.write("base.gguf", language_model::gguf(1, TensorType::F32));
    let model = std::fs::read(&base).unwrap();
    convert(&world, &adapter, "gguf", &base)
        .run()
        .fails(&["base.gguf", "expected a new place"]);
    Dnd::new("merge")
        .and(&adapter)
        .with("--base", &base)
        .with("--out", &base)
        .run()
        .fails(&["--out", "another file than the base model"]);
    assert!(std::fs::read(&base).unwrap() == model);
}
