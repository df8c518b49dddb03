//! `cargo xtask bundle` and `cargo xtask evaluate`: how the shipped bundle and its table are made.

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::cache::Cache;
use crate::{command, programs, setup};

const RECIPE: &str = "assets/recipe.toml";
/// More processes than this would need more memory than a desktop has.
const MOST_PROCESSES: usize = 8;

/// Arguments of `cargo xtask bundle`.
#[derive(clap::Args)]
pub struct BundleArgs {
    /// Folder of tasks
    #[arg(long, value_name = "DIR", default_value = "../shared/data/tasks")]
    tasks: PathBuf,
    /// The bundle to write, or to evaluate
    #[arg(
        long,
        value_name = "FILE",
        default_value = "assets/smollm2-135m.safetensors"
    )]
    bundle: PathBuf,
}

/// Arguments of `cargo xtask evaluate`.
#[derive(clap::Args)]
pub struct EvaluateArgs {
    #[command(flatten)]
    files: BundleArgs,
    /// Test lines a task when evaluating
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
    /// Training adapters whose scores make the mean, spread over all of them
    #[arg(long, value_name = "N", default_value_t = 8)]
    mean_adapters: usize,
    /// Keep the measurements of an interrupted evaluation of the same bundle
    #[arg(long)]
    resume: bool,
}

/// Collects adapters of all tasks that may ship and fits the generator, as the recipe says.
pub fn bundle(cache: &Cache, args: &BundleArgs) -> Result<()> {
    setup::run(cache, &setup::Args::default())?;
    let dnd = programs::dnd()?;
    let collection = cache.collections().join("ship");
    collect(&dnd, args, &collection, &[])?;
    let mut train = command::new(&dnd);
    train.args(["train", "--config", RECIPE, "--collection"]);
    train.arg(&collection).arg("--out").arg(&args.bundle);
    command::run(train)
}

/// Tunes an adapter on each development task, for comparison alone, and measures all methods.
pub fn evaluate(cache: &Cache, args: &EvaluateArgs) -> Result<()> {
    setup::run(cache, &setup::Args::default())?;
    let dnd = programs::dnd()?;
    let ship = cache.collections().join("ship");
    collect(&dnd, &args.files, &ship, &[])?;
    let own = cache.collections().join("dev");
    collect(
        &dnd,
        &args.files,
        &own,
        &development_tasks(&args.files.tasks)?,
    )?;
    let results = command::root().join("docs/evaluation/development.json");
    let methods = format!(
        "majority,base,mean,nearest,average,generated,adapter:{}/{{task}}",
        own.display()
    );
    let mut eval = command::new(&dnd);
    eval.args(["eval", "--methods", &methods, "--tasks"])
        .arg(&args.files.tasks)
        .args(["--limit", &args.limit.to_string()])
        .args(["--mean-adapters", &args.mean_adapters.to_string()])
        .arg("--collection")
        .arg(&ship)
        .arg("--bundle")
        .arg(&args.files.bundle)
        .arg("--json")
        .arg(&results);
    if args.resume {
        eval.arg("--resume");
    }
    command::run(eval)?;
    println!("results: {}", results.display());
    Ok(())
}

/// Collects in one process a core, each with one thread: small matrices share the work badly.
fn collect(dnd: &Path, args: &BundleArgs, out: &Path, only: &[String]) -> Result<()> {
    let processes = available_parallelism()
        .map_or(1, NonZero::get)
        .min(MOST_PROCESSES);
    let commands = (1..=processes).map(|number| {
        let mut collect = command::new(dnd);
        collect
            .args(["collect", "--config", RECIPE, "--tasks"])
            .arg(&args.tasks)
            .arg("--out")
            .arg(out)
            .args(["--shard", &format!("{number}/{processes}")])
            .env("RAYON_NUM_THREADS", "1");
        if !only.is_empty() {
            collect.args(["--only", &only.join(",")]);
        }
        collect
    });
    command::run_together(commands)
}

/// Names of the tasks with role `dev`.
fn development_tasks(folder: &Path) -> Result<Vec<String>> {
    #[derive(Deserialize)]
    struct Index {
        tasks: Vec<Task>,
    }
    #[derive(Deserialize)]
    struct Task {
        name: String,
        role: String,
    }
    let path = command::root().join(folder).join("index.json");
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}", path.display()))?;
    let index: Index =
        serde_json::from_str(&text).with_context(|| format!("in {}", path.display()))?;
    let dev = index.tasks.into_iter().filter(|task| task.role == "dev");
    Ok(dev.map(|task| task.name).collect())
}
