//! `dnd convert`.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::ValueEnum;
use dnd_adapter::gguf::lora;
use dnd_adapter::peft;
use dnd_model::files::{base_dimensions, default_base, map};

use super::adapter::{PrecisionArg, is_same_file, read_adapter};
use crate::output;

/// Convert an adapter from PEFT's format to llama.cpp's, or back.
///
/// PEFT adapters are folders, llama.cpp and Ollama load a GGUF file beside their own file of the
/// base model. GGUF files order the rows of query and key projections in another way, which the
/// base model's architecture and head size determine.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Arguments {
    /// Adapter, as a PEFT folder or a GGUF file
    #[arg(value_name = "ADAPTER")]
    adapter: PathBuf,

    /// Format to write
    #[arg(long, value_enum)]
    to: Format,

    /// File or folder to write [default: adapter.gguf in the PEFT folder, or a folder named as
    /// the GGUF file]
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,

    /// Precision of the written LoRA factors
    #[arg(long, value_enum, default_value_t = PrecisionArg::F16)]
    precision: PrecisionArg,

    /// Write over what is there
    #[arg(long)]
    yes: bool,

    /// GGUF file or folder of the base model [default: in the cache]
    #[arg(long, value_name = "PATH")]
    base: Option<PathBuf>,
}

/// A format of adapters.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A folder that PEFT loads
    Peft,
    /// A file that llama.cpp and Ollama load
    Gguf,
}

const EXAMPLES: &str = "\
Examples:
  dnd convert adapter --to gguf
  dnd convert adapter.gguf --to peft --out folder";

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<()> {
    let path = &arguments.adapter;
    let base = arguments.base.as_deref();
    let adapter = read_adapter(path, base)?;
    let precision = arguments.precision.into();
    let out = match (&arguments.out, arguments.to) {
        (Some(out), _) => out.clone(),
        (None, Format::Gguf) if path.is_dir() => path.join(lora::FILE),
        (None, Format::Gguf) => path.clone(),
        (None, Format::Peft) if path.is_dir() => path.clone(),
        (None, Format::Peft) => path.with_extension(""),
    };
    if !arguments.yes {
        check_free(path, &out, arguments.to)?;
    }
    match arguments.to {
        Format::Gguf => {
            let base = base_dimensions(&base.map_or_else(default_base, Path::to_owned))?;
            dnd_files::write(&out, &lora::write(&adapter, &base, precision)?)?;
        }
        Format::Peft => {
            let note = format!("Converted by dnd {}.", env!("CARGO_PKG_VERSION"));
            let files = peft::write(&adapter, precision)?;
            dnd_files::write_peft(&out, &files, &peft::readme(&adapter, &note, peft::QUESTION))?;
        }
    }
    output::print(&format!("{}\n", out.display()))
}

/// Fails if something would be lost: the adapter itself, a folder with files, or a file that is no
/// adapter.
fn check_free(adapter: &Path, out: &Path, format: Format) -> Result<()> {
    let name = out.display();
    let advice = "--out names another, --yes writes over it";
    match format {
        Format::Peft
            if std::fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some()) =>
        {
            bail!("{name}: expected a new folder, found one with files; {advice}");
        }
        Format::Gguf if is_same_file(adapter, out) => {
            bail!("{name}: expected another file than the adapter; {advice}");
        }
        Format::Gguf if out.is_file() && !is_adapter(out) => {
            bail!("{name}: expected a new file or an adapter, found another file; {advice}");
        }
        _ => Ok(()),
    }
}

fn is_adapter(path: &Path) -> bool {
    map(path).is_ok_and(|bytes| lora::is_adapter(&bytes, "").unwrap_or(false))
}
