//! `dnd tasks`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use dnd_tasks::Role;
use dnd_tasks::suite;

use crate::output;
use crate::progress::ProgressBars;

/// Write the built-in suite: more than a thousand tasks made from word tables and templates.
///
/// Each task has NAME.train.jsonl and NAME.test.jsonl with different inputs; index.json lists them.
/// Eighty tasks have role `dev` and are for evaluation only. The same seed gives the same examples
/// on every machine. `collect` and `eval` use this suite by default.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Arguments {
    /// Folder to write the tasks to
    #[arg(long, value_name = "DIR", required_unless_present = "list")]
    out: Option<PathBuf>,

    /// Seed for the examples
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        allow_negative_numbers = true
    )]
    seed: u64,

    /// Maximum number of training examples per task; small word tables give fewer
    #[arg(
        long,
        value_name = "N",
        default_value_t = suite::TRAIN_LINES as u64,
        value_parser = clap::value_parser!(u64).range(1..=MAX_LINES)
    )]
    train: u64,

    /// Maximum number of test examples per task
    #[arg(
        long,
        value_name = "N",
        default_value_t = suite::TEST_LINES as u64,
        value_parser = clap::value_parser!(u64).range(1..=MAX_LINES)
    )]
    test: u64,

    /// Tasks to write, separated by commas [default: all]
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    only: Vec<String>,

    /// Print name, family and role of every task and write nothing
    #[arg(long, conflicts_with = "out")]
    list: bool,
}

/// With more, sampling distinct inputs from a small pool takes minutes.
const MAX_LINES: u64 = 10_000;

const EXAMPLES: &str = "\
Examples:
  dnd tasks --out tasks
  dnd tasks --out tasks --only choose-fruit,letter-first-upper --train 1000
  dnd tasks --list";

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<()> {
    if arguments.list {
        return output::print(&list());
    }
    let folder = arguments.out.as_ref().context("--out: expected a folder")?;
    let observer = ProgressBars::new()?;
    let count = suite::write(
        folder,
        arguments.seed,
        arguments.train as usize,
        arguments.test as usize,
        &arguments.only,
        &observer,
    )?;
    drop(observer);
    output::print(&format!("{}: {count} tasks\n", folder.display()))
}

/// One line per task, separated by tabs.
fn list() -> String {
    suite::tasks()
        .iter()
        .map(|task| {
            let role = match task.role {
                Role::Train => "train",
                Role::Dev => "dev",
            };
            format!("{}\t{}\t{role}\n", task.name, task.family)
        })
        .collect()
}
