//! `dnd tune`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use dnd_adapter::Adapter;
use dnd_eval::{shuffled, tune_on_few, weights_hash};
use dnd_files::Observer;
use dnd_model::AdapterGenerator;
use dnd_model::files::{Encoder, default_encoder};
use dnd_model::lora::check_layout;
use dnd_tasks::{Asked, Line, Role, Split, Task};

use super::adapter::read_adapter;
use super::{Compute, NamedBase};
use crate::output;
use crate::progress::ProgressBars;

/// Go on from an adapter with a few labelled lines.
///
/// Every task of --only is tuned on as many of its training lines as --lines says, from the adapter
/// of --start. Each adapter becomes a PEFT folder OUT/TASK/LINES; running the same command again
/// skips those that are finished. `dnd eval` measures the same with the methods `few:K`,
/// `few:K:generated` and `few:K:DIR`.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Arguments {
    /// Adapter to start from: a PEFT folder, or `generated` for the one that the bundle generates
    /// from the task's training prompts
    #[arg(long, value_name = "DIR")]
    start: PathBuf,

    /// Folder of tasks: labelled lines from NAME.train.jsonl [default: the `dnd tasks` suite, in
    /// the cache]
    #[arg(long, value_name = "DIR")]
    tasks: Option<PathBuf>,

    /// Tasks to tune, separated by commas [default: all with role `dev`]
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    only: Vec<String>,

    /// Numbers of labelled lines, separated by commas
    #[arg(
        long,
        value_name = "K,L",
        value_delimiter = ',',
        required = true,
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    lines: Vec<u64>,

    /// How the base model will be asked: `full` (the prompt) or `bare` (the input alone)
    #[arg(long, value_name = "HOW", default_value = "full")]
    asked: Asked,

    /// Folder to write the adapters to
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// Bundle to generate with [default: the shipped one]
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,

    /// Seed for sampling lines and prompts
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    seed: u64,

    /// Keep less in memory: compute each layer again for its gradients
    #[arg(long)]
    recompute: bool,

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
  dnd tune --start adapter --tasks tasks --only my-task --lines 16 --out tuned
  dnd tune --start generated --tasks tasks --lines 1,4,16,64 --out tuned --asked bare";

/// Value of --start for a generated adapter.
const GENERATED: &str = "generated";

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<()> {
    let compute = &arguments.compute;
    let observer = ProgressBars::new()?;
    let folder = super::open_tasks(arguments.tasks.as_deref(), &arguments.only, &observer)?;
    let tasks: Vec<Task> = if arguments.only.is_empty() {
        let all = folder.tasks.iter();
        all.filter(|task| task.role == Role::Dev).cloned().collect()
    } else {
        folder.select(&arguments.only)?
    };
    let device = compute.device()?;
    let base = arguments.base.open(compute, &device)?;
    let base_hash = weights_hash(&arguments.base.path())?;
    let start = if arguments.start.as_os_str() == GENERATED {
        let path = arguments.encoder.clone().unwrap_or_else(default_encoder);
        let encoder = Encoder::open(&path, &device)?;
        let (bundle, name) = super::open_bundle(arguments.bundle.as_deref())?;
        let generator = AdapterGenerator::open(&bundle, &name, &base.name, &encoder, &device)?;
        Start::Generated(Box::new(generator))
    } else {
        Start::Adapter(read_adapter(&arguments.start, None)?)
    };
    let dimensions = &base.model.config().dimensions;
    check_layout(start.layout(), "--start", dimensions)?;

    let mut table = String::new();
    for task in &tasks {
        let lines = folder.lines(task, Split::Train)?;
        let prompts: Vec<String> = lines.iter().map(|line| line.prompt.clone()).collect();
        let lines = shuffled(&lines, arguments.seed);
        let lines = lines.iter().map(|line| line.as_asked(arguments.asked));
        let lines = lines.collect::<Option<Vec<Line>>>().with_context(|| {
            format!(
                "--asked bare: task `{}`: expected an `input` in every line, found lines without",
                task.name
            )
        })?;
        let initial = start.adapter(&prompts, arguments.seed)?;
        let how = (arguments.seed, arguments.recompute);
        let mut counts: Vec<usize> = Vec::new();
        for &count in &arguments.lines {
            let (name, found) = (&task.name, lines.len());
            if found < count as usize {
                observer.note(&format!(
                    "{name}: has {found} of the {count} lines asked for"
                ));
            }
            counts.push(found.min(count as usize));
        }
        counts.dedup();
        for count in counts {
            let chosen = &lines[..count];
            let out = arguments.out.join(&task.name).join(count.to_string());
            let tuned = tune_on_few(&base, &initial, chosen, how, (&out, &base_hash), &observer)?;
            let [first, last] = tuned.losses;
            table += &format!(
                "{}: {} lines, loss {first:.3} -> {last:.3}, {:.1} s\n",
                out.display(),
                chosen.len(),
                tuned.seconds
            );
        }
    }
    drop(observer);
    output::print(&table)
}

/// What tuning goes on from.
enum Start {
    Adapter(Adapter),
    Generated(Box<AdapterGenerator>),
}

impl Start {
    fn layout(&self) -> &dnd_adapter::Layout {
        match self {
            Self::Adapter(adapter) => &adapter.layout,
            Self::Generated(generator) => generator.layout(),
        }
    }

    /// The adapter of a task with these prompts.
    fn adapter(&self, prompts: &[String], seed: u64) -> Result<Adapter> {
        Ok(match self {
            Self::Adapter(adapter) => adapter.clone(),
            Self::Generated(generator) => generator.generate_blocking(prompts, seed)?.0.adapter,
        })
    }
}
