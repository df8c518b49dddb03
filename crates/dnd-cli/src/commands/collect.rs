//! `dnd collect`.

use std::path::PathBuf;

use anyhow::Result;
use dnd_train::Recipe;
use dnd_train::collect::{CollectOptions, Shard, collect};

use super::Compute;
use crate::output;
use crate::progress::Terminal;

/// Fine-tune adapters on a folder of tasks.
///
/// TASKS holds an index.json and NAME.train.jsonl files with lines like
/// {"prompt": "...", "response": "..."}. Every task with role `train` is tuned from the same
/// initial adapter; after --steps the rate falls to a tenth and every step leaves a snapshot.
/// Finished tasks are passed over when the same command runs again.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Arguments {
    /// Folder of tasks [default: those of `dnd tasks`, in the cache]
    #[arg(long, value_name = "DIR")]
    tasks: Option<PathBuf>,

    /// Folder for the collection
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// Tasks to collect, separated by commas [default: all with role `train`]
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    only: Vec<String>,

    /// Take settings from the `[collect]` table of a recipe; flags go before it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Steps before the first snapshot [default: 48]
    #[arg(long, value_name = "N")]
    steps: Option<usize>,

    /// Snapshots, one after each further step [default: 50]
    #[arg(long, value_name = "N")]
    snapshots: Option<usize>,

    /// Examples a step [default: 10]
    #[arg(long, value_name = "N")]
    batch: Option<usize>,

    /// Learning rate [default: 0.002]
    #[arg(long, value_name = "RATE")]
    rate: Option<f64>,

    /// Do part i of n of the tasks, counted from 1: for several machines or processes
    #[arg(long, value_name = "i/n", default_value = "1/1")]
    shard: Shard,

    /// GGUF file or folder of the base model [default: in the cache]
    #[arg(long, value_name = "PATH")]
    base: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  dnd collect --tasks tasks --out collection
  dnd collect --tasks tasks --out collection --only antonym,sum --steps 32 --snapshots 8
  RAYON_NUM_THREADS=1 dnd collect --tasks tasks --out collection --shard 1/2";

/// Runs the command.
pub fn run(arguments: &Arguments, compute: &Compute) -> Result<()> {
    let observer = Terminal::new()?;
    let tasks = super::open_tasks(arguments.tasks.as_deref(), &observer)?;
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
    let base = compute.open_base(arguments.base.as_deref(), &device)?;
    let collection = collect(&base, &tasks, &arguments.out, &options, &observer)?;
    let finished = collection.finished()?.len();
    output::print(&format!("{}: {finished} tasks\n", arguments.out.display()))
}
