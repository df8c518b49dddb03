//! `dnd eval`.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use dnd_train::collect::Collection;
use dnd_train::generate::open_workshop;
use dnd_train::measure::{EvaluateOptions, Method, Sources, evaluate, table};
use dnd_train::models::{BASE_MODEL, Base, Encoder, default_base, default_encoder};
use dnd_train::task::TaskFolder;

use crate::observer::Terminal;
use crate::output;

/// Measure exact match of adapters and baselines on tasks.
///
/// Methods, separated by commas: `majority` (the most frequent training response), `base` (no
/// adapter), `generated` (from the task's training
/// prompts), `nearest` (the collection's adapter with the most similar prompts), `average` (of all
/// its adapters' weights), `mean` (of all its adapters' scores), `adapter:DIR` (a PEFT folder;
/// {task} in it stands for the task's name). Prints a table; JSON goes to --json, CSV and a picture beside it.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Arguments {
    /// Folder of tasks: prompts from NAME.train.jsonl, scores from NAME.test.jsonl
    #[arg(long, value_name = "DIR")]
    tasks: PathBuf,

    /// Tasks to measure, separated by commas [default: all with role `dev`]
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    only: Vec<String>,

    /// Methods to compare, separated by commas
    #[arg(long, value_name = "A,B", value_delimiter = ',', required = true)]
    methods: Vec<Method>,

    /// Collection for nearest, average and mean
    #[arg(long, value_name = "DIR")]
    collection: Option<PathBuf>,

    /// Bundle for generated [default: the shipped one]
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,

    /// Most test lines a task
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,

    /// Most adapters that `mean` tries, spread over the collection [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    mean_adapters: Option<u64>,

    /// Seed of the prompts that the generator reads
    #[arg(long, default_value_t = 0)]
    seed: u64,

    /// File for the results
    #[arg(long, value_name = "FILE")]
    json: PathBuf,

    /// Keep the results that the file has already
    #[arg(long)]
    resume: bool,

    /// GGUF file or folder of the base model [default: in the cache]
    #[arg(long, value_name = "PATH")]
    base: Option<PathBuf>,

    /// Folder of the text encoder [default: in the cache]
    #[arg(long, value_name = "DIR")]
    encoder: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  dnd eval --tasks tasks --methods base,generated --json results.json
  dnd eval --tasks tasks --only antonym,sum --limit 100 --collection collection \\
      --methods base,nearest,average,generated,adapter:collection/{task} --json results.json";

/// Runs the command.
pub fn run(arguments: &Arguments, device: &str) -> Result<()> {
    let observer = Terminal::new()?;
    let tasks = TaskFolder::open(&arguments.tasks)?;
    let methods = &arguments.methods;
    let collection = arguments
        .collection
        .as_deref()
        .map(Collection::open)
        .transpose()?;
    if let Some(method) = methods.iter().find(|method| method.needs_collection()) {
        ensure!(
            collection.is_some(),
            "method {method}: expected --collection, found none"
        );
    }
    let device = super::device(device)?;
    let bundle = methods
        .contains(&Method::Generated)
        .then(|| super::open_bundle(arguments.bundle.as_deref()))
        .transpose()?;
    let encoder = (bundle.is_some() || methods.contains(&Method::Nearest))
        .then(|| {
            let folder = arguments.encoder.clone().unwrap_or_else(default_encoder);
            Encoder::open(&folder, &device)
        })
        .transpose()?;
    let workshop = match (&bundle, &encoder) {
        (Some((bundle, name)), Some(encoder)) => {
            Some(open_workshop(bundle, name, BASE_MODEL, encoder, &device)?)
        }
        _ => None,
    };
    let base = Base::open(
        &arguments.base.clone().unwrap_or_else(default_base),
        &device,
    )?;
    let rows = evaluate(
        &Sources {
            base: &base,
            encoder: encoder.as_ref(),
            workshop: workshop.as_ref(),
            collection: collection.as_ref(),
            device: &device,
        },
        &EvaluateOptions {
            tasks: &tasks,
            only: arguments.only.clone(),
            methods: methods.clone(),
            limit: arguments.limit.map(|limit| limit as usize),
            mean_adapters: arguments.mean_adapters.map(|count| count as usize),
            seed: arguments.seed,
            json: &arguments.json,
            resume: arguments.resume,
        },
        &observer,
    )?;
    drop(observer);
    output::print(&table(&rows))
}
