//! Models and adapters as people have them: shards, template files, several end tokens, pointers of
//! Git LFS, and files given in the wrong place.

use std::path::Path;

use dnd_adapter::tensor_file::TensorFile;
use serde_json::{Value, json};

use crate::gguf::TensorType;
use crate::language_model;
use crate::program::Dnd;
use crate::world::World;

const PROMPT: &str = "What is the opposite of hot?";

fn complete(base: &Path) -> Dnd {
    let complete = Dnd::new("complete").with("--base", base).and(PROMPT);
    complete.with("--max-tokens", "12")
}

fn read_json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Changes a field of a JSON file of the base model.
fn set(world: &World, file: &str, field: &str, value: Value) {
    let path = world.base().join(file);
    let mut found = if path.exists() {
        read_json(&path)
    } else {
        json!({})
    };
    found[field] = value;
    std::fs::write(path, found.to_string()).unwrap();
}

#[test]
fn weights_may_be_in_several_files() {
    let world = World::new();
    let expected = complete(&world.base()).run().succeeds().stdout;
    let whole = world.base().join("model.safetensors");
    let bytes = std::fs::read(&whole).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    let data = &bytes[8 + length..];
    let mut names: Vec<&String> = header.as_object().unwrap().keys().collect();
    names.retain(|name| *name != "__metadata__");
    let mut map = json!({});
    for (number, names) in names.chunks(names.len().div_ceil(2)).enumerate() {
        let (mut part, mut values) = (json!({}), Vec::new());
        for name in names {
            let mut tensor = header[*name].clone();
            let place = |index: usize| tensor["data_offsets"][index].as_u64().unwrap() as usize;
            let found = &data[place(0)..place(1)];
            let start = values.len();
            values.extend_from_slice(found);
            tensor["data_offsets"] = json!([start, values.len()]);
            part[*name] = tensor;
            map[*name] = json!(format!("part-{number}.safetensors"));
        }
        let part = part.to_string().into_bytes();
        let file = [&(part.len() as u64).to_le_bytes()[..], &part, &values].concat();
        let path = world.base().join(format!("part-{number}.safetensors"));
        std::fs::write(path, file).unwrap();
    }
    std::fs::remove_file(whole).unwrap();
    set(&world, "model.safetensors.index.json", "weight_map", map);
    assert_eq!(complete(&world.base()).run().succeeds().stdout, expected);
    std::fs::remove_file(world.base().join("part-1.safetensors")).unwrap();
    complete(&world.base()).run().fails(&["part-1.safetensors"]);
}

#[test]
fn a_template_file_precedes_the_configuration() {
    let world = World::new();
    let plain = complete(&world.base()).run().succeeds().stdout;
    let template = "{% for m in messages %}{{ m.role ~ '! ' ~ m.content }}{% endfor %}";
    std::fs::write(world.base().join("chat_template.jinja"), template).unwrap();
    let of_file = complete(&world.base()).run().succeeds().stdout;
    assert_ne!(of_file, plain);
    std::fs::remove_file(world.base().join("chat_template.jinja")).unwrap();
    let named = json!([{"name": "tool_use", "template": "{{ 1 }}"},
                       {"name": "default", "template": template}]);
    set(&world, "tokenizer_config.json", "chat_template", named);
    assert_eq!(complete(&world.base()).run().succeeds().stdout, of_file);
    // A guess is told.
    set(
        &world,
        "tokenizer_config.json",
        "chat_template",
        Value::Null,
    );
    let guessed = complete(&world.base()).run().succeeds();
    assert!(guessed.stderr.contains("has no chat template"), "{guessed}");
    std::fs::write(world.base().join("chat_template.jinja"), "{% if %}").unwrap();
    complete(&world.base())
        .run()
        .fails(&["chat_template.jinja:1"]);
}

/// The first token of the answer is made an end token by the generation configuration.
#[test]
fn every_end_token_ends_the_answer() {
    let world = World::new();
    let path = world.path("logits.safetensors");
    let whole = complete(&world.base()).with("--logits", &path);
    let whole = whole.run().succeeds().stdout;
    assert!(whole.len() > 1, "{whole:?}");
    let bytes = std::fs::read(&path).unwrap();
    let logits = TensorFile::new(&bytes, "logits").unwrap();
    let logits = logits.tensor("logits").unwrap().data;
    let best = (0..logits.len()).max_by(|&a, &b| logits[a].total_cmp(&logits[b]));
    set(
        &world,
        "generation_config.json",
        "eos_token_id",
        json!([best]),
    );
    let ended = complete(&world.base()).run().succeeds().stdout;
    assert_eq!(ended, "\n");
}

#[test]
fn what_a_file_is_instead_is_told() {
    let world = World::new();
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n";
    std::fs::write(world.base().join("model.safetensors"), pointer).unwrap();
    complete(&world.base())
        .run()
        .fails(&["model.safetensors", "git lfs pull"]);
    let gguf = world.write("model.gguf", pointer);
    complete(&gguf).run().fails(&["model.gguf", "git lfs pull"]);
    let folder = world.path("pickled");
    std::fs::create_dir(&folder).unwrap();
    world.write("pickled/adapter_config.json", "{}");
    world.write("pickled/adapter_model.bin", "x");
    let inspect = Dnd::new("inspect").and(&folder).run();
    inspect.fails(&["adapter_model.bin", "safe_serialization"]);
    let model = world.write("base.gguf", language_model::gguf(1, TensorType::F32));
    let answer = complete(&model).with("--adapter", &model).run();
    answer.fails(&["expected an adapter, found a GGUF file with a model"]);
    let shown = Dnd::new("inspect").and(world.base()).run().succeeds();
    assert!(
        shown.stdout.starts_with("model\narchitecture  llama\n"),
        "{shown}"
    );
}
