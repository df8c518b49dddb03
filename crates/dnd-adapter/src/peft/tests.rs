use std::io::{Cursor, Read};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::test_data::{adapter, layouts, tiny_adapter, with_source};

const PRECISIONS: [Precision; 3] = [Precision::F32, Precision::F16, Precision::Bf16];

fn read_files(files: &PeftFiles) -> Result<Adapter, Error> {
    read(&files.config, CONFIG_FILE, &files.model, MODEL_FILE)
}

/// Rounds all values to a precision.
fn rounded(mut adapter: Adapter, precision: Precision) -> Adapter {
    for factors in &mut adapter.factors {
        factors.a = precision.decode(&precision.encode(&factors.a));
        factors.b = precision.decode(&precision.encode(&factors.b));
    }
    adapter
}

/// The error message after changing one field of a valid configuration.
fn config_error(field: &str, value: Value) -> String {
    let mut files = write(&tiny_adapter(), Precision::F16).unwrap();
    let mut config: Value = serde_json::from_slice(&files.config).unwrap();
    config[field] = value;
    files.config = serde_json::to_vec(&config).unwrap();
    read_files(&files).unwrap_err().to_string()
}

/// The error message after renaming or reshaping tensors of an adapter; an empty name removes a
/// tensor.
fn model_error(change: impl Fn(&mut String, &mut Vec<usize>)) -> String {
    let mut files = write(&tiny_adapter(), Precision::F16).unwrap();
    let file = tensor_file::TensorFile::new(&files.model, "x").unwrap();
    let mut tensors = Vec::new();
    for name in file.names() {
        let tensor = file.tensor(&name).unwrap();
        let (mut name, mut shape) = (name, tensor.shape);
        change(&mut name, &mut shape);
        if !name.is_empty() {
            tensors.push((name, shape, tensor.data));
        }
    }
    let borrowed = tensors.iter().map(|(name, shape, data)| {
        (
            name.clone(),
            shape.as_slice(),
            data.as_slice(),
            Precision::F16.into(),
        )
    });
    files.model = tensor_file::write("x", borrowed, ("format", "pt".to_owned())).unwrap();
    read_files(&files).unwrap_err().to_string()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn reads_what_it_writes(layout in layouts(1_usize..6), seed: u32, which in 0_usize..3) {
        // Ranks, alphas and layers vary between modules here.
        let precision = PRECISIONS[which];
        let adapter = rounded(adapter(layout, seed.into()), precision);
        let files = write(&adapter, precision).unwrap();
        prop_assert_eq!(&write(&adapter, precision).unwrap(), &files);
        prop_assert_eq!(read_files(&files).unwrap(), adapter);
    }

    #[test]
    fn any_change_of_a_byte_is_survived(position: prop::sample::Index, byte: u8) {
        let files = write(&tiny_adapter(), Precision::Bf16).unwrap();
        let mut changed = files.clone();
        *position.get_mut(&mut changed.model) = byte;
        let _ = read_files(&changed);
        let mut changed = files;
        *position.get_mut(&mut changed.config) = byte;
        let _ = read_files(&changed);
    }
}

#[test]
fn truncated_files_are_refused() {
    let files = write(&tiny_adapter(), Precision::F16).unwrap();
    for length in 0..files.model.len() {
        let model = &files.model[..length];
        let message = read(&files.config, "c", model, "cut.safetensors")
            .unwrap_err()
            .to_string();
        assert!(message.contains("cut.safetensors"), "{message}");
    }
    for length in 0..files.config.len() {
        assert!(read(&files.config[..length], "c", &files.model, "m").is_err());
    }
}

#[test]
fn config_of_a_uniform_adapter_is_plain() {
    let config = write(&tiny_adapter(), Precision::F16).unwrap().config;
    let config: Value = serde_json::from_slice(&config).unwrap();
    assert_eq!(config["r"], json!(4));
    assert_eq!(config["lora_alpha"].to_string(), "8");
    assert_eq!(
        (&config["rank_pattern"], &config["alpha_pattern"]),
        (&json!({}), &json!({}))
    );
    let targets = [
        "q_proj",
        "k_proj",
        "v_proj",
        "o_proj",
        "gate_proj",
        "up_proj",
        "down_proj",
    ];
    assert_eq!(config["target_modules"], json!(targets));
}

