//! `cargo xtask`: set-up, page, tests and benchmarks, for people and CI.

mod bench;
mod browser;
mod context;
mod fuzz;
mod gpu;
mod models;
mod node;
mod package;
mod page;
mod paper;
mod recipe;
mod run;
mod test;
mod tools;
mod wasm;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use context::Context;

/// Development tasks of this repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Fetch the models into the cache folder
    Setup(models::Args),
    /// Run every check: format, spelling, dependencies, lints, tests, GPU kernels, page, browser
    #[command(after_help = wasm::HELP)]
    Test(test::Args),
    /// Build the page and serve it on this machine
    #[command(after_help = wasm::HELP)]
    Run(run::Args),
    /// Build the page into out/page, optimized for shipping
    #[command(after_help = wasm::HELP)]
    Page,
    /// Build the npm package for other people's pages into out/package
    #[command(after_help = wasm::HELP)]
    Package,
    /// Add models and the service worker's version to a page; Trunk calls this
    PageFiles(page::complete::Args),
    /// Train the shipped bundle from its recipe
    Bundle(recipe::BundleArgs),
    /// Compare the bundle with baselines on the development tasks
    Evaluate(recipe::EvaluateArgs),
    /// Train generators on fewer tasks and score them, for the report's curve
    Curve(recipe::CurveArgs),
    /// Repeat the published pipeline: leave-one-out over the common-sense sets
    Paper(paper::Args),
    /// Benchmark the pipeline, and encoder and generator on each device against alternatives
    Bench(bench::Args),
    /// Compare everything that runs on a GPU with the CPU, and print both speeds
    GpuCheck(gpu::Args),
    /// Fuzz everything that reads bytes, by turns
    Fuzz(fuzz::Args),
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
    let context = Context::new()?;
    match task {
        Task::Setup(args) => models::setup(&context, &args),
        Task::Test(args) => test::run(&context, &args),
        Task::Run(args) => run::run(&context, &args),
        Task::Page => page::build(&context, page::Size::Shipped).map(drop),
        Task::Package => package::build(&context, page::Size::Shipped).map(drop),
        Task::PageFiles(args) => page::complete::run(&context, &args),
        Task::Bundle(args) => recipe::bundle(&context, &args),
        Task::Evaluate(args) => recipe::evaluate(&context, &args),
        Task::Curve(args) => recipe::curve(&context, &args),
        Task::Bench(args) => bench::run(&context, &args),
        Task::Paper(args) => paper::run(&context, &args),
        Task::GpuCheck(args) => gpu::check(&context, &args),
        Task::Fuzz(args) => fuzz::run(&context, &args),
    }
}
