//! `cargo xtask paper`: the published pipeline end to end, at any scale.
//!
//! Leave-one-out over the common-sense sets (Drag-and-Drop LLMs, arXiv 2506.16406, section 4):
//! collect checkpoints of every set, train a generator of their weights on all sets but one, and
//! score its adapter on the set that was left out, beside the honest baselines.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use xshell::{Cmd, cmd};

use crate::context::{Context, create_folder};
use crate::models;
use crate::recipe::in_shards;

/// Arguments of `cargo xtask paper`.
#[derive(clap::Args)]
pub struct Args {
    /// Recipe with steps, snapshots, generator and rates
    #[arg(
        long,
        value_name = "FILE",
        default_value = "assets/recipe/paper/smollm2-135m.toml"
    )]
    recipe: PathBuf,
    /// Folder of tasks
    #[arg(long, value_name = "DIR", default_value = "../shared/data/tasks")]
    tasks: PathBuf,
    /// Sets, each of which is left out once
    #[arg(
        long,
        value_name = "A,B,C",
        value_delimiter = ',',
        default_values_t = SETS.map(str::to_owned)
    )]
    sets: Vec<String>,
    /// Test lines of each set
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
    /// GGUF file or folder of the base model [default: SmolLM2-135M-Instruct]
    #[arg(long, value_name = "PATH", requires = "base_model")]
    base: Option<PathBuf>,
    /// What adapters call the base model
    #[arg(long, value_name = "NAME", requires = "base")]
    base_model: Option<String>,
    /// The table to write, as Markdown; scores go beside it as .json
    #[arg(long, value_name = "FILE", default_value = "docs/report/paper.md")]
    out: PathBuf,
}

/// The published sets that `../shared/data` has. All answers of its PIQA are the same, and
/// HellaSwag is absent.
const SETS: [&str; 5] = [
    "arc-easy",
    "arc-challenge",
    "openbookqa",
    "boolq",
    "winogrande",
];
/// Published accuracy in % for Qwen2.5-0.5B: mean of the training adapters, generated, and tuned on
/// the set itself (the paper's table of common-sense sets, figures read second-hand).
const PUBLISHED: [(&str, [f64; 3]); 5] = [
    ("arc-easy", [37.5, 68.6, 59.4]),
    ("arc-challenge", [39.5, 51.6, 40.7]),
    ("openbookqa", [30.2, 40.8, 38.4]),
    ("boolq", [13.5, 44.9, 22.1]),
    ("winogrande", [38.8, 50.0, 50.5]),
];
/// Columns of our table: method of `dnd eval`, title.
const METHODS: [(&str, &str); 10] = [
    ("majority", "most frequent answer"),
    ("base", "base model"),
    ("mean", "mean of training adapters"),
    ("best", "best of them"),
    ("nearest", "nearest"),
    ("average", "average of weights"),
    ("multitask", "multi-task"),
    ("generated", "generated"),
    ("generated:shuffled", "another set's prompts"),
    ("adapter", "tuned on the set"),
];
/// What is compared with published figures, in their order.
const COMPARED: [&str; 3] = ["mean", "generated", "adapter"];

/// Runs the pipeline. What is finished is kept in the cache folder, so that an interrupted run goes
/// on.
pub fn run(context: &Context, args: &Args) -> Result<()> {
    ensure!(
        args.sets.len() > 2,
        "--sets: expected at least 3, found {}",
        args.sets.len()
    );
    let tasks = context.root(&args.tasks);
    ensure!(
        tasks.join("index.json").exists(),
        "--tasks: expected {} with an index.json, found none",
        tasks.display()
    );
    if args.base.is_none() {
        models::setup(context, &models::Args::default())?;
    }
    let stem = args
        .recipe
        .file_stem()
        .context("--recipe: expected a file")?;
    let pipeline = Pipeline {
        context,
        dnd: context.dnd()?,
        args,
        folder: context.cache("paper").join(stem),
        tasks,
    };
    pipeline.collect()?;
    let mut scores = BTreeMap::new();
    for set in &args.sets {
        scores.insert(set.clone(), pipeline.leave_out(set)?);
        // Written after each set, as all of them take hours.
        let text = table(args, &scores);
        let out = context.root(&args.out);
        dnd_files::write(&out, text.as_bytes())?;
        dnd_files::write_json(&out.with_extension("json"), &scores)?;
        println!("{text}\n{}", out.display());
    }
    Ok(())
}

