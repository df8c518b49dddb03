//! `cargo xtask run`: builds the page from a fresh clone and serves it locally.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use dnd_serve::Site;
use xshell::cmd;

use crate::context::Context;
use crate::models;
use crate::page;

/// Prompts of a task that the shipped generator was not trained on.
const PROMPTS: &str = "assets/prompts/sentiment.txt";

/// Arguments of `cargo xtask run`.
#[derive(clap::Args)]
pub struct Args {
    /// Build the page without serving it
    #[arg(long, conflicts_with = "terminal")]
    no_serve: bool,
    /// Port of the page [default: 8787, or the next free one]
    #[arg(long, value_name = "N")]
    port: Option<u16>,
    /// Without the page: generate an adapter from example prompts and show its effect
    #[arg(long)]
    terminal: bool,
    /// Folder of the adapter that --terminal generates [default: out/adapter in the repository]
    #[arg(long, value_name = "DIR", requires = "terminal")]
    out: Option<PathBuf>,
}

/// Builds the page and serves it until Ctrl-C, or demonstrates an adapter in the terminal.
pub fn run(context: &Context, args: &Args) -> Result<()> {
    if args.terminal {
        let default = context.root("out/adapter");
        let out = std::path::absolute(args.out.as_ref().unwrap_or(&default))?;
        return terminal(context, &out).map(drop);
    }
    let page = page::build(context, page::Size::Local)?;
    if args.no_serve {
        return Ok(());
    }
    let site = Site::open(&page)?;
    let listener = dnd_serve::listen(args.port)?;
    let (stop, address) = (dnd_serve::stop_signal()?, listener.local_addr()?);
    if let Some(warning) = dnd_serve::warning(args.port, address.port()) {
        println!("{warning}");
    }
    println!("press Ctrl-C to stop; the page is at\nhttp://{address}/");
    Ok(dnd_serve::serve(site, listener, &stop)?)
}

/// Generates an adapter into `out`, shows completions without and with it, returns `dnd`'s path.
pub fn terminal(context: &Context, out: &Path) -> Result<PathBuf> {
    models::setup(context, &models::Args::default())?;
    let dnd = context.dnd()?;
    let sh = &context.sh;
    cmd!(sh, "{dnd} generate --prompts {PROMPTS} --out {out}").run()?;
    let text = fs::read_to_string(context.root(PROMPTS))
        .with_context(|| format!("cannot read {PROMPTS}"))?;
    for prompt in text.lines().take(3) {
        let complete = cmd!(sh, "{dnd} complete --max-tokens 16 {prompt}").quiet();
        let base = complete.read()?.replace('\n', " ");
        let complete = cmd!(sh, "{dnd} complete --max-tokens 16 {prompt}").quiet();
        let adapted = complete.arg("--adapter").arg(out).read()?;
        println!("\n{prompt}\n  base model:       {base}\n  with the adapter: {adapted}");
    }
    println!("\nadapter: {}\nprogram: {}", out.display(), dnd.display());
    Ok(dnd)
}
