//! `dnd eval`.

mod lines;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use dnd_adapter::Bundle;
use dnd_eval::{
    EvaluateOptions, Method, Sources, evaluate, suite, summarize, summary_table, table,
    weights_hash,
};
use dnd_model::AdapterGenerator;
use dnd_model::files::{Base, Encoder, default_encoder};
use dnd_model::language::MatmulDtype;
use dnd_tasks::Asked;
use dnd_train::Shard;
use dnd_train::collect::Collection;

use super::{Compute, NamedBase};
use crate::output;
use crate::progress::ProgressBars;

/// Evaluate adapters and baselines on tasks.
///
/// Methods, separated by commas: `majority` (the most frequent training response), `base` (no
/// adapter), `context:K` (K-shot prompting), `generated` (generated from the task's training
/// prompts), `generated:N=K` (from K of them), `generated:described` (from a description of the
/// task), `generated:shuffled` (from another task's prompts), `generated:random` (from random
/// vectors), `nearest` (the collected adapter with the most similar prompts), `similar` (the
/// collected adapters' weights, averaged by similarity), `average` (the plain average of their
/// weights), `mean` and `best` (mean and best score over the collected adapters), `training:TASK`
/// (one of them), `few:K` (fine-tuned on K training examples), `few:K:generated` and `few:K:DIR`
/// (the same from the generated or a given adapter), `full:STEPS` (fine-tuned on all),
/// `multitask:DIR` (one adapter for all tasks) and `adapter:DIR` (a PEFT folder; {task} in it is
/// replaced by the task's name).
///
/// Every row has exact match, lenient match (the answer occurs in the first line, in any case), the
/// share of valid answers, seconds and bytes. Prints a table and writes JSON to --json, with a CSV
/// and a plot beside it. `dnd report` shows the results as a page.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Arguments {
    /// Folder of tasks: prompts from NAME.train.jsonl, scores from NAME.test.jsonl [default: the
    /// `dnd tasks` suite, in the cache]
    #[arg(long, value_name = "DIR")]
    tasks: Option<PathBuf>,

    /// Tasks to evaluate, separated by commas [default: all with role `dev`]
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    only: Vec<String>,

    /// Evaluate only shard i of n, counted from 1, to split the tasks over processes or machines;
    /// `dnd report` reads the results of all together
    #[arg(
        long,
        value_name = "i/n",
        default_value = "1/1",
        hide_default_value = true
    )]
    shard: Shard,

    /// Methods to compare, separated by commas
    #[arg(
        long,
        value_name = "A,B",
        value_delimiter = ',',
        required_unless_present_any = ["suite", "lines"]
    )]
    methods: Vec<Method>,

    /// Compare all methods that the inputs allow, plus those in --methods
    #[arg(long)]
    suite: bool,

    /// How to ask the base model, separated by commas: `full` (the prompt, instruction included)
    /// or `bare` (the input alone, so that only the adapter knows the task)
    #[arg(
        long,
        value_name = "A,B",
        value_delimiter = ',',
        default_value = "full"
    )]
    asked: Vec<Asked>,

    /// Methods to leave out, separated by commas
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    skip: Vec<Method>,

    /// Collection of training adapters
    #[arg(long, value_name = "DIR")]
    collection: Option<PathBuf>,

    /// Bundle to generate with [default: the shipped one]
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,

    /// Maximum number of test examples per task
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,

    /// Maximum number of adapters for `mean` and `best`, spread over the collection [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    mean_adapters: Option<u64>,

    /// Seed for sampling prompts, few-shot examples and controls
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    seed: u64,

    /// JSON file to write the results to
    #[arg(long, value_name = "FILE", required_unless_present = "lines")]
    json: Option<PathBuf>,

    /// Instead of tasks: prompts with answers, as lines `prompt => answer`, JSON lines, a JSON list
    /// or a table (`prompt` and `response`, `answer`, `completion` or `output`)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["tasks", "methods", "suite", "asked"])]
    lines: Option<PathBuf>,

    /// With --lines: the adapter to compare the base model with, as a PEFT folder or a GGUF file
    #[arg(long, value_name = "PATH", requires = "lines")]
    adapter: Option<PathBuf>,

    /// Keep results in the file that come from the same inputs
    #[arg(long)]
    resume: bool,

    /// Folder for adapters fine-tuned on the way [default: --json with the extension .work]
    #[arg(long, value_name = "DIR")]
    work: Option<PathBuf>,

    #[command(flatten)]
    base: NamedBase,

    /// Folder of the text encoder [default: in the cache]
    #[arg(long, value_name = "DIR")]
    encoder: Option<PathBuf>,

    #[command(flatten)]
    compute: Compute,
}

