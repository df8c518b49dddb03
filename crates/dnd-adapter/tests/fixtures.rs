//! Compares with files made by PEFT and by the published code; see `fixtures/README.md` in the
//! shared folder. Without that folder the tests print a notice and pass.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use dnd_adapter::tensor_file::TensorFile;
use dnd_adapter::{
    Adapter, BaseDimensions, Factors, Layout, Precision, Projection, PublishedTokens, peft,
    published, tokens,
};
use serde_json::Value;

/// The fixtures folder, in `DND_SHARED` or beside the repository.
fn fixtures() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let shared = std::env::var_os("DND_SHARED").map_or_else(beside, PathBuf::from);
    let folder = shared.join("fixtures");
    if !folder.is_dir() {
        println!("skipped: ../shared is absent");
        return None;
    }
    Some(folder)
}

fn read_peft_fixture(folder: &Path) -> (Vec<u8>, Vec<u8>, Adapter) {
    let config = fs::read(folder.join("peft_adapter/adapter_config.json")).unwrap();
    let model = fs::read(folder.join("peft_adapter/adapter_model.safetensors")).unwrap();
    let adapter = peft::read(&config, "fixture config", &model, "fixture model").unwrap();
    (config, model, adapter)
}

#[test]
fn adapter_saved_by_peft_reads_and_writes_back_the_same() {
    let Some(folder) = fixtures() else { return };
    let (config, model, adapter) = read_peft_fixture(&folder);
    let dimensions = BaseDimensions {
        architecture: "llama".to_owned(),
        num_layers: 30,
        hidden_size: 576,
        intermediate_size: 1536,
        num_attention_heads: 9,
        num_key_value_heads: 3,
        head_dim: 64,
    };
    let name = "HuggingFaceTB/SmolLM2-135M-Instruct";
    let layout = Layout::new(name, &dimensions, 8, 16.0, &Projection::ALL).unwrap();
    assert_eq!(adapter.layout, layout);

    let written = peft::write(&adapter, Precision::F16).unwrap();
    assert!(
        written.model == model,
        "the tensor file differs from the one PEFT wrote"
    );

    let theirs: Value = serde_json::from_slice(&config).unwrap();
    let ours: Value = serde_json::from_slice(&written.config).unwrap();
    let (theirs, ours) = (theirs.as_object().unwrap(), ours.as_object().unwrap());
    let set = |value: &Value| -> BTreeSet<String> {
        value
            .as_array()
            .unwrap()
            .iter()
            .map(Value::to_string)
            .collect()
    };
    for (field, value) in ours {
        if field == "target_modules" {
            assert_eq!(set(value), set(&theirs[field]));
        } else {
            assert_eq!(value, &theirs[field], "{field}");
        }
    }
    // Omitted fields are off, or have no effect because another option is off.
    let meaningless = ["megatron_core", "peft_version", "qalora_group_size"];
    for (field, value) in theirs
        .iter()
        .filter(|(field, _)| !ours.contains_key(*field))
    {
        let off = value.is_null() || *value == false || *value == Value::Object(Default::default());
        assert!(
            off || meaningless.contains(&field.as_str()),
            "{field}: {value}"
        );
    }
}

#[test]
fn adapter_saved_by_peft_is_cut_into_1590_tokens() {
    let Some(folder) = fixtures() else { return };
    let (_, _, adapter) = read_peft_fixture(&folder);
    let cut = tokens::from_adapter(&adapter).unwrap();
    assert_eq!(cut.len(), 1590 * 8 * 192);
    assert_eq!(tokens::to_adapter(&adapter.layout, &cut).unwrap(), adapter);
    assert!((0..adapter.factors.len()).all(|index| adapter.update_norm(index).is_finite()));
}

#[test]
fn tiny_model_has_the_shapes_of_its_weights() {
    let Some(folder) = fixtures() else { return };
    let text = fs::read_to_string(folder.join("tiny_qwen2/config.json")).unwrap();
    let dimensions = BaseDimensions::from_config_json(&text, "config.json").unwrap();
    let bytes = fs::read(folder.join("tiny_qwen2/model.safetensors")).unwrap();
    let file = TensorFile::new(&bytes, "model.safetensors").unwrap();
    let layout = Layout::new("tiny", &dimensions, 2, 4.0, &Projection::ALL).unwrap();
    assert_eq!(layout.num_layers(), 3);
    for module in &layout.modules {
        let shape = file.shape(&format!("{}.weight", module.path())).unwrap();
        assert_eq!(shape, [module.out_features, module.in_features]);
    }
}

/// Two layers of Qwen2.5-0.5B, with factors from the tensors whose names start with `prefix`.
fn qwen_adapter(file: &TensorFile, prefix: &str) -> Adapter {
    let dimensions = BaseDimensions {
        architecture: "qwen2".to_owned(),
        num_layers: 2,
        hidden_size: 896,
        intermediate_size: 4864,
        num_attention_heads: 14,
        num_key_value_heads: 2,
        head_dim: 64,
    };
    let layout = Layout::new("Qwen/Qwen2.5-0.5B", &dimensions, 8, 16.0, &Projection::ALL).unwrap();
    let read = |path: &str, factor: &str| {
        file.tensor(&format!("{prefix}{path}.lora_{factor}.weight"))
            .unwrap()
            .data
    };
    let factors = layout
        .modules
        .iter()
        .map(|module| Factors {
            a: read(&module.path(), "A"),
            b: read(&module.path(), "B"),
        })
        .collect();
    Adapter::new(layout, factors).unwrap()
}

fn largest_difference(left: &[f32], right: &[f32]) -> f32 {
    assert_eq!(left.len(), right.len());
    left.iter()
        .zip(right)
        .fold(0.0, |largest, (a, b)| largest.max((a - b).abs()))
}

#[test]
fn published_tokens_agree_both_ways() {
    let Some(folder) = fixtures() else { return };
    let bytes = fs::read(folder.join("qwen25_05b_tokens.safetensors")).unwrap();
    let file = TensorFile::new(&bytes, "qwen25_05b_tokens.safetensors").unwrap();
    let adapter = qwen_adapter(&file, "adapter.base_model.model.");

    let ours = published::tokenize(&adapter, (8, 128)).unwrap();
    let theirs = file.tensor("tokens").unwrap();
    assert_eq!(ours.shape, [358, 10, 130]);
    assert_eq!(theirs.shape, ours.shape);
    assert_eq!(file.shape("mask").unwrap(), ours.shape);
    // The fixture has no padding. Its mask has a byte type, which `TensorFile` does not decode.
    assert!(ours.mask.iter().all(|&mask| mask == 1));
    let difference = largest_difference(&ours.data, &theirs.data);
    assert!(difference < 1e-5, "{difference}");

    let given = PublishedTokens {
        shape: ours.shape,
        data: theirs.data,
        mask: ours.mask,
    };
    let ours = published::detokenize(&adapter.layout, &given).unwrap();
    let theirs = qwen_adapter(&file, "detokenized.");
    for (ours, theirs) in ours.factors.iter().zip(&theirs.factors) {
        assert!(largest_difference(&ours.a, &theirs.a) < 1e-6);
        assert!(largest_difference(&ours.b, &theirs.b) < 1e-6);
    }
}
