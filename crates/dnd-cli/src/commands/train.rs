//! `dnd train`.

mod behaviour;

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use dnd_model::files::{Encoder, default_encoder};
use dnd_train::collect::Collection;
use dnd_train::{Recipe, train_weights};

use super::Compute;
use crate::output;
use crate::progress::Terminal;

/// Train a generator on a collection, or on tasks.
///
/// With `--objective weights` every step draws tasks, checkpoints and prompts of a collection
/// afresh, and the generator learns the checkpoints' weights. With `--objective behaviour` it
/// learns adapters with which the base model answers the lines of tasks; no collection is needed.
/// The bundle is written at the end, with the loss curve beside it as .csv and .svg. An interrupted
/// run goes on from OUT.state when the same command runs again.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Arguments {
    /// What the generator learns
    #[arg(long, value_enum, default_value_t = Objective::Weights)]
    objective: Objective,

    /// Folder that `dnd collect` wrote; with `behaviour` optional: its mean is where the fit starts
    #[arg(long, value_name = "DIR", required_unless_present = "objective")]
    collection: Option<PathBuf>,

    /// Recipe (TOML) with the tables `[generator]` and `[weights]` or `[behaviour]`
    #[arg(long, value_name = "FILE")]
    config: PathBuf,

    /// Bundle to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// Folder of the text encoder [default: in the cache]
    #[arg(long, value_name = "DIR")]
    encoder: Option<PathBuf>,

    #[command(flatten)]
    behaviour: behaviour::BehaviourArguments,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Objective {
    /// The weights of collected adapters
    Weights,
    /// What the base model answers under the generated adapter
    Behaviour,
}

const EXAMPLES: &str = "\
Examples:
  dnd train --collection collection --config recipe.toml --out bundle.safetensors
  dnd train --objective behaviour --tasks tasks --holdout antonym,sum --config recipe.toml \\
      --out bundle.safetensors
  dnd train --objective behaviour --tasks tasks --tasks more --start bundle.safetensors \\
      --config recipe.toml --out better.safetensors";

/// Runs the command.
pub fn run(arguments: &Arguments, compute: &Compute) -> Result<()> {
    match arguments.objective {
        Objective::Weights => run_weights(arguments, compute),
        Objective::Behaviour => behaviour::run(arguments, compute),
    }
}

fn run_weights(arguments: &Arguments, compute: &Compute) -> Result<()> {
    let given = arguments.behaviour.given();
    ensure!(
        given.is_empty(),
        "{}: expected --objective behaviour with it, found weights",
        given.join(", ")
    );
    let collection = arguments.collection.as_deref();
    let collection =
        collection.context("--objective weights: expected --collection, found none")?;
    let observer = Terminal::new()?;
    let recipe = Recipe::read(&arguments.config)?;
    let collection = Collection::open(collection)?;
    let device = compute.device()?;
    let encoder = arguments.encoder.clone().unwrap_or_else(default_encoder);
    let encoder = Encoder::open(&encoder, &device)?;
    let bundle = train_weights(
        collection,
        &encoder,
        &recipe,
        &arguments.out,
        &device,
        &observer,
    )?;
    let provenance = &bundle.header.provenance;
    output::print(&format!(
        "{}: loss {}, of unseen prompts {}\n",
        arguments.out.display(),
        provenance["loss"],
        provenance["generated_loss"],
    ))
}
