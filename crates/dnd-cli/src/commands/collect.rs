//! `dnd collect`.

use std::path::PathBuf;

use anyhow::Result;
use dnd_train::Recipe;
use dnd_train::Shard;
use dnd_train::collect::{CollectOptions, collect};

use super::{Compute, NamedBase};
use crate::output;
use crate::progress::ProgressBars;

/// Fine-tune adapters on a folder of tasks.
///
/// TASKS holds an index.json and NAME.train.jsonl files with lines like
/// {"prompt": "...", "response": "..."}. Every task with role `train` is fine-tuned from the same
/// initial adapter. After --steps, the learning rate drops to a tenth and every step saves a
/// snapshot. Running the same command again skips finished tasks.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Arguments {
    /// Folder of tasks [default: the `dnd tasks` suite, in the cache]
    #[arg(long, value_name = "DIR")]
    tasks: Option<PathBuf>,

    /// Folder to write the collection to
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// Tasks to collect, separated by commas [default: all with role `train`]
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    only: Vec<String>,

    /// Recipe (TOML) whose `[collect]` table gives the settings; flags override it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Steps before the first snapshot [default: 48]
    #[arg(long, value_name = "N")]
    steps: Option<usize>,

    /// Snapshots, one per step after those [default: 50]
    #[arg(long, value_name = "N")]
    snapshots: Option<usize>,

    /// Examples per step [default: 10]
    #[arg(long, value_name = "N")]
    batch: Option<usize>,

    /// Learning rate [default: 0.002]
    #[arg(long, value_name = "RATE")]
    rate: Option<f64>,

    /// Collect only shard i of n, counted from 1, to split the tasks over processes or machines
    #[arg(long, value_name = "i/n", default_value = "1/1")]
    shard: Shard,

    #[command(flatten)]
    base: NamedBase,

    #[command(flatten)]
    compute: Compute,
}

const EXAMPLES: &str = "\
Examples:
  dnd collect --tasks tasks --out collection
  dnd collect --tasks tasks --out collection --only antonym,sum --steps 32 --snapshots 8
  RAYON_NUM_THREADS=1 dnd collect --tasks tasks --out collection --shard 1/2";

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<()> {
    let compute = &arguments.compute;
    let observer = ProgressBars::new()?;
    let tasks = super::open_tasks(arguments.tasks.as_deref(), &arguments.only, &observer)?;
    let mut recipe = match &arguments.config {
        Some(path) => Recipe::read(path)?.collect,
        None => Recipe::default().collect,
    };
    let settings = &mut recipe.tune;
    settings.steps = arguments.steps.unwrap_or(settings.steps);
    settings.snapshots = arguments.snapshots.unwrap_or(settings.snapshots);
    settings.batch = arguments.batch.unwrap_or(settings.batch);
    settings.rate = arguments.rate.unwrap_or(settings.rate);
    let options = CollectOptions {
        only: arguments.only.clone(),
        ship: recipe.ship,
        rank: recipe.rank,
        alpha: recipe.alpha,
        targets: recipe.targets,
        settings: recipe.tune,
        shard: arguments.shard,
    };
    let device = compute.device()?;
    let base = arguments.base.open(compute, &device)?;
    let collection = collect(&base, &tasks, &arguments.out, &options, &observer)?;
    let finished = collection.finished()?.len();
    output::print(&format!("{}: {finished} tasks\n", arguments.out.display()))
}
