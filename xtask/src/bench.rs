//! `cargo xtask bench`: the figures that README and the model card quote.

use anyhow::Result;

use crate::cache::Cache;
use crate::{command, setup};

/// Arguments of `cargo xtask bench`.
#[derive(clap::Args)]
pub struct Args {
    /// Passed on to the benchmark; `-- --help` lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Runs the benchmark of the whole pipeline on the real models.
pub fn run(cache: &Cache, args: &Args) -> Result<()> {
    setup::run(cache, &setup::Args::default())?;
    // The benchmark measures the program itself, which cargo does not build for it.
    command::run(command::cargo("build --release --workspace"))?;
    let mut bench = command::cargo("bench --workspace --bench pipeline --");
    bench.args(&args.arguments);
    command::run(bench)
}
