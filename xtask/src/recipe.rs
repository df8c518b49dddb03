//! `cargo xtask bundle`, `evaluate` and `curve`: train the shipped bundle and evaluate it.

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Result, anyhow};
use serde::Deserialize;
use xshell::{Cmd, cmd};

use crate::context::{Context, create_folder};
use crate::models;

/// Recipes of the shipped bundle, the multi-task baseline and the fine-tuned adapters.
const RECIPES: &str = "assets/recipe";
/// Held-out tasks for choosing the best checkpoint: whole families, siblings of trained tasks, and
/// combinations of their parts.
const HELD_OUT: &str = include_str!("../../assets/recipe/held_out.txt");
/// Matmul dtype of the base model: bfloat16 on CPUs where it is faster.
const DTYPE: [&str; 2] = ["--matmul-dtype", "auto"];
/// Methods that are compared unless all are.
const METHODS: &str = "majority,base,nearest,similar,average,generated,generated:shuffled";
/// More processes would need more memory than a desktop has.
const MAX_PROCESSES: usize = 8;

/// Arguments of `cargo xtask bundle`.
#[derive(clap::Args)]
pub struct BundleArgs {
    /// Folder of tasks
    #[arg(long, value_name = "DIR", default_value = "../shared/data/tasks")]
    tasks: PathBuf,
    /// The bundle to write, or to evaluate
    #[arg(long, value_name = "FILE", default_value = crate::page::BUNDLE)]
    bundle: PathBuf,
}

/// Arguments of `cargo xtask evaluate`.
#[derive(clap::Args)]
pub struct EvaluateArgs {
    #[command(flatten)]
    files: BundleArgs,
    /// Compare all methods, and write results into docs/report and the report into out/report
    #[arg(long)]
    suite: bool,
    /// Test examples per task
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
    /// Number of training adapters for `mean`, spread over all
    #[arg(long, value_name = "N", default_value_t = 8)]
    mean_adapters: usize,
    /// Resume an interrupted evaluation of the same bundle
    #[arg(long)]
    resume: bool,
    /// PEFT folder of the multi-task adapter [default: trained once from
    /// assets/recipe/multitask.toml]
    #[arg(long, value_name = "DIR")]
    multitask: Option<PathBuf>,
    /// With --suite: loss curves of the bundle's training, for the report
    #[arg(long, value_name = "CSV", requires = "suite")]
    curve: Option<String>,
    /// With --suite: results of bundles trained on other numbers of tasks, for the report
    #[arg(long, value_name = "COUNT=FILE,..", requires = "suite")]
    tasks_curve: Option<String>,
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

/// The `dnd` program and a folder of tasks.
struct Recipe<'a> {
    context: &'a Context,
    dnd: PathBuf,
    tasks: &'a Path,
}

/// Trains the generator from its recipe.
pub fn bundle(context: &Context, args: &BundleArgs) -> Result<()> {
    let recipe = Recipe::new(context, &args.tasks)?;
    Ok(recipe
        .train("generator.toml")?
        .arg("--out")
        .arg(&args.bundle)
        .run()?)
}

/// Trains generators on these numbers of tasks, scores them on the development tasks, and prints
/// the `--tasks-curve` argument of a report.
pub fn curve(context: &Context, args: &CurveArgs) -> Result<()> {
    let recipe = Recipe::new(context, &args.tasks)?;
    let fits = context.cache("fits");
    create_folder(&fits)?;
    let config = Path::new(RECIPES).join("curve.toml");
    let mut counted = Vec::new();
    for count in &args.counts {
        let count = count.to_string();
        let bundle = fits.join(format!("curve-{count}.safetensors"));
        let results = fits.join(format!("curve-{count}.json"));
        let train = ["train", "--objective", "behaviour", "--max-tasks", &count];
        let train = recipe.dnd(&train).arg("--config").arg(&config);
        train.arg("--out").arg(&bundle).run()?;
        let eval = [
            "eval",
            "--methods",
            "generated",
            "--limit",
            "200",
            "--resume",
        ];
        let eval = recipe.dnd(&eval).arg("--bundle").arg(&bundle);
        eval.arg("--json").arg(&results).run()?;
        counted.push(format!("{count}={}", results.display()));
    }
    println!("--tasks-curve {}", counted.join(","));
    Ok(())
}