#[test]
fn config_of_a_partial_adapter_names_every_module() {
    let mut layout = tiny_adapter().layout;
    layout.use_rslora = true;
    layout.modules.truncate(8);
    layout.modules[7].rank = 2;
    layout.modules[7].alpha = 0.1;
    let adapter = adapter(layout, 3);
    let config: Value =
        serde_json::from_slice(&write(&adapter, Precision::F32).unwrap().config).unwrap();
    let path = "model.layers.1.self_attn.q_proj";
    assert_eq!(config["target_modules"][7], json!(path));
    assert_eq!(config["rank_pattern"], json!({ path: 2 }));
    assert_eq!(
        config["alpha_pattern"].to_string(),
        format!("{{\"{path}\":0.1}}")
    );
    assert_eq!(config["use_rslora"], json!(true));
}

#[test]
fn patterns_match_ends_of_paths_and_the_first_decides() {
    let text = r#"{"peft_type": "LORA", "base_model_name_or_path": "x", "r": 8, "lora_alpha": 16,
        "rank_pattern": {"layers.1.self_attn.q_proj": 3, "q_proj": 2, "^v_proj": 1,
                         "^model.layers.0.self_attn.v_proj": 5}, "alpha_pattern": null}"#;
    let config = Config::read(text.as_bytes(), "config").unwrap();
    assert_eq!(config.rank("model.layers.1.self_attn.q_proj"), 3);
    assert_eq!(config.rank("model.layers.11.self_attn.q_proj"), 2);
    assert_eq!(config.rank("model.layers.0.self_attn.v_proj"), 5);
    assert_eq!(config.rank("model.layers.1.self_attn.v_proj"), 8);
    assert_eq!(config.alpha("model.layers.1.self_attn.v_proj"), 16.0);
}

/// Against `get_pattern_key` of peft 0.17.
#[test]
fn patterns_are_regular_expressions() {
    let text = r#"{"peft_type": "LORA", "base_model_name_or_path": "x", "r": 8, "lora_alpha": 16,
        "rank_pattern": {"layers\\.(0|1)\\..*q_proj": 3, "^model.*[kv]_proj": 5, "_proj": 7},
        "alpha_pattern": {"mlp\\.(up|down)_proj": 32}}"#;
    let config = Config::read(text.as_bytes(), "config").unwrap();
    assert_eq!(config.rank("model.layers.1.self_attn.q_proj"), 3);
    assert_eq!(config.rank("model.layers.11.self_attn.q_proj"), 8);
    assert_eq!(config.rank("model.layers.11.self_attn.v_proj"), 5);
    assert_eq!(config.rank("other.model.layers.11.self_attn.v_proj"), 8);
    assert_eq!(config.alpha("model.layers.0.mlp.up_proj"), 32.0);
    assert_eq!(config.alpha("model.layers.0.mlp.gate_proj"), 16.0);
}

#[test]
fn unsupported_configs_are_refused_with_file_and_field() {
    for (field, value) in [
        ("peft_type", json!("IA3")),
        ("use_dora", json!(true)),
        ("fan_in_fan_out", json!(true)),
        ("layer_replication", json!([[0, 4]])),
        ("bias", json!("all")),
        ("init_lora_weights", json!("pissa_niter_4")),
        ("rank_pattern", json!({ "layers.(0.q_proj": 4 })),
    ] {
        let message = config_error(field, value);
        assert!(
            message.starts_with(&format!("adapter_config.json: {field}: ")),
            "{message}"
        );
    }
    assert!(config_error("r", Value::Null).contains("adapter_config.json"));
    assert!(config_error("r", json!(5)).contains("r = 5"));
    assert!(config_error("lora_alpha", json!(1e300)).contains("alpha"));
    let mut files = write(&tiny_adapter(), Precision::F16).unwrap();
    let text = String::from_utf8(files.config).unwrap();
    files.config = text.replace("\"r\": 4,", "").into_bytes();
    assert!(with_source(&read_files(&files).unwrap_err()).contains("`r`"));
}

