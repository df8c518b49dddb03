//! `dnd merge`.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::ValueEnum;
use dnd_adapter::gguf::{Gguf, MergedType, merge};
use dnd_model::files::{default_base, map};

use super::adapter::{GgufKind, gguf_kind, is_same_file, read_adapter};
use crate::output;

/// Write the base model and an adapter as one GGUF model.
///
/// For programs that load no adapters. The adapted weights are stored in 8 or 16 bits, all others
/// as in the base model's file.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Arguments {
    /// Adapter, as a PEFT folder or a GGUF file
    #[arg(value_name = "ADAPTER")]
    adapter: PathBuf,

    /// GGUF file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// How adapted weights are stored
    #[arg(long = "type", value_enum, default_value_t = TypeArg::Q8_0)]
    stored: TypeArg,

    /// GGUF file of the base model [default: in the cache]
    #[arg(long, value_name = "FILE")]
    base: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum TypeArg {
    #[value(name = "q8_0")]
    Q8_0,
    F16,
}

const EXAMPLES: &str = "\
Examples:
  dnd merge adapter --out my-task.gguf
  llama-cli --model my-task.gguf --temp 0 --prompt \"What is the opposite of hot?\"";

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<()> {
    let base = arguments.base.clone().unwrap_or_else(default_base);
    let name = base.display().to_string();
    if base.is_dir() {
        bail!("{name}: expected the GGUF file of the base model, found a folder");
    }
    let out = &arguments.out;
    if is_same_file(&base, out) {
        bail!("--out: expected another file than the base model, found {name}");
    }
    if out.exists() && gguf_kind(out) != Some(GgufKind::Model) {
        let found = out.display();
        bail!("{found}: expected a new file or an earlier model, found something else");
    }
    let adapter = read_adapter(&arguments.adapter, Some(&base))?;
    let bytes = map(&base)?;
    let stored = match arguments.stored {
        TypeArg::Q8_0 => MergedType::Q8_0,
        TypeArg::F16 => MergedType::F16,
    };
    let merged = merge(&Gguf::parse(&bytes, &name)?, &adapter, stored)?;
    dnd_files::write(out, &merged)?;
    output::print(&format!(
        "{}: {:.1} MB\n",
        out.display(),
        merged.len() as f64 / 1e6
    ))
}
