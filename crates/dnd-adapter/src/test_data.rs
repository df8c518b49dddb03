//! Layouts and adapters for tests.

use proptest::prelude::*;

use crate::adapter::{Adapter, Factors};
use crate::dimensions::BaseDimensions;
use crate::layout::{Layout, Module};
use crate::projection::Projection;

/// Reproducible values from -1 to 1 (splitmix64).
pub fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed >> 40) as f32) / (1_u32 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// An adapter with reproducible values.
pub fn adapter(layout: Layout, seed: u64) -> Adapter {
    let factors = |(index, module): (usize, &Module)| Factors {
        a: numbers(module.rank * module.in_features, seed + 2 * index as u64),
        b: numbers(
            module.rank * module.out_features,
            seed + 2 * index as u64 + 1,
        ),
    };
    let factors = layout.modules.iter().enumerate().map(factors).collect();
    Adapter::new(layout, factors).unwrap()
}

/// SmolLM2-135M.
pub fn smollm2() -> BaseDimensions {
    BaseDimensions {
        architecture: "llama".to_owned(),
        num_layers: 30,
        hidden_size: 576,
        intermediate_size: 1536,
        num_attention_heads: 9,
        num_key_value_heads: 3,
        head_dim: 64,
    }
}

/// A model of two layers; its smallest size is 8.
pub fn tiny() -> BaseDimensions {
    BaseDimensions {
        architecture: "qwen2".to_owned(),
        num_layers: 2,
        hidden_size: 16,
        intermediate_size: 24,
        num_attention_heads: 2,
        num_key_value_heads: 1,
        head_dim: 8,
    }
}

/// An adapter of all projections of [`tiny`].
pub fn tiny_adapter() -> Adapter {
    let layout = Layout::new("owner/tiny", &tiny(), 4, 8.0, &Projection::ALL).unwrap();
    adapter(layout, 7)
}

/// Layouts with arbitrary shapes, gaps between layers and any set of projections; `rank` draws
/// the rank of each module.
pub fn layouts(rank: impl Strategy<Value = usize> + Clone) -> impl Strategy<Value = Layout> {
    let place = (0_usize..4, 0_usize..7);
    let sizes = (1_usize..300, 1_usize..300, rank, 1_u8..40);
    let modules = proptest::collection::btree_map(place, sizes, 1..8);
    (modules, any::<bool>()).prop_map(|(modules, use_rslora)| Layout {
        base_model: "owner/model".to_owned(),
        use_rslora,
        modules: modules
            .into_iter()
            .map(
                |((layer, projection), (in_features, out_features, rank, alpha))| Module {
                    layer,
                    projection: Projection::ALL[projection],
                    in_features,
                    out_features,
                    rank,
                    alpha: f32::from(alpha) / 4.0,
                },
            )
            .collect(),
    })
}

/// Layouts in which all modules have the same rank.
pub fn uniform_layouts() -> impl Strategy<Value = Layout> {
    (1_usize..6).prop_flat_map(|rank| layouts(Just(rank)))
}

/// An error's message and that of its source.
pub fn with_source(error: &dyn std::error::Error) -> String {
    let source = error.source().map(ToString::to_string);
    format!("{error}: {}", source.unwrap_or_default())
}