/// Tunes adapters to compare with (of training tasks, of each development task, and one for all
/// tasks), and evaluates the methods on the development tasks and on the suite's held-out tasks,
/// asked in full and bare.
pub fn evaluate(context: &Context, args: &EvaluateArgs) -> Result<()> {
    let recipe = Recipe::new(context, &args.files.tasks)?;
    let tuned = context.cache("collections/tuned");
    recipe.collect(&tuned, &[])?;
    let own = context.cache("collections/own");
    recipe.collect(&own, &recipe.development_tasks()?)?;
    let own = format!("adapter:{}/{{task}}", own.display());
    let multitask = match &args.multitask {
        Some(path) => path.clone(),
        None => recipe.multitask()?,
    };
    let multitask = format!("multitask:{}", multitask.display());
    let folder = context.root(if args.suite {
        "docs/report"
    } else {
        "out/evaluation"
    });
    create_folder(&folder)?;
    let suite = recipe.suite()?;
    // Tasks of the suite have no adapter of their own.
    let sets = [
        (
            "results.json",
            args.files.tasks.as_path(),
            format!("{own},{multitask}"),
        ),
        ("held_out.json", &suite, multitask.clone()),
    ];
    for (name, tasks, methods) in sets {
        let mut eval = recipe.dnd_on(&["eval", "--asked", "full,bare"], tasks);
        eval = eval.arg("--collection").arg(&tuned);
        eval = eval.arg("--bundle").arg(&args.files.bundle);
        if args.resume {
            eval = eval.arg("--resume");
        }
        eval = if args.suite {
            let work = context.cache("collections/evaluation");
            eval.args(["--suite", "--methods", &methods, "--work"])
                .arg(work)
        } else {
            let methods = format!("{METHODS},{methods}");
            eval.args(["--methods", &methods])
        };
        let count = args.mean_adapters.to_string();
        let limit = args.limit.to_string();
        eval.args(["--mean-adapters", &count, "--limit", &limit, "--json"])
            .arg(folder.join(name))
            .run()?;
        println!("results: {}", folder.join(name).display());
    }
    if !args.suite {
        return Ok(());
    }
    let (dnd, results) = (&recipe.dnd, folder.join("results.json"));
    let out = context.root("out/report");
    let mut report = cmd!(context.sh, "{dnd} report --results {results} --out {out}");
    if let Some(curve) = &args.curve {
        report = report.args(["--curve", curve]);
    }
    if let Some(tasks_curve) = &args.tasks_curve {
        report = report.args(["--tasks-curve", tasks_curve]);
    }
    Ok(report.run()?)
}

impl<'a> Recipe<'a> {
    fn new(context: &'a Context, tasks: &'a Path) -> Result<Self> {
        models::setup(context, &models::Args::default())?;
        let dnd = context.dnd()?;
        Ok(Self {
            context,
            dnd,
            tasks,
        })
    }

    /// A `dnd` command that runs the base model on the tasks.
    fn dnd(&self, command: &[&str]) -> Cmd<'a> {
        self.dnd_on(command, self.tasks)
    }

    /// The same on another folder of tasks.
    fn dnd_on(&self, command: &[&str], tasks: &Path) -> Cmd<'a> {
        let dnd = &self.dnd;
        cmd!(
            self.context.sh,
            "{dnd} {command...} {DTYPE...} --tasks {tasks}"
        )
    }

    /// `dnd train` on the given tasks and the built-in suite. Finished runs are kept, interrupted
    /// ones resumed.
    fn train(&self, recipe: &str) -> Result<Cmd<'a>> {
        let suite = self.suite()?;
        create_folder(&self.context.cache("fits"))?;
        let train = ["train", "--objective", "behaviour", "--ship"];
        Ok(self
            .dnd(&train)
            .arg("--tasks")
            .arg(suite)
            .args(["--holdout", HELD_OUT.trim(), "--config"])
            .arg(Path::new(RECIPES).join(recipe)))
    }

    /// The folder of the built-in suite.
    fn suite(&self) -> Result<PathBuf> {
        let suite = self.context.cache("tasks/suite");
        let dnd = &self.dnd;
        cmd!(self.context.sh, "{dnd} tasks --out {suite}").run()?;
        Ok(suite)
    }

    /// Trains the multi-task baseline: one adapter for all training tasks, without a generator.
    fn multitask(&self) -> Result<PathBuf> {
        let adapter = self.context.cache("collections/multitask");
        self.train("multitask.toml")?
            .arg("--out")
            .arg(self.context.cache("fits/multitask.safetensors"))
            .arg("--adapter-out")
            .arg(&adapter)
            .run()?;
        Ok(adapter)
    }

    /// Collects tasks, or only these.
    fn collect(&self, out: &Path, only: &[String]) -> Result<()> {
        in_shards(|shard| {
            let collect = self.dnd(&["collect", "--config"]);
            let collect = collect.arg(Path::new(RECIPES).join("collect.toml"));
            let collect = collect.arg("--out").arg(out).args(["--shard", shard]);
            if only.is_empty() {
                return collect;
            }
            collect.args(["--only", &only.join(",")])
        })
    }

    /// Names of the tasks with role `dev`.
    fn development_tasks(&self) -> Result<Vec<String>> {
        #[derive(Deserialize)]
        struct Index {
            tasks: Vec<Task>,
        }
        #[derive(Deserialize)]
        struct Task {
            name: String,
            role: String,
        }
        let path = self.context.root(self.tasks).join("index.json");
        let index: Index = dnd_files::read_json(&path)?;
        let dev = index.tasks.into_iter().filter(|task| task.role == "dev");
        Ok(dev.map(|task| task.name).collect())
    }
}

/// Runs a command with `--shard` in one single-threaded process per core: small matmuls do not
/// scale over threads.
pub(crate) fn in_shards<'a>(command: impl Fn(&str) -> Cmd<'a>) -> Result<()> {
    let processes = thread::available_parallelism()
        .map_or(1, NonZero::get)
        .min(MAX_PROCESSES);
    let start = |number: usize| {
        let command = command(&format!("{number}/{processes}")).env("RAYON_NUM_THREADS", "1");
        std::process::Command::from(command).spawn()
    };
    let started: Vec<_> = (1..=processes).map(start).collect();
    for child in started {
        let status = child?.wait()?;
        if !status.success() {
            return Err(anyhow!("a process of one shard: {status}"));
        }
    }
    Ok(())
}