const EXAMPLES: &str = "\
Examples:
  dnd eval --tasks tasks --methods base,generated --json results.json
  dnd eval --tasks tasks --only antonym,sum --limit 100 --collection collection \\
      --methods base,nearest,average,generated,adapter:collection/{task} --json results.json
  dnd eval --suite --tasks tasks --collection collection --methods multitask:multitask \\
      --limit 200 --json results.json --resume
  dnd eval --lines questions.csv --adapter adapter";

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<()> {
    if let Some(path) = &arguments.lines {
        return lines::run(arguments, path);
    }
    let json = arguments.json.as_deref();
    let json = json.context("--json: expected a file")?;
    let compute = &arguments.compute;
    let observer = ProgressBars::new()?;
    let tasks = super::open_tasks(arguments.tasks.as_deref(), &arguments.only, &observer)?;
    let collection = arguments
        .collection
        .as_deref()
        .map(Collection::open)
        .transpose()?;
    let bundle = open_bundle(arguments)?;
    let methods = methods(arguments, bundle.as_ref().map(|(bundle, _)| bundle));
    ensure!(
        !methods.is_empty(),
        "--skip: expected at least one remaining method, found none"
    );
    if let Some(method) = methods.iter().find(|method| method.needs_collection()) {
        ensure!(
            collection.is_some(),
            "method {method}: expected --collection, found none"
        );
    }
    let device = compute.device()?;
    let bundle = bundle.filter(|_| methods.iter().any(Method::needs_bundle));
    let encoder = (bundle.is_some() || methods.iter().any(Method::needs_prompt_embeddings))
        .then(|| {
            let folder = arguments.encoder.clone().unwrap_or_else(default_encoder);
            Encoder::open(&folder, &device)
        })
        .transpose()?;
    let generator = match (&bundle, &encoder) {
        (Some((bundle, name)), Some(encoder)) => {
            let base = arguments.base.name();
            Some(AdapterGenerator::open(
                bundle, name, base, encoder, &device,
            )?)
        }
        _ => None,
    };
    let bundle_hash = match &bundle {
        Some((_, name)) => weights_hash(Path::new(name))?,
        None => String::new(),
    };
    let base_path = arguments.base.path();
    let base = arguments.base.open(compute, &device)?;
    let work = arguments
        .work
        .clone()
        .unwrap_or_else(|| json.with_extension("work"));
    let rows = evaluate(
        &Sources {
            base: &base,
            base_hash: base_hash(&base, &base_path)?,
            encoder: encoder.as_ref(),
            generator: generator.as_ref(),
            bundle_hash,
            collection: collection.as_ref(),
            device: &device,
        },
        &EvaluateOptions {
            tasks: &tasks,
            only: arguments.only.clone(),
            shard: arguments.shard,
            methods,
            asked: arguments.asked.clone(),
            limit: arguments.limit.map(|limit| limit as usize),
            mean_adapters: arguments.mean_adapters.map(|count| count as usize),
            seed: arguments.seed,
            json,
            resume: arguments.resume,
            work: &work,
        },
        &observer,
    )?;
    drop(observer);
    ensure!(
        !rows.is_empty() || arguments.shard != Shard::WHOLE,
        "expected a task that can be asked as --methods and --asked say, found none"
    );
    // A suite has too many methods for a table with one column each.
    output::print(&if arguments.suite {
        summary_table(&summarize(&rows))
    } else {
        table(&rows)
    })
}

/// Identifies the base model in results. Includes the matmul dtype, because it changes scores.
fn base_hash(base: &Base, path: &Path) -> Result<String> {
    let hash = weights_hash(path)?;
    Ok(match base.matmul_dtype {
        MatmulDtype::F32 => hash,
        MatmulDtype::Bf16 => format!("{hash}-bf16"),
        MatmulDtype::Stored => format!("{hash}-stored"),
    })
}

/// Opens the bundle if a method needs one. A suite uses the shipped bundle only if it exists.
fn open_bundle(arguments: &Arguments) -> Result<Option<(Bundle, String)>> {
    let path = arguments.bundle.as_deref();
    let needs_bundle = arguments.methods.iter().any(Method::needs_bundle);
    let has_bundle = path.is_some() || super::shipped_bundle().is_some();
    (needs_bundle || arguments.suite && has_bundle)
        .then(|| super::open_bundle(path))
        .transpose()
}

/// The methods of --suite and --methods, without those of --skip.
fn methods(arguments: &Arguments, bundle: Option<&Bundle>) -> Vec<Method> {
    let mut methods = if arguments.suite {
        let prompts = bundle.map(|bundle| bundle.header.prompts);
        suite(arguments.collection.is_some(), prompts)
    } else {
        Vec::new()
    };
    methods.extend(arguments.methods.iter().cloned());
    methods.retain(|method| !arguments.skip.contains(method));
    methods
}