/// Exact match by method, in %.
type Scores = BTreeMap<String, f64>;

struct Pipeline<'a> {
    context: &'a Context,
    dnd: PathBuf,
    args: &'a Args,
    /// Working folder in the cache.
    folder: PathBuf,
    tasks: PathBuf,
}

impl<'a> Pipeline<'a> {
    /// A `dnd` command that runs the base model.
    fn dnd(&self, command: &str) -> Cmd<'a> {
        let dnd = &self.dnd;
        let mut command = cmd!(self.context.sh, "{dnd} {command} --matmul-dtype auto");
        if let (Some(base), Some(name)) = (&self.args.base, &self.args.base_model) {
            command = command.arg("--base").arg(base).args(["--base-model", name]);
        }
        command
    }

    fn collection(&self) -> PathBuf {
        self.folder.join("collection")
    }

    /// Collects checkpoints of every set.
    fn collect(&self) -> Result<()> {
        let tasks = self.task_folder(None)?;
        in_shards(|shard| {
            let collect = self
                .dnd("collect")
                .args(["--shard", shard, "--tasks"])
                .arg(&tasks);
            let collect = collect.arg("--config").arg(&self.args.recipe);
            collect.arg("--out").arg(self.collection())
        })
    }

    /// Trains on all sets but one and scores on that one.
    fn leave_out(&self, set: &str) -> Result<Scores> {
        println!("=== without {set}");
        let tasks = self.task_folder(Some(set))?;
        let folder = tasks.parent().context("a folder of tasks")?.to_owned();
        let collection = folder.join("collection");
        create_folder(&collection)?;
        link(&self.collection(), &collection, "collection.json")?;
        for other in self.args.sets.iter().filter(|other| *other != set) {
            link(&self.collection(), &collection, other)?;
        }
        let [bundle, rival, adapter, scores] = [
            "generator.safetensors",
            "rival.safetensors",
            "rival",
            "scores.json",
        ]
        .map(|name| folder.join(name));
        let sh = &self.context.sh;
        let (dnd, recipe) = (&self.dnd, &self.args.recipe);
        cmd!(
            sh,
            "{dnd} train --collection {collection} --config {recipe} --out {bundle}"
        )
        .run()?;
        let train = self
            .dnd("train")
            .args(["--objective", "behaviour", "--tasks"])
            .arg(&tasks);
        let train = train.arg("--config").arg(recipe).arg("--out").arg(&rival);
        train.arg("--adapter-out").arg(&adapter).run()?;

        let own = format!("adapter:{}/{{task}}", self.collection().display());
        let rival = format!("multitask:{}", adapter.display());
        let methods: Vec<&str> = METHODS
            .iter()
            .map(|(method, _)| match *method {
                "multitask" => &*rival,
                "adapter" => &*own,
                method => method,
            })
            .collect();
        let limit = self.args.limit.to_string();
        let eval = self
            .dnd("eval")
            .args(["--resume", "--limit", &limit, "--tasks"])
            .arg(&tasks);
        let eval = eval
            .args(["--methods", &methods.join(","), "--collection"])
            .arg(&collection);
        eval.arg("--bundle")
            .arg(&bundle)
            .arg("--json")
            .arg(&scores)
            .run()?;
        let rows: Vec<Value> = dnd_files::read_json(&scores)?;
        let score = |row: &Value| {
            let method = row["method"].as_str()?;
            let name = match method.split_once(':') {
                Some((name @ ("multitask" | "adapter"), _)) => name,
                _ => method,
            };
            Some((name.to_owned(), 100.0 * row["exact_match"].as_f64()?))
        };
        Ok(rows.iter().filter_map(score).collect())
    }

    /// A folder of the sets alone; the one that is left out is held out, the others train.
    fn task_folder(&self, left_out: Option<&str>) -> Result<PathBuf> {
        let folder = self.folder.join(left_out.unwrap_or("all")).join("tasks");
        create_folder(&folder)?;
        let mut index: Value = dnd_files::read_json(&self.tasks.join("index.json"))?;
        let tasks = index["tasks"].as_array_mut();
        let tasks = tasks.context("index.json: expected a list `tasks`")?;
        tasks.retain(|task| self.args.sets.iter().any(|set| task["name"] == **set));
        ensure!(
            tasks.len() == self.args.sets.len(),
            "--sets: expected tasks of {}, found others",
            self.tasks.display()
        );
        for task in tasks {
            let is_left_out = left_out.is_some_and(|name| task["name"] == name);
            task["role"] = if is_left_out { "dev" } else { "train" }.into();
        }
        dnd_files::write_json(&folder.join("index.json"), &index)?;
        for set in &self.args.sets {
            for split in ["train", "test"] {
                link(&self.tasks, &folder, &format!("{set}.{split}.jsonl"))?;
            }
        }
        Ok(folder)
    }
}

