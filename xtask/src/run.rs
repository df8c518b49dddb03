//! `cargo xtask run`: from a fresh clone to the page, served on this machine.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::cache::Cache;
use crate::{command, page, programs, setup, terminal};

/// Arguments of `cargo xtask run`.
#[derive(clap::Args)]
pub struct Args {
    /// Build the page and stop before serving it
    #[arg(long, conflicts_with = "terminal")]
    no_serve: bool,
    /// Port of the page [default: 8787, or the next free one]
    #[arg(long, value_name = "N")]
    port: Option<u16>,
    /// No page: generate an adapter from example prompts here and show what it changes
    #[arg(long)]
    terminal: bool,
    /// Folder of the adapter that --terminal generates [default: out/adapter in the repository]
    #[arg(long, value_name = "DIR", requires = "terminal")]
    out: Option<PathBuf>,
}

/// Sets up, builds and serves the page until Ctrl-C, or shows an adapter in the terminal.
pub fn run(cache: &Cache, args: &Args) -> Result<()> {
    if args.terminal {
        let out = match &args.out {
            Some(folder) => std::path::absolute(folder)
                .with_context(|| format!("folder {}", folder.display()))?,
            None => command::root().join("out/adapter"),
        };
        return terminal::run(cache, &out);
    }
    setup::run(cache, &setup::Args::default())?;
    let dnd = programs::dnd()?;
    let page = page::build(cache)?;
    println!("program: {}", dnd.display());
    if args.no_serve {
        return Ok(());
    }
    // `dnd serve` prints the address, so that it is the last line.
    let mut serve = command::new(dnd);
    serve.arg("serve").arg(page);
    // Unless one is asked for, it looks for a free port itself.
    if let Some(port) = args.port {
        serve.args(["--port", &port.to_string()]);
    }
    command::run(serve)
}
