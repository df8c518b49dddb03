//! `dnd report`.

use std::path::PathBuf;

use anyhow::Result;
use dnd_eval::report::{CountedResults, PAGE, ReportOptions, TABLE, report};

use crate::output;

/// Show the results of `dnd eval --suite` as a page.
///
/// Writes a self-contained index.html to OUT: tables with 95 % confidence intervals, bar charts per
/// task, and plots of exact match against the number of examples, training tasks and prompts, and
/// against cost. Writes report.csv with the numbers behind it. Parts without results say so.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Arguments {
    /// JSON results of `dnd eval`; those of its shards separated by commas
    #[arg(long, value_name = "FILE,..", value_delimiter = ',', required = true)]
    results: Vec<PathBuf>,

    /// CSV loss curves of `dnd train`, separated by commas
    #[arg(long, value_name = "CSV", value_delimiter = ',')]
    curve: Vec<PathBuf>,

    /// Results of generators trained on COUNT tasks, separated by commas
    #[arg(long, value_name = "COUNT=FILE", value_delimiter = ',')]
    tasks_curve: Vec<CountedResults>,

    /// Folder to write the page and the table to
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
