//! `cargo xtask bundle` and `cargo xtask evaluate`: how the shipped bundle and its table are made.

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::available_parallelism;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::cache::Cache;
use crate::{command, programs, setup};

/// Recipes of the shipped bundle, of its rival, and of the adapters that it is compared with.
const RECIPES: &str = "assets/recipe";
/// Tasks that no fit sees, to choose its best point by: one of most families.
const HELD_OUT: &str = "last-letter-lower,pick-fruit,letter-third-upper,item-second,choose-body,\
                        from-spanish,find-profession,sentiment-film,opposite";
/// Products of the base model's weights: bfloat16 where the CPU is fast with it.
const PRODUCTS: [&str; 2] = ["--products", "auto"];
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
    /// Compare all methods, and write results and report into docs/report
    #[arg(long)]
    suite: bool,
    /// Test lines a task [default: 100, with --suite 200]
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Training adapters whose scores make the mean, spread over all of them [default: 8, with --suite all]
    #[arg(long, value_name = "N")]
    mean_adapters: Option<usize>,
    /// Keep the measurements of an interrupted evaluation of the same bundle
    #[arg(long)]
    resume: bool,
    /// With --suite: PEFT folder of one adapter for all training tasks [default: the one of
    /// assets/recipe/multitask.toml, which is trained the first time]
    #[arg(long, value_name = "DIR", requires = "suite")]
    multitask: Option<PathBuf>,
    /// With --suite: loss curves of the bundle's training, for the report
    #[arg(long, value_name = "CSV", requires = "suite")]
    curve: Option<String>,
    /// With --suite: results of bundles trained on other numbers of tasks, for the report
    #[arg(long, value_name = "COUNT=FILE,..", requires = "suite")]
    tasks_curve: Option<String>,
}

/// Fits the generator, as its recipe says.
pub fn bundle(cache: &Cache, args: &BundleArgs) -> Result<()> {
    setup::run(cache, &setup::Args::default())?;
    let dnd = programs::dnd()?;
    let mut train = train(cache, &dnd, &args.tasks, "generator.toml")?;
    train.arg("--out").arg(&args.bundle);
    command::run(train)
}

/// The generator's rival: one adapter for all training tasks, from the same fit without a generator.
fn multitask(cache: &Cache, dnd: &Path, tasks: &Path) -> Result<PathBuf> {
    let adapter = cache.collections().join("multitask");
    let mut train = train(cache, dnd, tasks, "multitask.toml")?;
    train
        .arg("--out")
        .arg(cache.fits().join("multitask.safetensors"))
        .arg("--adapter-out")
        .arg(&adapter);
    command::run(train)?;
    Ok(adapter)
}

/// Arguments of `cargo xtask curve`.
#[derive(clap::Args)]
pub struct CurveArgs {
    /// Folder of tasks
    #[arg(long, value_name = "DIR", default_value = "../shared/data/tasks")]
    tasks: PathBuf,
    /// Numbers of training tasks
    #[arg(long, value_name = "N,..", value_delimiter = ',', default_values_t = [5, 10, 20, 45])]
    counts: Vec<usize>,
}

/// Fits generators to so many of the given tasks, scores them on the development tasks, and prints the `--tasks-curve` of a report.
pub fn curve(cache: &Cache, args: &CurveArgs) -> Result<()> {
    setup::run(cache, &setup::Args::default())?;
    let dnd = programs::dnd()?;
    let fits = cache.fits();
    std::fs::create_dir_all(&fits).with_context(|| format!("cannot create {}", fits.display()))?;
    let mut counted = Vec::new();
    for count in &args.counts {
        let bundle = fits.join(format!("curve-{count}.safetensors"));
        let results = fits.join(format!("curve-{count}.json"));
        let mut train = command::new(&dnd);
        train
            .args(["train", "--objective", "behaviour"])
            .args(PRODUCTS)
            .args(["--most-tasks", &count.to_string(), "--config"])
            .arg(Path::new(RECIPES).join("curve.toml"))
            .arg("--tasks")
            .arg(&args.tasks)
            .arg("--out")
            .arg(&bundle);
        command::run(train)?;
        let mut eval = command::new(&dnd);
        eval.args([
            "eval",
            "--methods",
            "generated",
            "--limit",
            "200",
            "--resume",
        ])
        .args(PRODUCTS)
        .arg("--tasks")
        .arg(&args.tasks)
        .arg("--bundle")
        .arg(&bundle)
        .arg("--json")
        .arg(&results);
        command::run(eval)?;
        counted.push(format!("{count}={}", results.display()));
    }
    println!("--tasks-curve {}", counted.join(","));
    Ok(())
}

