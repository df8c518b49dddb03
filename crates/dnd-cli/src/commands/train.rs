//! `dnd train`.

mod behaviour;

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use dnd_model::files::{Encoder, default_encoder};
use dnd_train::collect::Collection;
use dnd_train::{Alone, Processes, Recipe, train_weights};

use super::Compute;
use crate::progress::ProgressBars;
use crate::{is_cancelled, output};

/// Train a generator on a collection, or on tasks.
///
/// With `--objective weights`, the generator learns to predict the weights of collected
/// checkpoints; every step samples tasks, checkpoints and prompts. With `--objective behaviour`,
/// it learns to minimize the base model's loss on task examples under the generated adapter; no
/// collection is needed. The bundle is written at the end, with the loss curve beside it as .csv
/// and .svg. Running the same command again resumes an interrupted run from OUT.state.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Arguments {
    /// Training objective
    #[arg(long, value_enum, default_value_t = Objective::Weights)]
    objective: Objective,

    /// Folder that `dnd collect` wrote; optional with `behaviour`, which then starts from its mean
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

    /// Share the work of each step among the processes that mpirun or srun started; needs a build
    /// with `--features mpi`
    #[arg(long)]
    mpi: bool,

    #[command(flatten)]
    behaviour: behaviour::BehaviourArguments,

    #[command(flatten)]
    compute: Compute,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Objective {
    /// Predict the weights of collected adapters
    Weights,
    /// Minimize the base model's loss under the generated adapter
    Behaviour,
}

const EXAMPLES: &str = "\
Examples:
  dnd train --collection collection --config recipe.toml --out bundle.safetensors
  dnd train --objective behaviour --tasks tasks --holdout antonym,sum --config recipe.toml \\
      --out bundle.safetensors
  dnd train --objective behaviour --tasks tasks --tasks more --start bundle.safetensors \\
      --config recipe.toml --out better.safetensors";

/// The processes of a run, and the progress that this one shows: the first one's is shown.
fn processes(is_mpi: bool) -> Result<(Box<dyn Processes>, ProgressBars)> {
    let mut observer = ProgressBars::new()?;
    if !is_mpi {
        return Ok((Box::new(Alone), observer));
    }
    #[cfg(feature = "mpi")]
    {
        let processes = dnd_train::Mpi::start()?;
        if processes.number() > 0 {
            observer.hide();
        }
        return Ok((Box::new(processes), observer));
    }
    #[cfg(not(feature = "mpi"))]
    {
        observer.hide();
        anyhow::bail!("--mpi: expected a build with --features mpi, found one without")
    }
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<()> {
    let (processes, observer) = processes(arguments.mpi)?;
    let result = match arguments.objective {
        Objective::Weights => run_weights(arguments, &*processes, observer),
        Objective::Behaviour => behaviour::run(arguments, &*processes, observer),
    };
    // When a run is cancelled, all of its processes end.
    let failed = result.as_ref().err().filter(|error| !is_cancelled(error));
    if let Some(error) = failed.filter(|_| processes.count() > 1) {
        let number = processes.number();
        output::eprint_line(&format!("error: process {number}: {error:#}"));
        processes.abort();
    }
    result
}

fn run_weights(
    arguments: &Arguments,
    processes: &dyn Processes,
    observer: ProgressBars,
) -> Result<()> {
    let given = arguments.behaviour.given();
    ensure!(
        given.is_empty(),
        "{}: expected --objective behaviour, found weights",
        given.join(", ")
    );
    let collection = arguments.collection.as_deref();
    let collection =
        collection.context("--objective weights: expected --collection, found none")?;
    let recipe = Recipe::read(&arguments.config)?;
    let collection = Collection::open(collection)?;
    let device = arguments.compute.device()?;
    let encoder = arguments.encoder.clone().unwrap_or_else(default_encoder);
    let encoder = Encoder::open(&encoder, &device)?;
    let bundle = train_weights(
        collection,
        &encoder,
        &recipe,
        &arguments.out,
        &device,
        processes,
        &observer,
    )?;
    if processes.number() > 0 {
        return Ok(());
    }
    let provenance = &bundle.header.provenance;
    output::print(&format!(
        "{}: loss {}, on unseen prompts {}\n",
        arguments.out.display(),
        provenance["loss"],
        provenance["generated_loss"],
    ))
}