/// Makes an entry of one folder appear in another.
fn link(from: &Path, to: &Path, name: &str) -> Result<()> {
    let (from, to) = (from.join(name), to.join(name));
    if to.exists() {
        return Ok(());
    }
    #[cfg(unix)]
    let made = std::os::unix::fs::symlink(fs::canonicalize(&from)?, &to);
    #[cfg(not(unix))]
    let made = if from.is_dir() {
        std::os::windows::fs::symlink_dir(fs::canonicalize(&from)?, &to)
    } else {
        std::os::windows::fs::symlink_file(fs::canonicalize(&from)?, &to)
    };
    made.with_context(|| format!("cannot link {} to {}", to.display(), from.display()))
}

/// Both tables: ours, and beside the published figures.
fn table(args: &Args, scores: &BTreeMap<String, Scores>) -> String {
    let base = args
        .base_model
        .as_deref()
        .unwrap_or("SmolLM2-135M-Instruct");
    let mut text = format!(
        "# The published pipeline, repeated\n\n\
         Leave-one-out over the common-sense sets (arXiv 2506.16406): a generator of weights is\n\
         trained on the checkpoints of all sets but one and scored on that one. Base model\n\
         {base}, recipe `{}`, exact match in %, {} lines a\n\
         set. `cargo xtask paper` makes this page.\n\n",
        args.recipe.display(),
        args.limit
    );
    // Writing to a string cannot fail.
    let done = scores.len();
    if done < args.sets.len() {
        let all = args.sets.len();
        let _ = writeln!(
            text,
            "{done} of {all} sets so far; the same command goes on.\n"
        );
    }
    let titles = METHODS.map(|(_, title)| title).join(" | ");
    let rule = "--:|".repeat(METHODS.len());
    let _ = writeln!(text, "| left out | {titles} |\n|---|{rule}");
    let finished = args.sets.iter().filter(|set| scores.contains_key(*set));
    let sets: Vec<&String> = finished.collect();
    let value = |set: &str, method: &str| scores[set].get(method).copied();
    let mean_of = |values: Vec<Option<f64>>| {
        let count = values.len() as f64;
        values
            .into_iter()
            .sum::<Option<f64>>()
            .map(|sum| sum / count)
    };
    let shown = |value: Option<f64>| value.map_or("—".to_owned(), |value| format!("{value:.1}"));
    for set in &sets {
        let row = METHODS
            .map(|(method, _)| shown(value(set, method)))
            .join(" | ");
        let _ = writeln!(text, "| {set} | {row} |");
    }
    let row = METHODS
        .map(|(method, _)| shown(mean_of(sets.iter().map(|set| value(set, method)).collect())));
    let _ = writeln!(text, "| mean | {} |", row.join(" | "));
    let _ = write!(
        text,
        "\nBeside the paper's figures for Qwen2.5-0.5B, whose table has no other baseline:\n\n\
         | left out | mean of training adapters | paper | generated | paper | tuned on the set | \
         paper |\n|---|--:|--:|--:|--:|--:|--:|\n"
    );
    for (set, published) in PUBLISHED
        .iter()
        .filter(|(set, _)| scores.contains_key(*set))
    {
        let pairs = COMPARED
            .iter()
            .zip(published)
            .map(|(method, published)| format!("{} | {published:.1}", shown(value(set, method))));
        let _ = writeln!(
            text,
            "| {set} | {} |",
            pairs.collect::<Vec<_>>().join(" | ")
        );
    }
    text
}
