//! `dnd report`.

use std::path::PathBuf;

use anyhow::Result;
use dnd_eval::report::{CountedResults, PAGE, ReportOptions, TABLE, report};

use crate::output;

/// Make a page of what `dnd eval --suite` measured.
///
/// OUT gets index.html, which needs nothing besides itself: tables with 95 % intervals, bars a task,
/// exact match against examples, training tasks, prompts and cost; and report.csv with the figures
/// behind it. What was not measured is left out with a sentence.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Arguments {
    /// Results that `dnd eval` wrote as JSON
    #[arg(long, value_name = "FILE")]
    results: PathBuf,

    /// Loss curves that `dnd train` wrote as CSV, separated by commas
    #[arg(long, value_name = "CSV", value_delimiter = ',')]
    curve: Vec<PathBuf>,

    /// Results of generators trained on other numbers of tasks, separated by commas
    #[arg(long, value_name = "COUNT=FILE", value_delimiter = ',')]
    tasks_curve: Vec<CountedResults>,

    /// Folder for the page and the table
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  dnd report --results results.json --out report
  dnd report --results results.json --curve bundle.csv --tasks-curve 5=five.json,10=ten.json \\
      --out report";

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<()> {
    report(&ReportOptions {
        results: &arguments.results,
        curves: &arguments.curve,
        tasks_curve: &arguments.tasks_curve,
        out: &arguments.out,
    })?;
    let path = |name: &str| arguments.out.join(name);
    output::print(&format!(
        "{}\n{}\n",
        path(PAGE).display(),
        path(TABLE).display()
    ))
}
