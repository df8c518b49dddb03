//! `cargo xtask`: set-up, tests, the first run and benchmarks, the same for people and for CI.

mod bench;
mod browser;
mod cache;
mod command;
mod files;
#[cfg(feature = "hub")]
mod hub;
mod models;
mod node;
mod package;
mod page;
mod programs;
mod recipe;
mod run;
mod setup;
mod tally;
mod terminal;
mod test;
mod tools;
mod wasm;

use std::process::ExitCode;

use anyhow::Result;
use cache::Cache;
use clap::{Parser, Subcommand};

/// The tasks of this repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Fetch the models into the cache folder
    Setup(setup::Args),
    /// Run every check: format, spelling, dependencies, lints, tests, GPU type checks, page, browser
    #[command(after_help = wasm::HELP)]
    Test(test::Args),
    /// Build the page and serve it on this machine
    #[command(after_help = wasm::HELP)]
    Run(run::Args),
    /// Build the page into out/page
    #[command(after_help = wasm::HELP)]
    Page,
    /// Add models, examples and the service worker's version to a page; Trunk calls this
    PageFiles(page::complete::Args),
    /// Make the shipped bundle from its recipe: collect adapters, then fit the generator
    Bundle(recipe::BundleArgs),
    /// Compare the bundle with its baselines on the development tasks
    Evaluate(recipe::EvaluateArgs),
    /// Fit generators to fewer tasks and score them, for the report's curve
    Curve(recipe::CurveArgs),
    /// Measure the pipeline, and encoder and generator on each device beside what else there is
    Bench(bench::Args),
}

fn main() -> ExitCode {
    match perform(Cli::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn perform(task: Task) -> Result<()> {
    let cache = Cache::locate()?;
    command::set_target_folder(cache.target());
    match task {
        Task::Setup(args) => setup::run(&cache, &args),
        Task::Test(args) => test::run(&cache, &args),
        Task::Run(args) => run::run(&cache, &args),
        Task::Page => page::build(&cache).map(drop),
        Task::PageFiles(args) => page::complete::run(&cache, &args),
        Task::Bundle(args) => recipe::bundle(&cache, &args),
        Task::Evaluate(args) => recipe::evaluate(&cache, &args),
        Task::Curve(args) => recipe::curve(&cache, &args),
        Task::Bench(args) => bench::run(&cache, &args),
    }
}
