//! `dnd serve`.

use std::io::IsTerminal;
use std::path::PathBuf;

use anyhow::{Context, Result};
use dnd_serve::Site;

use crate::output;

/// Serve a built page on localhost.
///
/// DIR is the output of `cargo xtask page`. The server listens on 127.0.0.1 and rejects requests
/// for other hosts. Standard output gets one line with the address; Ctrl-C stops the server.
/// Browsers store the page's data (models, prompts) per address, port included.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Arguments {
    /// Folder of the built page
    #[arg(value_name = "DIR", default_value = "out/page")]
    folder: PathBuf,

    /// Port; 0 lets the system choose [default: 8787, or the next free one up to 8797]
    #[arg(long, value_name = "N")]
    port: Option<u16>,

    /// Let pages of this origin show the page in a frame and fetch its files. May be repeated
    #[arg(long, value_name = "ORIGIN")]
    allow_frame: Vec<String>,
}

const EXAMPLES: &str = "\
Examples:
  cargo xtask page && dnd serve
  dnd serve some/page --port 8000
  dnd serve --allow-frame https://example.org
  dnd serve --port 0 > address.txt &";

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<()> {
    let mut site = Site::open(&arguments.folder)?;
    for origin in &arguments.allow_frame {
        site.allow(origin)?;
    }
    let listener = dnd_serve::listen(arguments.port)?;
    let port = listener
        .local_addr()
        .context("cannot read the port that the system chose")?
        .port();
    if let Some(warning) = dnd_serve::warning(arguments.port, port) {
        output::eprint_line(&warning);
    }
    // Install the handler before printing the address: a script may then stop the server at once.
    let stop = dnd_serve::stop_signal()?;
    output::print(&format!("http://127.0.0.1:{port}/\n"))?;
    if std::io::stderr().is_terminal() {
        output::eprint_line("press Ctrl-C to stop");
    }
    Ok(dnd_serve::serve(site, listener, &stop)?)
}
