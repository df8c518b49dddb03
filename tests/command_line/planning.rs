//! `dnd plan`: sizes of published models and generators, budgets, and the shipped bundle.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::program::Dnd;
use crate::world::World;

/// Architecture; hidden size, feed-forward size, layers, heads, key-value heads and vocabulary;
/// whether the embeddings are tied; size of a head. As in the models' `config.json`.
type Base = (&'static str, [usize; 6], bool, Option<usize>);

const QWEN_0_5B: Base = ("qwen2", [896, 4864, 24, 14, 2, 151_936], true, None);
const QWEN_1_5B: Base = ("qwen2", [1536, 8960, 28, 12, 2, 151_936], true, None);
const QWEN_7B: Base = ("qwen2", [3584, 18_944, 28, 28, 4, 152_064], false, None);
/// The language model of Qwen2.5-VL-3B.
const QWEN_VL_3B: Base = ("qwen2", [2048, 11_008, 36, 16, 2, 151_936], true, None);
const QWEN3_0_6B: Base = ("qwen3", [1024, 3072, 28, 16, 8, 151_936], true, Some(128));
const SMOLLM2_135M: Base = ("llama", [576, 1536, 30, 9, 3, 49_152], true, None);
const SMOLLM2_360M: Base = ("llama", [960, 2560, 32, 15, 5, 49_152], true, None);

fn config(world: &World, base: Base) -> PathBuf {
    let (architecture, [hidden, intermediate, layers, heads, keys, vocabulary], tied, head) = base;
    let mut config = json!({
        "model_type": architecture, "hidden_act": "silu", "rms_norm_eps": 1e-6,
        "hidden_size": hidden, "intermediate_size": intermediate, "num_hidden_layers": layers,
        "num_attention_heads": heads, "num_key_value_heads": keys, "vocab_size": vocabulary,
        "tie_word_embeddings": tied,
    });
    if let Some(head) = head {
        config["head_dim"] = head.into();
    }
    world.write("config.json", config.to_string())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn plan(config: &Path, recipe: &Path) -> Dnd {
    Dnd::new("plan")
        .with("--base", config)
        .with("--recipe", recipe)
}

fn planned(world: &World, base: Base, recipe: &str) -> Value {
    let recipe = root().join("assets/recipe").join(recipe);
    let run = plan(&config(world, base), &recipe).and("--json").run();
    serde_json::from_str(&run.succeeds().stdout).unwrap()
}

#[test]
fn published_generators_have_the_published_sizes() {
    let world = World::new();
    for (base, recipe, base_parameters, tokens, generator, published) in [
        (QWEN_0_5B, "qwen2.5-0.5b", 494_032_768, 4296, 1.113, 1.11),
        (QWEN_1_5B, "qwen2.5-1.5b", 1_543_714_304, 4508, 1.715, 1.7),
        (QWEN_7B, "qwen2.5-7b", 7_615_616_512_u64, 4928, 1.937, 1.9),
        (QWEN_VL_3B, "qwen2.5-vl-3b", 3_085_938_688, 7308, 2.410, 2.3),
    ] {
        let plan = planned(&world, base, &format!("paper/{recipe}.toml"));
        assert_eq!(plan["base_parameters"], base_parameters, "{recipe}");
        let features = plan["features"].as_array().unwrap();
        assert_eq!(features.last().unwrap()[0], tokens, "{recipe}");
        let found = plan["generator_parameters"].as_f64().unwrap() / 1e9;
        assert!((found - generator).abs() < 1e-3, "{recipe}: {found}");
        assert!((found / published - 1.0).abs() < 0.05, "{recipe}: {found}");
    }
}

#[test]
fn our_recipes_keep_their_budgets() {
    let world = World::new();
    for (base, recipe, base_parameters) in [
        (SMOLLM2_360M, "smollm2-360m.toml", 361_821_120),
        (QWEN_0_5B, "qwen2.5-0.5b.toml", 494_032_768),
        (QWEN3_0_6B, "qwen3-0.6b.toml", 596_049_920),
    ] {
        let plan = planned(&world, base, recipe);
        assert_eq!(plan["base_parameters"], base_parameters, "{recipe}");
    }
}

#[test]
fn the_shipped_bundle_is_as_large_as_planned() {
    let world = World::new();
    let plan = planned(&world, SMOLLM2_135M, "generator.toml");
    assert_eq!(plan["base_parameters"], 134_515_008);
    let bundle = std::fs::read(root().join("assets/smollm2-135m.safetensors")).unwrap();
    // Embeddings of 1,389 training tasks, and the header.
    let expected = bundle.len() as f64 - 1389.0 * 768.0 - 99_016.0;
    let found = plan["bundle_bytes"].as_f64().unwrap();
    assert!((found / expected - 1.0).abs() < 0.01, "{found}, {expected}");
}

#[test]
fn what_exceeds_the_budget_is_named() {
    let world = World::new();
    let config = config(&world, SMOLLM2_135M);
    let recipe = world.write(
        "recipe.toml",
        "[budget]\nbundle_mb = 1\ntraining_gb = 100\n",
    );
    let run = plan(&config, &recipe).run();
    assert!(
        run.stdout.contains("134.5 million parameters"),
        "{}",
        run.stdout
    );
    run.fails_in_the_end(&["budget.bundle_mb: expected at most 1, found"]);
}

#[test]
fn published_tiles_are_refused_in_training() {
    let world = World::collected();
    let recipe = std::fs::read_to_string(world.recipe()).unwrap();
    let recipe = recipe.replace("[generator]", "[generator]\npublished_tile = [8, 8]");
    world.write("recipe.toml", recipe);
    let run = world.train(&world.path("out.safetensors")).run();
    run.fails(&["generator.published_tile", "can only be planned"]);
}
