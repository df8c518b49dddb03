//! `dnd serve`.

use std::io::IsTerminal;
use std::path::PathBuf;

use anyhow::{Context, Result};
use dnd_serve::Site;

use crate::output;

/// Serve a built page on this machine.
///
/// DIR is a page as `cargo xtask page` builds it. Only this machine can open it: the server listens
/// on 127.0.0.1 and answers no other host name. The address is the only line on standard output;
/// Ctrl-C stops. What the page stores in a browser (models, prompts) belongs to its address, port
/// included.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Arguments {
    /// Folder of the built page
    #[arg(value_name = "DIR", default_value = "out/page")]
    folder: PathBuf,

    /// Port; 0 lets the system choose [default: 8787, or the next free one up to 8797]
    #[arg(long, value_name = "N")]
    port: Option<u16>,
}

const EXAMPLES: &str = "\
Examples:
  cargo xtask page && dnd serve
  dnd serve some/page --port 8000
  dnd serve --port 0 > address.txt &";

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<()> {
    let site = Site::open(&arguments.folder)?;
    let listener = dnd_serve::listen(arguments.port)?;
    let port = listener
        .local_addr()
        .context("cannot tell the port that the system chose")?
        .port();
    if arguments.port.is_none() && port != dnd_serve::PORT {
        output::complain(&format!(
            "port {} is taken: what the page stored under that address is not seen under this one",
            dnd_serve::PORT
        ));
    }
    // Taken over before the address is out: whoever reads it may stop the server at once.
    let stop = dnd_serve::stop_signal()?;
    output::print(&format!("http://127.0.0.1:{port}/\n"))?;
    if std::io::stderr().is_terminal() {
        output::complain("Ctrl-C stops");
    }
    Ok(dnd_serve::serve(site, listener, &stop)?)
}
