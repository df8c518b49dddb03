//! Dimensions of a base model, which determine the shapes of its adapters.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::gguf::Gguf;
use crate::projection::Projection;

/// Architectures with the module names and shapes assumed here.
const ARCHITECTURES: [&str; 3] = ["llama", "qwen2", "qwen3"];
/// Upper bound of a single size; products of two stay far from overflow in 64 bits.
const MAX_SIZE: u64 = 1 << 24;
/// Upper bound of the layer count; the deepest public models have about a hundred layers.
const MAX_LAYERS: u64 = 1 << 12;

/// Dimensions of a Llama, Qwen2 or Qwen3 model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaseDimensions {
    /// `"llama"`, `"qwen2"` or `"qwen3"`.
    pub architecture: String,
    /// Number of transformer layers.
    pub num_layers: usize,
    /// Size of the hidden states.
    pub hidden_size: usize,
    /// Size of the feed-forward layer.
    pub intermediate_size: usize,
    /// Number of query heads.
    pub num_attention_heads: usize,
    /// Number of key-value heads; each serves an equal number of query heads.
    pub num_key_value_heads: usize,
    /// Size of a head.
    pub head_dim: usize,
}

/// Sizes as read from a file, unchecked.
struct Sizes {
    layers: u64,
    hidden: u64,
    intermediate: u64,
    heads: u64,
    key_value_heads: Option<u64>,
    head_dim: Option<u64>,
}

/// The fields of a Hugging Face `config.json` used here.
#[derive(Deserialize)]
struct Config {
    model_type: String,
    num_hidden_layers: u64,
    hidden_size: u64,
    intermediate_size: u64,
    num_attention_heads: u64,
    num_key_value_heads: Option<u64>,
    head_dim: Option<u64>,
}

impl BaseDimensions {
    /// Reads a Hugging Face `config.json`; `source_name` names it in errors.
    ///
    /// As in transformers, `head_dim` defaults to the hidden size divided by the heads, and
    /// `num_key_value_heads` to the number of query heads.
    pub fn from_config_json(text: &str, source_name: &str) -> Result<BaseDimensions, Error> {
        let config: Config =
            serde_json::from_str(text).map_err(|error| Error::json(source_name, error))?;
        let sizes = Sizes {
            layers: config.num_hidden_layers,
            hidden: config.hidden_size,
            intermediate: config.intermediate_size,
            heads: config.num_attention_heads,
            key_value_heads: config.num_key_value_heads,
            head_dim: config.head_dim,
        };
        checked(source_name, "model_type", &config.model_type, sizes)
    }

    /// Reads the metadata of a GGUF file; ggml's `docs/gguf.md` describes the keys.
    pub fn from_gguf(gguf: &Gguf) -> Result<BaseDimensions, Error> {
        let architecture = gguf.string("general.architecture")?;
        let key = |name: &str| format!("{architecture}.{name}");
        let optional = |name: &str| {
            let key = key(name);
            let present = gguf.metadata().contains_key(key.as_str());
            present.then(|| gguf.unsigned(&key)).transpose()
        };
        let sizes = Sizes {
            layers: gguf.unsigned(&key("block_count"))?,
            hidden: gguf.unsigned(&key("embedding_length"))?,
            intermediate: gguf.unsigned(&key("feed_forward_length"))?,
            heads: gguf.unsigned(&key("attention.head_count"))?,
            key_value_heads: optional("attention.head_count_kv")?,
            head_dim: optional("attention.key_length")?,
        };
        checked(gguf.source(), "general.architecture", architecture, sizes)
    }

    /// Input and output size of a projection: (in_features, out_features).
    pub fn projection_shape(&self, projection: Projection) -> (usize, usize) {
        let queries = self.num_attention_heads * self.head_dim;
        let keys = self.num_key_value_heads * self.head_dim;
        match projection {
            Projection::Query => (self.hidden_size, queries),
            Projection::Key | Projection::Value => (self.hidden_size, keys),
            Projection::Output => (queries, self.hidden_size),
            Projection::Gate | Projection::Up => (self.hidden_size, self.intermediate_size),
            Projection::Down => (self.intermediate_size, self.hidden_size),
        }
    }
}

fn checked(
    source_name: &str,
    architecture_field: &str,
    architecture: &str,
    sizes: Sizes,
) -> Result<BaseDimensions, Error> {
    if !ARCHITECTURES.contains(&architecture) {
        return Err(Error::field(
            source_name,
            architecture_field,
            "llama, qwen2 or qwen3",
            architecture,
        ));
    }
    let in_range = |name: &str, value: u64, largest: u64| match value {
        // `largest` is far below 2^32, so the value fits in a 32-bit `usize`.
        1.. if value <= largest => Ok(value as usize),
        _ => Err(Error::field(
            source_name,
            name,
            format!("1 to {largest}"),
            value,
        )),
    };
    let hidden_size = in_range("hidden size", sizes.hidden, MAX_SIZE)?;
    let num_attention_heads = in_range("attention heads", sizes.heads, MAX_SIZE)?;
    let key_value_heads = sizes.key_value_heads.unwrap_or(sizes.heads);
    let num_key_value_heads = in_range("key and value heads", key_value_heads, MAX_SIZE)?;
    if !num_attention_heads.is_multiple_of(num_key_value_heads) {
        let expected = format!("a divisor of the {num_attention_heads} attention heads");
        return Err(Error::field(
            source_name,
            "key and value heads",
            expected,
            num_key_value_heads,
        ));
    }
    let head_dim = match sizes.head_dim {
        Some(head_dim) => in_range("head dimension", head_dim, MAX_SIZE)?,
        None if hidden_size.is_multiple_of(num_attention_heads) => {
            hidden_size / num_attention_heads
        }
        None => {
            let expected = format!("a multiple of the {num_attention_heads} attention heads");
            return Err(Error::field(
                source_name,
                "hidden size",
                expected,
                hidden_size,
            ));
        }
    };
    if !head_dim.is_multiple_of(2) {
        // Rotary embedding rotates pairs of channels.
        return Err(Error::field(
            source_name,
            "head dimension",
            "an even number",
            head_dim,
        ));
    }
    in_range(
        "heads times head dimension",
        num_attention_heads as u64 * head_dim as u64,
        MAX_SIZE,
    )?;
    Ok(BaseDimensions {
        architecture: architecture.to_owned(),
        num_layers: in_range("layers", sizes.layers, MAX_LAYERS)?,
        hidden_size,
        intermediate_size: in_range("intermediate size", sizes.intermediate, MAX_SIZE)?,
        num_attention_heads,
        num_key_value_heads,
        head_dim,
    })
}

#[cfg(test)]
mod tests;
