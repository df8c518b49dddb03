//! `cargo xtask`: set-up, tests, the first run and benchmarks, the same for people and for CI.

mod bench;
mod cache;
mod command;
#[cfg(feature = "hub")]
mod hub;
mod models;
mod package;
mod recipe;
mod run;
mod setup;
mod test;
mod tools;

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
    /// Run every check: format, spelling, dependencies, lints, tests, GPU type checks
    Test(test::Args),
    /// Generate an adapter from example prompts and show what it changes
    Run(run::Args),
    /// Make the shipped bundle from its recipe: collect adapters, then fit the generator
    Bundle(recipe::BundleArgs),
    /// Compare the bundle with its baselines on the development tasks
    Evaluate(recipe::EvaluateArgs),
    /// Measure the pipeline; arguments after `--` go to the benchmark
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
        Task::Bundle(args) => recipe::bundle(&cache, &args),
        Task::Evaluate(args) => recipe::evaluate(&cache, &args),
        Task::Bench(args) => bench::run(&cache, &args),
    }
}
