use super::*;
use crate::test_data::{smollm2, tiny, tiny_adapter};

fn layout_of(lengths: &[usize]) -> Layout {
    let module = |(layer, &length)| Module {
        layer,
        projection: Projection::Query,
        in_features: length,
        out_features: lengths[0],
        rank: 2,
        alpha: 4.0,
    };
    let modules = lengths.iter().enumerate().map(module).collect();
    Layout {
        base_model: "owner/model".to_owned(),
        use_rslora: false,
        modules,
    }
}

#[test]
fn smollm2_has_1590_tokens_of_width_192() {
    let layout = Layout::new("SmolLM2", &smollm2(), 8, 16.0, &Projection::ALL).unwrap();
    assert_eq!(layout.tile_width(), 192);
    assert_eq!(layout.token_count(192), 1590);
    assert_eq!(layout.parameter_count(), 1590 * 8 * 192);
    assert_eq!(layout.num_layers(), 30);
    assert_eq!(layout.uniform_rank().unwrap(), 8);
}

#[test]
fn tile_width_prefers_multiples_of_8_then_any_divisor_then_least_padding() {
    assert_eq!(layout_of(&[512, 1024]).tile_width(), 256);
    assert_eq!(layout_of(&[40, 200]).tile_width(), 40);
    assert_eq!(layout_of(&[100, 300]).tile_width(), 100);
    // No width from 64 on divides both; 72 pads as little as 216 but is narrower.
    assert_eq!(layout_of(&[211, 210]).tile_width(), 216);
}

#[test]
fn targets_are_sorted_and_listed_once() {
    let targets = [Projection::Down, Projection::Query];
    let layout = Layout::new("owner/tiny", &tiny(), 2, 4.0, &targets).unwrap();
    assert_eq!(layout.targets(), [Projection::Query, Projection::Down]);
    assert_eq!(layout.modules.len(), 4);
    assert_eq!(layout.modules[1].path(), "model.layers.0.mlp.down_proj");
    let twice = [Projection::Query, Projection::Query];
    assert!(Layout::new("owner/tiny", &tiny(), 2, 4.0, &twice).is_err());
    assert!(Layout::new("owner/tiny", &tiny(), 2, 4.0, &[]).is_err());
    assert!(Layout::new("owner/tiny", &tiny(), 0, 4.0, &targets).is_err());
}

#[test]
fn scaling_follows_rank() {
    let module = &tiny_adapter().layout.modules[0];
    assert_eq!(module.scaling(false), 2.0);
    assert_eq!(module.scaling(true), 4.0);
}

#[test]
fn different_ranks_are_named() {
    let mut layout = tiny_adapter().layout;
    layout.modules[3].rank = 5;
    let message = layout.uniform_rank().unwrap_err().to_string();
    assert!(
        message.contains("model.layers.0.self_attn.o_proj: rank"),
        "{message}"
    );
    assert!(message.contains("found 5"), "{message}");
}

#[test]
fn sizes_that_would_overflow_are_refused() {
    let mut layout = tiny_adapter().layout;
    layout.modules[0].in_features = usize::MAX;
    assert!(layout.validate("bundle").is_err());
    for module in &mut layout.modules {
        (module.rank, module.in_features, module.out_features) = (1 << 24, 1 << 24, 1 << 24);
    }
    // 14 modules of 2^24 (2^25 + 512) values fit in 64 bits, but not in 32.
    assert_eq!(layout.validate("bundle").is_err(), usize::BITS == 32);
    layout.modules.swap(0, 1);
    assert!(layout.validate("bundle").is_err());
}

#[test]
fn json_reads_back() {
    let layout = tiny_adapter().layout;
    let json = serde_json::to_string(&layout).unwrap();
    assert!(json.contains("\"projection\":\"q_proj\""), "{json}");
    assert_eq!(serde_json::from_str::<Layout>(&json).unwrap(), layout);
}
