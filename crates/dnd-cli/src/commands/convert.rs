//! `dnd convert`.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::ValueEnum;
use dnd_adapter::gguf::lora;
use dnd_adapter::peft;
use dnd_model::files::{base_dimensions, default_base};

use super::adapter::{GgufKind, PrecisionArg, gguf_kind, read_adapter};
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
    check_place(path, &out, arguments)?;
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

/// Fails if the result cannot stand at `out`, or if something would be lost: all that is there, but
/// for an earlier conversion into the adapter's own folder.
fn check_place(adapter: &Path, out: &Path, arguments: &Arguments) -> Result<()> {
    let name = out.display();
    let is_own_gguf = *out == adapter.join(lora::FILE);
    let found = match arguments.to {
        Format::Peft if out.is_file() => {
            bail!("{name}: expected a folder, found a file; see --out")
        }
        Format::Gguf if out.is_dir() => bail!("{name}: expected a file, found a folder; see --out"),
        Format::Peft => {
            let mut entries = std::fs::read_dir(out).ok();
            let first = entries.as_mut().and_then(Iterator::next);
            first.map(|_| "a folder with files")
        }
        Format::Gguf if is_own_gguf && gguf_kind(out) == Some(GgufKind::Adapter) => None,
        Format::Gguf if out.parent() == Some(adapter) && !is_own_gguf => {
            bail!(
                "{name}: expected {} in the adapter's own folder",
                lora::FILE
            )
        }
        Format::Gguf => out.exists().then_some("a file"),
    };
    match found {
        Some(found) if !arguments.yes => bail!(
            "{name}: expected a new place, found {found}; --out names another, --yes writes over it"
        ),
        _ => Ok(()),
    }
}
