//! `dnd train`.

use std::path::PathBuf;

use anyhow::Result;
use dnd_train::collect::Collection;
use dnd_train::fit::{Recipe, fit};
use dnd_train::models::{Encoder, default_encoder};

use crate::observer::Terminal;
use crate::output;

/// Fit a generator to a collection.
///
/// Every step draws tasks, checkpoints and prompts afresh. The bundle is written at the end, with
/// the loss curve beside it as .csv and .svg. An interrupted run goes on from OUT.state when the
/// same command runs again.
#[derive(clap::Args)]
pub struct Arguments {
    /// Folder that `dnd collect` wrote
    #[arg(long, value_name = "DIR")]
    collection: PathBuf,

    /// Recipe (TOML) with the tables `[generator]` and `[fit]`
    #[arg(long, value_name = "FILE")]
    config: PathBuf,

    /// Bundle to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// Folder of the text encoder [default: in the cache]
    #[arg(long, value_name = "DIR")]
    encoder: Option<PathBuf>,
}

/// Runs the command.
pub fn run(arguments: &Arguments, device: &str) -> Result<()> {
    let observer = Terminal::new()?;
    let recipe = Recipe::read(&arguments.config)?;
    let collection = Collection::open(&arguments.collection)?;
    let device = super::device(device)?;
    let encoder = arguments.encoder.clone().unwrap_or_else(default_encoder);
    let encoder = Encoder::open(&encoder, &device)?;
    let bundle = fit(
        collection,
        &encoder,
        &recipe,
        &arguments.out,
        &device,
        &observer,
    )?;
    let provenance = &bundle.header.provenance;
    output::print(&format!(
        "{}: loss {}, of unseen prompts {}\n",
        arguments.out.display(),
        provenance["loss"],
        provenance["validation_loss"],
    ))
}
