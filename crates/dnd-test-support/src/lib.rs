//! Small layouts and models for tests of several crates.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use dnd_adapter::{BaseDimensions, Layout, Projection};

/// A layout of one small layer.
pub fn small_layout() -> Layout {
    let dimensions = BaseDimensions {
        architecture: "llama".to_owned(),
        num_layers: 1,
        hidden_size: 8,
        intermediate_size: 8,
        num_attention_heads: 1,
        num_key_value_heads: 1,
        head_dim: 8,
    };
    Layout::new("base", &dimensions, 2, 4.0, &Projection::ALL).unwrap()
}
