//! The seven linear projections of a transformer block that LoRA can adapt.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// One linear projection of a Llama or Qwen2 block.
///
/// Serialized as its module name in Hugging Face transformers, such as `"q_proj"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Projection {
    /// Attention query, `q_proj`.
    #[serde(rename = "q_proj")]
    Query,
    /// Attention key, `k_proj`.
    #[serde(rename = "k_proj")]
    Key,
    /// Attention value, `v_proj`.
    #[serde(rename = "v_proj")]
    Value,
    /// Attention output, `o_proj`.
    #[serde(rename = "o_proj")]
    Output,
    /// Feed-forward gate, `gate_proj`.
    #[serde(rename = "gate_proj")]
    Gate,
    /// Feed-forward up projection, `up_proj`.
    #[serde(rename = "up_proj")]
    Up,
    /// Feed-forward down projection, `down_proj`.
    #[serde(rename = "down_proj")]
    Down,
}

impl Projection {
    /// All projections, in the order of a layout within a layer.
    pub const ALL: [Projection; 7] = [
        Projection::Query,
        Projection::Key,
        Projection::Value,
        Projection::Output,
        Projection::Gate,
        Projection::Up,
        Projection::Down,
    ];

    /// The module name in Hugging Face transformers, such as `"q_proj"`.
    pub fn name(self) -> &'static str {
        match self {
            Projection::Query => "q_proj",
            Projection::Key => "k_proj",
            Projection::Value => "v_proj",
            Projection::Output => "o_proj",
            Projection::Gate => "gate_proj",
            Projection::Up => "up_proj",
            Projection::Down => "down_proj",
        }
    }

    /// The parent module in Hugging Face transformers: `"self_attn"` or `"mlp"`.
    pub fn block(self) -> &'static str {
        match self {
            Projection::Query | Projection::Key | Projection::Value | Projection::Output => {
                "self_attn"
            }
            Projection::Gate | Projection::Up | Projection::Down => "mlp",
        }
    }
}

impl fmt::Display for Projection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Projection {
    type Err = Error;

    /// Parses a module name such as `"q_proj"`; other text is an [`Error::Field`].
    fn from_str(name: &str) -> Result<Self, Error> {
        Projection::ALL
            .into_iter()
            .find(|projection| projection.name() == name)
            .ok_or_else(|| Error::field("projection", "name", PROJECTION_NAMES, name))
    }
}

const PROJECTION_NAMES: &str =
    "one of q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_agree_with_json() {
        for projection in Projection::ALL {
            assert_eq!(projection.name().parse::<Projection>().unwrap(), projection);
            let json = serde_json::to_string(&projection).unwrap();
            assert_eq!(json, format!("\"{projection}\""));
        }
    }

    #[test]
    fn order_of_the_list_is_the_order_of_the_enum() {
        assert!(Projection::ALL.is_sorted());
    }

    #[test]
    fn unknown_name_is_named_in_the_error() {
        let message = "lm_head".parse::<Projection>().unwrap_err().to_string();
        assert!(
            message.contains("lm_head") && message.contains("down_proj"),
            "{message}"
        );
    }
}
