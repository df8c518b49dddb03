//! The configuration of a base model, from a Hugging Face `config.json` or GGUF metadata.

use dnd_adapter::{BaseDimensions, gguf::Gguf};
use serde::Deserialize;

use crate::Error;

/// The configuration of a base model of the Llama or Qwen2 family.
///
/// Qwen2 differs from Llama only in the biases of q, k and v. They are detected in the weights.
#[derive(Debug, Clone)]
pub struct LanguageModelConfig {
    /// Layers, widths and heads.
    pub dimensions: BaseDimensions,
    /// Size of the vocabulary.
    pub vocab_size: usize,
    /// Added to the mean square in RMS norms.
    pub rms_norm_eps: f64,
    /// Base of the rotary frequencies.
    pub rope_theta: f64,
    /// Maximum context length in tokens.
    pub context_length: usize,
}

/// The fields of `config.json` besides the dimensions.
#[derive(Deserialize)]
struct HuggingFaceConfig {
    vocab_size: usize,
    rms_norm_eps: f64,
    rope_theta: Option<f64>,
    rope_parameters: Option<RopeParameters>,
    rope_scaling: Option<serde_json::Value>,
    hidden_act: String,
    #[serde(default)]
    use_sliding_window: bool,
    max_position_embeddings: Option<usize>,
}

/// Default when a file does not specify the context length.
const CONTEXT_LENGTH: usize = 2048;

/// transformers 5 moved the rotary fields here.
#[derive(Deserialize)]
struct RopeParameters {
    rope_theta: Option<f64>,
    rope_type: Option<String>,
}

impl LanguageModelConfig {
    /// Reads a Hugging Face `config.json`.
    ///
    /// # Errors
    /// When a field is missing or the model needs an unsupported feature: another activation,
    /// RoPE scaling or sliding-window attention.
    pub fn from_json(text: &str, source_name: &str) -> Result<Self, Error> {
        let dimensions = BaseDimensions::from_config_json(text, source_name)?;
        let config: HuggingFaceConfig =
            serde_json::from_str(text).map_err(|e| Error::format(source_name, e))?;
        if config.hidden_act != "silu" {
            return Err(Error::field(
                source_name,
                "hidden_act",
                "silu",
                config.hidden_act,
            ));
        }
        if config.use_sliding_window {
            return Err(Error::field(
                source_name,
                "use_sliding_window",
                "false",
                "true",
            ));
        }
        if let Some(scaling) = config.rope_scaling.filter(|value| !value.is_null()) {
            return Err(Error::field(source_name, "rope_scaling", "null", scaling));
        }
        let mut rope_theta = config.rope_theta;
        if let Some(parameters) = config.rope_parameters {
            let kind = parameters.rope_type.as_deref().unwrap_or("default");
            if kind != "default" {
                return Err(Error::field(
                    source_name,
                    "rope_parameters.rope_type",
                    "default",
                    kind,
                ));
            }
            rope_theta = parameters.rope_theta.or(rope_theta);
        }
        Ok(Self {
            dimensions,
            vocab_size: config.vocab_size,
            rms_norm_eps: config.rms_norm_eps,
            rope_theta: rope_theta.unwrap_or(10_000.0),
            context_length: config.max_position_embeddings.unwrap_or(CONTEXT_LENGTH),
        })
    }

    /// Checks that a prompt and its completion, together `tokens` long, fit the context.
    ///
    /// # Errors
    /// [`Error::Field`] when they do not.
    pub fn check_length(&self, tokens: usize) -> Result<(), Error> {
        if tokens <= self.context_length {
            return Ok(());
        }
        Err(Error::field(
            "base model",
            "prompt and completion",
            &format!("at most {} tokens", self.context_length),
            tokens,
        ))
    }

    /// Reads the metadata of a GGUF file.
    ///
    /// # Errors
    /// When a key is missing or the architecture is not `llama` or `qwen2`.
    pub fn from_gguf(gguf: &Gguf, source_name: &str) -> Result<Self, Error> {
        let dimensions = BaseDimensions::from_gguf(gguf)?;
        let architecture = &dimensions.architecture;
        let key = |rest: &str| format!("{architecture}.{rest}");
        let epsilon = gguf
            .float(&key("attention.layer_norm_rms_epsilon"))
            .map_err(dnd_adapter::Error::from)?;
        let scaling = key("rope.scaling.type");
        let is_scaled = gguf.metadata().contains_key(scaling.as_str())
            && gguf.string(&scaling).ok() != Some("none");
        if is_scaled || gguf.tensor("rope_freqs.weight").is_ok() {
            return Err(Error::field(source_name, &scaling, "none", "RoPE scaling"));
        }
        let embedding = gguf
            .tensor("token_embd.weight")
            .map_err(dnd_adapter::Error::from)?;
        let &[vocab_size, _] = embedding.shape.as_slice() else {
            return Err(Error::Shape {
                source_name: source_name.to_owned(),
                tensor: "token_embd.weight".to_owned(),
                expected: vec![0, dimensions.hidden_size],
                found: embedding.shape.clone(),
            });
        };
        Ok(Self {
            rope_theta: gguf.float(&key("rope.freq_base")).unwrap_or(10_000.0),
            context_length: gguf
                .unsigned(&key("context_length"))
                .ok()
                .and_then(|length| usize::try_from(length).ok())
                .unwrap_or(CONTEXT_LENGTH),
            dimensions,
            vocab_size,
            rms_norm_eps: epsilon,
        })
    }
}
