//! `adapter_config.json`, PEFT's `LoraConfig`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::CONFIG_FILE;
use super::patterns::Patterns;
use crate::error::Error;
use crate::layout::{Layout, Module};

/// Unsupported options that change the meaning of the tensors. They must be absent, null, false
/// or empty.
const UNSUPPORTED: [&str; 11] = [
    "alora_invocation_tokens",
    "arrow_config",
    "fan_in_fan_out",
    "kasa_config",
    "layer_replication",
    "lora_bias",
    "modules_to_save",
    "trainable_token_indices",
    "use_bdlora",
    "use_dora",
    "use_qalora",
];

/// The supported part of an adapter configuration.
#[derive(Debug)]
pub(super) struct Config {
    pub(super) base_model: String,
    pub(super) use_rslora: bool,
    rank: usize,
    alpha: f32,
    rank_pattern: Patterns<usize>,
    alpha_pattern: Patterns<f32>,
    target_modules: Vec<String>,
}

impl Config {
    /// Reads the JSON text; `source_name` names it in errors.
    pub(super) fn read(json: &[u8], source_name: &str) -> Result<Config, Error> {
        let fields: ReadFields =
            serde_json::from_slice(json).map_err(|error| Error::json(source_name, error))?;
        if fields.peft_type != "LORA" {
            return Err(Error::field(
                source_name,
                "peft_type",
                "LORA",
                fields.peft_type,
            ));
        }
        for name in UNSUPPORTED {
            if let Some(value) = fields.others.get(name).filter(|value| !is_off(value)) {
                return Err(Error::field(
                    source_name,
                    name,
                    "false, null or empty",
                    value,
                ));
            }
        }
        // These initializations also change the base weights, so the factors alone are not the
        // adapter.
        if let Some(Value::String(name)) = fields.others.get("init_lora_weights")
            && ["pissa", "olora", "corda", "loftq"]
                .iter()
                .any(|other| name.starts_with(other))
        {
            let expected = "an initialization that leaves the base weights unchanged";
            return Err(Error::field(
                source_name,
                "init_lora_weights",
                expected,
                name,
            ));
        }
        if let Some(bias) = fields.bias.filter(|bias| bias != "none") {
            return Err(Error::field(source_name, "bias", "none", bias));
        }
        let rank_pattern = fields.rank_pattern.unwrap_or_default();
        let alpha_pattern = fields.alpha_pattern.unwrap_or_default();
        let mistakes = [
            ("rank_pattern", rank_pattern.mistake()),
            ("alpha_pattern", alpha_pattern.mistake()),
        ];
        for (field, mistake) in mistakes {
            if let Some((key, error)) = mistake {
                let expected = format!("regular expressions as keys ({error})");
                return Err(Error::field(source_name, field, &expected, key));
            }
        }
        Ok(Config {
            // PEFT writes none where the model was not loaded by a name.
            base_model: fields.base_model_name_or_path.unwrap_or_default(),
            use_rslora: fields.use_rslora.unwrap_or(false),
            rank: fields.r,
            alpha: fields.lora_alpha,
            rank_pattern,
            alpha_pattern,
            target_modules: Vec::new(),
        })
    }

    /// The configuration of a layout: rank and alpha of the first module, and patterns for
    /// modules that differ.
    pub(super) fn from_layout(layout: &Layout) -> Config {
        let modules = &layout.modules;
        let (rank, alpha) = modules
            .first()
            .map_or((0, 0.0), |module| (module.rank, module.alpha));
        let differing = modules.iter().filter(|module| module.rank != rank);
        let rank_pattern = differing
            .map(|module| (module.path(), module.rank))
            .collect();
        let differing = modules.iter().filter(|module| module.alpha != alpha);
        let alpha_pattern = differing
            .map(|module| (module.path(), module.alpha))
            .collect();
        let targets = layout.targets();
        // A bare name covers that projection in all layers, so it requires a full grid.
        let target_modules = if modules.len() == layout.num_layers() * targets.len() {
            targets
                .iter()
                .map(|target| target.name().to_owned())
                .collect()
        } else {
            modules.iter().map(Module::path).collect()
        };
        Config {
            base_model: layout.base_model.clone(),
            use_rslora: layout.use_rslora,
            rank,
            alpha,
            rank_pattern,
            alpha_pattern,
            target_modules,
        }
    }

    /// Rank of the module at `path`, such as `model.layers.0.self_attn.q_proj`.
    pub(super) fn rank(&self, path: &str) -> usize {
        self.rank_pattern.get(path).unwrap_or(self.rank)
    }

    /// Alpha of the module at `path`.
    pub(super) fn alpha(&self, path: &str) -> f32 {
        self.alpha_pattern.get(path).unwrap_or(self.alpha)
    }

    /// The JSON text. It contains only the relevant fields of peft 0.21 and leaves the others
    /// to PEFT's defaults, because older releases reject unknown fields.
    pub(super) fn to_json(&self) -> Result<Vec<u8>, Error> {
        let rank_pattern = self.rank_pattern.entries();
        let alpha_pattern = self.alpha_pattern.entries();
        let fields = WriteFields {
            alpha_pattern: alpha_pattern
                .map(|(key, alpha)| (key, number(alpha)))
                .collect(),
            base_model_name_or_path: &self.base_model,
            bias: "none",
            fan_in_fan_out: false,
            inference_mode: true,
            init_lora_weights: true,
            lora_alpha: number(self.alpha),
            lora_dropout: 0.0,
            modules_to_save: None,
            peft_type: "LORA",
            r: self.rank,
            rank_pattern: rank_pattern.collect(),
            target_modules: &self.target_modules,
            task_type: "CAUSAL_LM",
            use_dora: false,
            use_rslora: self.use_rslora,
        };
        serde_json::to_vec_pretty(&fields).map_err(|error| Error::json(CONFIG_FILE, error))
    }
}

fn is_off(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

/// The fields read from the file.
#[derive(Deserialize)]
struct ReadFields {
    peft_type: String,
    base_model_name_or_path: Option<String>,
    r: usize,
    lora_alpha: f32,
    bias: Option<String>,
    use_rslora: Option<bool>,
    rank_pattern: Option<Patterns<usize>>,
    alpha_pattern: Option<Patterns<f32>>,
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

/// The fields written to the file, in alphabetical order as in PEFT.
#[derive(Serialize)]
struct WriteFields<'a> {
    alpha_pattern: BTreeMap<&'a String, Number>,
    base_model_name_or_path: &'a str,
    bias: &'a str,
    fan_in_fan_out: bool,
    inference_mode: bool,
    init_lora_weights: bool,
    lora_alpha: Number,
    lora_dropout: f32,
    modules_to_save: Option<Vec<String>>,
    peft_type: &'a str,
    r: usize,
    rank_pattern: BTreeMap<&'a String, usize>,
    target_modules: &'a [String],
    task_type: &'a str,
    use_dora: bool,
    use_rslora: bool,
}

/// An alpha, written as `16` rather than `16.0`: PEFT declares it an integer but accepts both.
#[derive(Serialize)]
#[serde(untagged)]
enum Number {
    Whole(i64),
    Fraction(f32),
}

fn number(value: f32) -> Number {
    // f32 represents all integers up to 2^24.
    if value.fract() == 0.0 && value.abs() <= 16_777_216.0 {
        Number::Whole(value as i64)
    } else {
        Number::Fraction(value)
    }
}