/// `dnd train` on the given tasks and our own. A fit that is finished, or was interrupted, is not begun anew.
fn train(cache: &Cache, dnd: &Path, tasks: &Path, recipe: &str) -> Result<Command> {
    let suite = cache.tasks().join("suite");
    let mut write = command::new(dnd);
    write.arg("tasks").arg("--out").arg(&suite);
    command::run(write)?;
    let fits = cache.fits();
    std::fs::create_dir_all(&fits).with_context(|| format!("cannot create {}", fits.display()))?;
    let mut train = command::new(dnd);
    train
        .args(["train", "--objective", "behaviour", "--ship"])
        .args(PRODUCTS)
        .args(["--holdout", HELD_OUT, "--config"])
        .arg(Path::new(RECIPES).join(recipe))
        .arg("--tasks")
        .arg(tasks)
        .arg("--tasks")
        .arg(suite);
    Ok(train)
}

/// Tunes an adapter on each development task, for comparison alone, and measures all methods.
pub fn evaluate(cache: &Cache, args: &EvaluateArgs) -> Result<()> {
    setup::run(cache, &setup::Args::default())?;
    let dnd = programs::dnd()?;
    let ship = cache.collections().join("tuned");
    collect(&dnd, &args.files, &ship, &[])?;
    let own = cache.collections().join("own");
    collect(
        &dnd,
        &args.files,
        &own,
        &development_tasks(&args.files.tasks)?,
    )?;
    let own = format!("adapter:{}/{{task}}", own.display());
    let mut eval = command::new(&dnd);
    eval.arg("eval")
        .args(PRODUCTS)
        .arg("--tasks")
        .arg(&args.files.tasks)
        .arg("--collection")
        .arg(&ship)
        .arg("--bundle")
        .arg(&args.files.bundle);
    if args.resume {
        eval.arg("--resume");
    }
    if args.suite {
        return evaluate_suite(cache, args, &dnd, eval, own);
    }
    let folder = command::root().join("out/evaluation");
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot create {}", folder.display()))?;
    let results = folder.join("development.json");
    let methods = format!("majority,base,mean,nearest,average,generated,{own}");
    let mean_adapters = args.mean_adapters.unwrap_or(8).to_string();
    eval.args(["--methods", &methods, "--mean-adapters", &mean_adapters])
        .args(["--limit", &args.limit.unwrap_or(100).to_string(), "--json"])
        .arg(&results);
    command::run(eval)?;
    println!("results: {}", results.display());
    Ok(())
}

/// All methods, with the adapters that tuning makes kept in the cache, and the report of them.
fn evaluate_suite(
    cache: &Cache,
    args: &EvaluateArgs,
    dnd: &Path,
    mut eval: Command,
    mut methods: String,
) -> Result<()> {
    let folder = command::root().join("docs/report");
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot create {}", folder.display()))?;
    let multitask = match &args.multitask {
        Some(path) => path.clone(),
        None => multitask(cache, dnd, &args.files.tasks)?,
    };
    methods.push_str(&format!(",multitask:{}", multitask.display()));
    let results = folder.join("results.json");
    eval.args(["--suite", "--methods", &methods])
        .args(["--limit", &args.limit.unwrap_or(200).to_string()])
        .arg("--work")
        .arg(cache.collections().join("evaluation"))
        .arg("--json")
        .arg(&results);
    if let Some(count) = args.mean_adapters {
        eval.args(["--mean-adapters", &count.to_string()]);
    }
    command::run(eval)?;
    let mut report = command::new(dnd);
    report.arg("report").arg("--results").arg(&results);
    if let Some(curve) = &args.curve {
        report.args(["--curve", curve]);
    }
    if let Some(tasks_curve) = &args.tasks_curve {
        report.args(["--tasks-curve", tasks_curve]);
    }
    report.arg("--out").arg(&folder);
    command::run(report)
}

/// Collects in one process a core, each with one thread: small matrices share the work badly.
fn collect(dnd: &Path, args: &BundleArgs, out: &Path, only: &[String]) -> Result<()> {
    let processes = available_parallelism()
        .map_or(1, NonZero::get)
        .min(MOST_PROCESSES);
    let commands = (1..=processes).map(|number| {
        let mut collect = command::new(dnd);
        collect
            .arg("collect")
            .args(PRODUCTS)
            .arg("--config")
            .arg(Path::new(RECIPES).join("collect.toml"))
            .arg("--tasks")
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
