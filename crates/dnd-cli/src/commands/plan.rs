//! `dnd plan`.

use std::num::NonZero;
use std::path::PathBuf;

use anyhow::{Result, bail};
use burn::tensor::Device;
use dnd_model::files::{base_config, default_base};
use dnd_train::Recipe;
use dnd_train::plan::Plan;

use super::MatmulDtypeArg;
use crate::output;

/// Show what a recipe costs on a base model.
///
/// Needs the model's configuration alone, not its weights: sizes of adapter, generator and bundle,
/// memory of generating and training with either objective, tokens a step. Memory is an estimate.
/// Fails when the recipe's `[budget]` is exceeded.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Arguments {
    /// Base model: folder, `config.json` or GGUF file [default: in the cache]
    #[arg(long, value_name = "FILE|DIR")]
    base: Option<PathBuf>,

    /// Recipe (TOML) with the tables `[collect]`, `[generator]`, `[weights]`, `[behaviour]` and
    /// `[budget]` [default: the defaults of all]
    #[arg(long, value_name = "FILE")]
    recipe: Option<PathBuf>,

    /// Cores that train; each computes a task at a time
    #[arg(long, value_name = "N", default_value = "2")]
    cores: NonZero<usize>,

    /// How training keeps the base model's frozen weights; `stored` is planned with 16 bits
    #[arg(long, value_enum, default_value = "f32")]
    matmul_dtype: MatmulDtypeArg,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  dnd plan --recipe assets/recipe/generator.toml
  dnd plan --base Qwen2.5-0.5B-Instruct/config.json --recipe assets/recipe/qwen2.5-0.5b.toml
  dnd plan --base config.json --recipe assets/recipe/paper/qwen2.5-0.5b.toml --json";

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<()> {
    let base = base_config(&arguments.base.clone().unwrap_or_else(default_base))?;
    let recipe = match &arguments.recipe {
        Some(path) => Recipe::read(path)?,
        None => Recipe::default(),
    };
    let dtype = arguments.matmul_dtype.dtype(&Device::flex());
    let plan = Plan::new(&base, &recipe, dtype, arguments.cores.get())?;
    if arguments.json {
        output::print_json(&plan)?;
    } else {
        output::print(&table(&plan))?;
    }
    let excess = plan.excess(&recipe);
    if !excess.is_empty() {
        bail!("{}", excess.join("; "));
    }
    Ok(())
}

fn table(plan: &Plan) -> String {
    let millions = |count: usize| format!("{:.1} million parameters", count as f64 / 1e6);
    let targets: Vec<&str> = plan.targets.iter().map(|target| target.name()).collect();
    let shapes = plan.features.iter().map(|[n, l, c]| format!("{n}x{l}x{c}"));
    let shapes: Vec<String> = shapes.collect();
    let behaviour = match plan.behaviour_training_bytes {
        Some(bytes) => format!(
            "{} on {} cores, at most {} tokens a step",
            memory(bytes),
            plan.cores,
            plan.tokens_a_step
        ),
        None => "not with published tiles".to_owned(),
    };
    let rows = [
        (
            "base model",
            format!(
                "{}, {} layers, hidden size {}, {}",
                plan.architecture,
                plan.layers,
                plan.hidden,
                millions(plan.base_parameters)
            ),
        ),
        (
            "adapter",
            format!(
                "{} modules ({}), rank {}, {}, {} in f16",
                plan.modules,
                targets.join(", "),
                plan.rank,
                millions(plan.adapter_parameters),
                size(plan.adapter_bytes)
            ),
        ),
        (
            "generator",
            format!(
                "{}, {:.1} GFLOP a generation",
                millions(plan.generator_parameters),
                plan.generator_flops as f64 / 1e9
            ),
        ),
        ("", shapes.join(" -> ")),
        (
            "bundle",
            format!(
                "{}, and 0.8 kB for each training task",
                size(plan.bundle_bytes)
            ),
        ),
        ("generating", memory(plan.generating_bytes)),
        ("training on weights", memory(plan.weights_training_bytes)),
        ("training on behaviour", behaviour),
    ];
    let lines = rows.map(|(name, value)| format!("{name:<21}  {value}\n"));
    lines.concat()
}

fn memory(bytes: usize) -> String {
    format!("about {} of memory", size(bytes))
}

fn size(bytes: usize) -> String {
    match bytes {
        0..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.2} GB", bytes as f64 / 1e9),
    }
}