#[test]
fn wrong_tensors_are_refused_with_file_and_name() {
    let b = "base_model.model.model.layers.1.mlp.up_proj.lora_B.weight";
    let message = model_error(|name, _| {
        if name == b {
            name.clear();
        }
    });
    assert!(
        message.contains(b) && message.contains(MODEL_FILE),
        "{message}"
    );
    for wrong in [
        "base_model.model.lm_head.lora_B.weight",
        "base_model.model.model.layers.1.mlp.up_proj.lora_magnitude_vector",
        "base_model.model.model.layers.01.mlp.up_proj.lora_B.weight",
        "base_model.model.model.layers.1.self_attn.up_proj.lora_B.weight",
        "base_model.model.model.layers.1.mlp.up_proj.extra.lora_B.weight",
        "base_model.model.model.layers.99999999999999999999.mlp.up_proj.lora_B.weight",
    ] {
        let message = model_error(|name, _| {
            if name == b {
                *name = wrong.to_owned();
            }
        });
        assert!(message.contains(wrong), "{message}");
    }
    let message = model_error(|name, shape| {
        if name == b {
            shape.reverse();
        }
    });
    assert!(
        message.contains("[out, r = 4]") && message.contains("[4, 24]"),
        "{message}"
    );
    assert!(model_error(|name, _| name.clear()).contains("modules"));
}

#[test]
fn zip_holds_the_files_and_is_repeatable() {
    let adapter = tiny_adapter();
    let files = write(&adapter, Precision::F16).unwrap();
    let card = readme(&adapter, "Made for a test.", "hot");
    let bytes = zip(&files, &card).unwrap();
    assert_eq!(zip(&files, &card).unwrap(), bytes);
    let mut archive = ::zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    assert_eq!(archive.len(), 3);
    for (name, expected) in [
        ("adapter_model.safetensors", files.model.as_slice()),
        ("adapter_config.json", files.config.as_slice()),
        ("README.md", card.as_bytes()),
    ] {
        let mut found = Vec::new();
        archive
            .by_name(name)
            .unwrap()
            .read_to_end(&mut found)
            .unwrap();
        assert_eq!(found, expected);
    }
}

#[test]
fn readme_shows_how_to_load_and_to_ask() {
    let mut adapter = tiny_adapter();
    let card = readme(&adapter, "Made for a test.", "hot");
    assert!(card.contains(
        "from peft import PeftModel\nfrom transformers import AutoModelForCausalLM, AutoTokenizer\n"
    ));
    assert!(card.contains("from_pretrained(\"owner/tiny\")") && card.contains("Made for a test."));
    for part in [
        "pip install torch peft transformers",
        "AutoTokenizer.from_pretrained(\"owner/tiny\")",
        "messages = [{\"role\": \"user\", ",
        "apply_chat_template",
        "model.generate(**inputs",
        "print(",
        "\"content\": \"hot\"}]",
        "dnd complete 'hot' --adapter path/to/this/folder\n",
        "--prompt 'hot'\n",
        "Check it before you use it",
    ] {
        assert!(card.contains(part), "{part}");
    }
    adapter.layout.base_model = "quote \" and\nline".to_owned();
    let card = readme(&adapter, "", "it's\n");
    let quoted = r#"from_pretrained("quote \" and\nline")"#;
    assert_eq!(card.matches(quoted).count(), 2, "model and tokenizer");
    assert!(card.contains(r#""content": "it's\n"}"#) && card.contains("--prompt 'it'\\''s\n'"));
}

#[test]
fn examples_ask_the_first_prompt_if_it_fits() {
    let question = |prompt: &str| example_question(&[prompt.to_owned()]).to_owned();
    assert_eq!(
        question(" Name the capital of Peru. "),
        "Name the capital of Peru."
    );
    assert_eq!(question("two\nlines"), QUESTION);
    assert_eq!(question(&"x".repeat(500)), QUESTION);
    assert_eq!(example_question(&[]), QUESTION);
}
