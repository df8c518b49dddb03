//! `dnd train --objective behaviour`.

use std::num::NonZero;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use dnd_adapter::{Bundle, Precision, peft};
use dnd_model::files::{Encoder, default_encoder};
use dnd_tasks::TaskFolder;
use dnd_train::collect::Collection;
use dnd_train::{BehaviourOptions, Processes, Recipe, Start, mean_adapter, train_behaviour};

use crate::commands::NamedBase;
use crate::output;
use crate::progress::ProgressBars;

/// Flags for this objective only.
#[derive(clap::Args)]
#[command(next_help_heading = "With --objective behaviour")]
pub struct BehaviourArguments {
    /// Folder of tasks; those with role `train` are used. May be repeated
    #[arg(long, value_name = "DIR")]
    tasks: Vec<PathBuf>,

    /// Tasks to hold out for validation, separated by commas; the bundle gets the weights with the
    /// best loss on them
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    holdout: Vec<String>,

    /// Maximum number of tasks to train on, spread over all of them [default: all]
    #[arg(long, alias = "most-tasks", value_name = "N")]
    max_tasks: Option<NonZero<usize>>,

    /// Use only tasks whose licence allows distributing weights trained on them
    #[arg(long)]
    ship: bool,

    /// Start from the mean adapter and the generator of this bundle
    #[arg(long, value_name = "FILE", conflicts_with = "collection")]
    start: Option<PathBuf>,

    /// Start from the mean adapter of this bundle, with a new generator
    #[arg(long, value_name = "FILE", conflicts_with_all = ["collection", "start"])]
    start_mean: Option<PathBuf>,

    /// Also write the mean adapter as a PEFT folder; with `train_generator = false` it is the
    /// multi-task adapter
    #[arg(long, value_name = "DIR")]
    adapter_out: Option<PathBuf>,

    #[command(flatten)]
    base: NamedBase,
}

impl BehaviourArguments {
    /// The flags that were given.
    pub fn given(&self) -> Vec<&'static str> {
        [
            ("--tasks", !self.tasks.is_empty()),
            ("--holdout", !self.holdout.is_empty()),
            ("--max-tasks", self.max_tasks.is_some()),
            ("--ship", self.ship),
            ("--start", self.start.is_some()),
            ("--start-mean", self.start_mean.is_some()),
            ("--adapter-out", self.adapter_out.is_some()),
            ("--base", self.base.path.is_some()),
            ("--base-model", self.base.name.is_some()),
        ]
        .into_iter()
        .filter_map(|(flag, is_given)| is_given.then_some(flag))
        .collect()
    }
}

/// Runs the command.
pub fn run(
    all: &super::Arguments,
    processes: &dyn Processes,
    observer: ProgressBars,
) -> Result<()> {
    let compute = &all.compute;
    let arguments = &all.behaviour;
    ensure!(
        !arguments.tasks.is_empty(),
        "--objective behaviour: expected --tasks, found none"
    );
    let recipe = Recipe::read(&all.config)?;
    let tasks = arguments
        .tasks
        .iter()
        .map(|folder| TaskFolder::open(folder))
        .collect::<Result<Vec<_>, _>>()?;
    let start = match (&arguments.start, &arguments.start_mean, &all.collection) {
        (Some(bundle), _, _) => Start::Bundle(bundle.clone()),
        (_, Some(bundle), _) => Start::Mean(bundle.clone()),
        (_, _, Some(collection)) => Start::Collection(Collection::open(collection)?),
        (None, None, None) => Start::Initial,
    };
    let device = compute.device()?;
    let encoder = all.encoder.clone().unwrap_or_else(default_encoder);
    let encoder = Encoder::open(&encoder, &device)?;
    let base = arguments.base.open(compute, &device)?;
    let bundle = train_behaviour(
        &base,
        &encoder,
        &BehaviourOptions {
            tasks: &tasks,
            ship: arguments.ship,
            held_out: arguments.holdout.clone(),
            max_tasks: arguments.max_tasks.map(NonZero::get),
            start,
            recipe: &recipe,
            out: &all.out,
        },
        processes,
        &observer,
    )?;
    drop(observer);
    if processes.number() > 0 {
        return Ok(());
    }
    if let Some(folder) = &arguments.adapter_out {
        write_mean(&bundle, &all.out, folder)?;
    }
    let provenance = &bundle.header.provenance;
    output::print(&format!(
        "{}: step {}, loss {}; held-out loss: mean {}, generated {}, from other prompts {}\n",
        all.out.display(),
        provenance["step"],
        provenance["loss"],
        provenance["mean_loss"],
        provenance["generated_loss"],
        provenance["shuffled_loss"],
    ))
}

/// Writes the mean adapter of `bundle` as a PEFT folder.
fn write_mean(bundle: &Bundle, name: &Path, folder: &Path) -> Result<()> {
    let adapter = mean_adapter(bundle)?;
    let note = format!(
        "The mean adapter of {}, trained jointly on all its tasks by dnd {}.",
        name.display(),
        env!("CARGO_PKG_VERSION"),
    );
    let readme = peft::readme(&adapter, &note, peft::QUESTION);
    let peft = peft::write(&adapter, Precision::F16)?;
    Ok(dnd_files::write_peft(folder, &peft, &readme)?)
}
