//! Small layouts and models for tests.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use dnd_adapter::{BaseDimensions, Layout, Precision, Projection, tensor_file};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;

/// A layout with one small layer.
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

/// Names and shapes of tensors.
pub type Shapes = Vec<(String, Vec<usize>)>;

/// The tensors of a BERT without a pooler: embeddings, then the linear layers of each layer,
/// then all layer norms.
pub fn bert_shapes(
    [vocabulary, positions]: [usize; 2],
    [hidden, intermediate]: [usize; 2],
    layers: usize,
) -> Shapes {
    let mut shapes = Vec::new();
    for (name, rows) in [
        ("word_embeddings", vocabulary),
        ("position_embeddings", positions),
        ("token_type_embeddings", 2),
    ] {
        shapes.push((format!("embeddings.{name}.weight"), vec![rows, hidden]));
    }
    let mut norms = vec!["embeddings".to_owned()];
    for layer in 0..layers {
        let layer = format!("encoder.layer.{layer}");
        for (name, output, input) in [
            ("attention.self.query", hidden, hidden),
            ("attention.self.key", hidden, hidden),
            ("attention.self.value", hidden, hidden),
            ("attention.output.dense", hidden, hidden),
            ("intermediate.dense", intermediate, hidden),
            ("output.dense", hidden, intermediate),
        ] {
            shapes.push((format!("{layer}.{name}.weight"), vec![output, input]));
            shapes.push((format!("{layer}.{name}.bias"), vec![output]));
        }
        norms.extend([
            format!("{layer}.attention.output"),
            format!("{layer}.output"),
        ]);
    }
    for norm in norms {
        shapes.push((format!("{norm}.LayerNorm.weight"), vec![hidden]));
        shapes.push((format!("{norm}.LayerNorm.bias"), vec![hidden]));
    }
    shapes
}

/// The tensors of a Llama with tied embeddings: embedding and final norm, then the norms and
/// projections of each layer. `keys` is the width of keys and values.
pub fn llama_shapes(
    vocabulary: usize,
    [hidden, intermediate, keys]: [usize; 3],
    layers: usize,
) -> Shapes {
    let mut shapes = vec![
        (
            "model.embed_tokens.weight".to_owned(),
            vec![vocabulary, hidden],
        ),
        ("model.norm.weight".to_owned(), vec![hidden]),
    ];
    for layer in 0..layers {
        let name = |rest: &str| format!("model.layers.{layer}.{rest}.weight");
        shapes.push((name("input_layernorm"), vec![hidden]));
        shapes.push((name("post_attention_layernorm"), vec![hidden]));
        for (module, output, input) in [
            ("self_attn.q_proj", hidden, hidden),
            ("self_attn.k_proj", keys, hidden),
            ("self_attn.v_proj", keys, hidden),
            ("self_attn.o_proj", hidden, hidden),
            ("mlp.gate_proj", intermediate, hidden),
            ("mlp.up_proj", intermediate, hidden),
            ("mlp.down_proj", hidden, intermediate),
        ] {
            shapes.push((name(module), vec![output, input]));
        }
    }
    shapes
}

/// A safetensors file of uniform random values in `-limit..limit`; norm weights are ones.
pub fn random_file(shapes: &Shapes, limit: f32, seed: u64) -> Vec<u8> {
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    let mut values = |name: &str, count: usize| -> Vec<f32> {
        if name.contains("norm.weight") {
            return vec![1.0; count];
        }
        (0..count)
            .map(|_| random.random_range(-limit..limit))
            .collect()
    };
    let values: Vec<Vec<f32>> = shapes
        .iter()
        .map(|(name, shape)| values(name, shape.iter().product()))
        .collect();
    let tensors = shapes.iter().zip(&values).map(|((name, shape), values)| {
        let stored = Precision::F32.into();
        (name.clone(), shape.as_slice(), values.as_slice(), stored)
    });
    tensor_file::write("model.safetensors", tensors, ("format", "pt".to_owned())).unwrap()
}
