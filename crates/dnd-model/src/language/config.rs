//! The configuration of a base model, from a Hugging Face `config.json` or GGUF metadata.

use dnd_adapter::{BaseDimensions, Projection, gguf::Gguf};
use serde::Deserialize;

use crate::Error;

/// The configuration of a base model of the Llama, Qwen2 or Qwen3 family.
///
/// Qwen2 differs from Llama only in the biases of q, k and v, which are detected in the weights;
/// Qwen3 has norms of queries and keys in their place.
#[derive(Debug, Clone)]
pub struct LanguageModelConfig {
    /// Layers, widths and heads.
    pub dimensions: BaseDimensions,
    /// Size of the vocabulary.
    pub vocab_size: usize,
    /// Added to the mean square in RMS norms.
    pub rms_norm_eps: f64,
    /// Angle of each rotary pair of channels at position 1, in radians.
    pub frequencies: Vec<f64>,
    /// Maximum context length in tokens.
    pub context_length: usize,
    /// Whether the embeddings are the output matrix too.
    pub ties_embeddings: bool,
}

/// The fields of `config.json` besides the dimensions.
#[derive(Deserialize)]
struct HuggingFaceConfig {
    vocab_size: usize,
    rms_norm_eps: f64,
    rope_theta: Option<f64>,
    rope_parameters: Option<RopeParameters>,
    rope_scaling: Option<RopeParameters>,
    hidden_act: String,
    #[serde(default)]
    use_sliding_window: bool,
    max_position_embeddings: Option<usize>,
    tie_word_embeddings: Option<bool>,
}

/// Default when a file does not specify the context length.
const CONTEXT_LENGTH: usize = 2048;

/// Rotary fields: `rope_scaling`, or `rope_parameters`, where transformers 5 keeps all of them.
#[derive(Deserialize)]
struct RopeParameters {
    rope_theta: Option<f64>,
    #[serde(alias = "type")]
    rope_type: Option<String>,
    factor: Option<f64>,
    low_freq_factor: Option<f64>,
    high_freq_factor: Option<f64>,
    original_max_position_embeddings: Option<f64>,
}

/// Angles at position 1 of a head's pairs of channels (Su et al., arXiv 2104.09864).
fn frequencies(theta: f64, head_dim: usize) -> Vec<f64> {
    let pairs = 0..head_dim / 2;
    pairs
        .map(|pair| theta.powf(-2.0 * pair as f64 / head_dim as f64))
        .collect()
}

impl RopeParameters {
    /// Scales frequencies as Llama 3.1 does (`_compute_llama3_parameters` in transformers'
    /// `modeling_rope_utils.py`): long waves by the factor, short ones not, those between by a
    /// part of it.
    fn scale(&self, field: &str, source_name: &str, frequencies: &mut [f64]) -> Result<(), Error> {
        let kind = self.rope_type.as_deref().unwrap_or("default");
        if kind == "default" {
            return Ok(());
        }
        if kind != "llama3" {
            let field = format!("{field}.rope_type");
            return Err(Error::field(source_name, &field, "default or llama3", kind));
        }
        let number = |name: &str, value: Option<f64>| {
            value.filter(|value| *value > 0.0).ok_or_else(|| {
                let field = format!("{field}.{name}");
                let found = value.map_or("nothing".to_owned(), |value| value.to_string());
                Error::field(source_name, &field, "a number above 0", found)
            })
        };
        let factor = number("factor", self.factor)?;
        let low = number("low_freq_factor", self.low_freq_factor)?;
        let high = number("high_freq_factor", self.high_freq_factor)?;
        let length = self.original_max_position_embeddings;
        let length = number("original_max_position_embeddings", length)?;
        for frequency in frequencies {
            let waves = length * *frequency / std::f64::consts::TAU;
            if waves < low {
                *frequency /= factor;
            } else if waves <= high {
                let part = (waves - low) / (high - low);
                *frequency *= (1.0 - part) / factor + part;
            }
        }
        Ok(())
    }
}

impl LanguageModelConfig {
    /// Reads a Hugging Face `config.json`.
    ///
    /// # Errors
    /// When a field is missing or the model needs an unsupported feature: another activation,
    /// other RoPE scaling than Llama 3's, or sliding-window attention.
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
        let parameters = config.rope_parameters.as_ref();
        let theta = parameters.and_then(|parameters| parameters.rope_theta);
        let theta = theta.or(config.rope_theta).unwrap_or(10_000.0);
        let mut frequencies = frequencies(theta, dimensions.head_dim);
        for (field, parameters) in [
            ("rope_parameters", parameters),
            ("rope_scaling", config.rope_scaling.as_ref()),
        ] {
            if let Some(parameters) = parameters {
                parameters.scale(field, source_name, &mut frequencies)?;
            }
        }
        Ok(Self {
            dimensions,
            vocab_size: config.vocab_size,
            rms_norm_eps: config.rms_norm_eps,
            frequencies,
            context_length: config.max_position_embeddings.unwrap_or(CONTEXT_LENGTH),
            // As in transformers' LlamaConfig, Qwen2Config and Qwen3Config.
            ties_embeddings: config.tie_word_embeddings.unwrap_or(false),
        })
    }

    /// Number of parameters.
    pub fn parameter_count(&self) -> usize {
        let dimensions = &self.dimensions;
        let (hidden, head) = (dimensions.hidden_size, dimensions.head_dim);
        let [queries, keys] = [
            dimensions.num_attention_heads * head,
            dimensions.num_key_value_heads * head,
        ];
        let products = Projection::ALL.map(|projection| {
            let (inputs, outputs) = dimensions.projection_shape(projection);
            inputs * outputs
        });
        let of_queries_and_keys = match dimensions.architecture.as_str() {
            "qwen2" => queries + 2 * keys,
            "qwen3" => 2 * head,
            _ => 0,
        };
        let layer = products.iter().sum::<usize>() + 2 * hidden + of_queries_and_keys;
        let embeddings = if self.ties_embeddings { 1 } else { 2 };
        embeddings * self.vocab_size * hidden + dimensions.num_layers * layer + hidden
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
    /// When a key is missing or the architecture is not supported.
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
        if is_scaled {
            return Err(Error::field(source_name, &scaling, "none", "RoPE scaling"));
        }
        let theta = gguf.float(&key("rope.freq_base")).unwrap_or(10_000.0);
        let mut frequencies = frequencies(theta, dimensions.head_dim);
        // Llama 3's scaling, as llama.cpp stores it: what each frequency is divided by.
        const FACTORS: &str = "rope_freqs.weight";
        if gguf.tensor(FACTORS).is_ok() {
            let factors = gguf.dequantize(FACTORS).map_err(dnd_adapter::Error::from)?;
            if factors.len() != frequencies.len() {
                let expected = format!("{} values", frequencies.len());
                let found = factors.len();
                return Err(Error::field(source_name, FACTORS, &expected, found));
            }
            let pairs = frequencies.iter_mut().zip(factors);
            pairs.for_each(|(frequency, factor)| *frequency /= f64::from(factor));
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
            frequencies,
            context_length: gguf
                .unsigned(&key("context_length"))
                .ok()
                .and_then(|length| usize::try_from(length).ok())
                .unwrap_or(CONTEXT_LENGTH),
            ties_embeddings: gguf.tensor("output.weight").is_err(),
            dimensions,
            vocab_size,
            rms_norm_eps: epsilon,
        })
    }
}
