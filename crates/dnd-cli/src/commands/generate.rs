//! `dnd generate`.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::builder::NonEmptyStringValueParser;
use dnd_adapter::BaseDimensions;
use dnd_adapter::gguf::lora;
use dnd_files::{PEFT_CONFIG, PEFT_MODEL};
use dnd_model::AdapterGenerator;
use dnd_model::files::{BASE_MODEL, Encoder, default_encoder};
use serde_json::json;

use super::DeviceArg;
use super::adapter::PrecisionArg;
use super::convert::Format;
use crate::output;
use crate::prompts::read_prompts;

/// Generate an adapter from prompts, or from a description of the task.
///
/// Reads prompts from lines of text, JSON lines or a JSON list (strings, or objects as training
/// files have them), or a table (CSV, TSV; a column `prompt`, or --column); the content decides
/// which, also on standard input (`-`). Answers are not needed. The bundle sets how many prompts
/// the generator reads; if there are more they are sampled, if there are fewer some are repeated,
/// both with --seed. The same prompts and seed give the same bytes. With --describe, the task is
/// described in words; prompts beside it are examples of its inputs.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Arguments {
    /// File with the prompts of the task, or - for standard input
    #[arg(long, value_name = "FILE", required_unless_present = "describe")]
    prompts: Option<PathBuf>,

    /// Column of a table that holds the prompts [default: prompt, or instruction]
    #[arg(long, value_name = "NAME", requires = "prompts")]
    column: Option<String>,

    /// What the task is, in words, such as "Translate the word to French"
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    describe: Option<String>,

    /// Folder to write the adapter to; with --zip, the file
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// Bundle with the generator [default: the shipped one]
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,

    /// Seed for sampling prompts
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    seed: u64,

    /// Write one .zip file instead of a folder
    #[arg(long, conflicts_with = "format")]
    zip: bool,

    /// What to write into the folder: files for PEFT, `adapter.gguf` for llama.cpp and Ollama
    #[arg(long, value_enum, value_delimiter = ',', default_value = "peft")]
    format: Vec<Format>,

    /// Precision of the written LoRA factors
    #[arg(long, value_enum, default_value_t = PrecisionArg::F16)]
    precision: PrecisionArg,

    /// Write into a folder that holds other files without asking
    #[arg(long)]
    yes: bool,

    /// Base model to generate for; a bundle for another one is an error
    #[arg(long, value_name = "NAME", default_value = BASE_MODEL)]
    base_model: String,

    /// Folder of the text encoder [default: in the cache]
    #[arg(long, value_name = "DIR")]
    encoder: Option<PathBuf>,

    /// Print the summary as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    device: DeviceArg,
}

/// Dimensions of the base model, which adapters in GGUF need.
fn base_of<'a>(generator: &'a AdapterGenerator, bundle: &str) -> Result<&'a BaseDimensions> {
    generator.base().with_context(|| {
        format!(
            "{bundle}: expected the dimensions of the base model in the bundle, for --format gguf, \
             found none; write --format peft, then use `dnd convert`"
        )
    })
}

/// The description, if there is one, in front of as many prompts as the generator reads beside it,
/// so that no draw leaves it out.
fn described(description: Option<&str>, prompts: Vec<String>, wanted: usize) -> Vec<String> {
    let Some(description) = description else {
        return prompts;
    };
    let (given, kept) = (prompts.len(), prompts.len().min(wanted.saturating_sub(1)));
    if kept < given {
        output::eprint_line(&format!(
            "{given} prompts given, the generator reads {kept} beside a description: took the first"
        ));
    }
    let description = std::iter::once(description.to_owned());
    description.chain(prompts.into_iter().take(kept)).collect()
}

/// Training tasks in the summary.
const SHOWN_TASKS: usize = 5;
/// What an adapter's folder may hold.
const OWN_FILES: [&str; 4] = [PEFT_CONFIG, PEFT_MODEL, lora::FILE, README];
const README: &str = "README.md";

/// A file in the folder that is not of an adapter, if there is one. A README without the other
/// files is not.
fn other_file(folder: &Path) -> Option<String> {
    let has_adapter = OWN_FILES[..3].iter().any(|name| folder.join(name).exists());
    let entries = std::fs::read_dir(folder).ok()?;
    let mut names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.find(|name| !OWN_FILES.contains(&name.as_str()) || (name == README && !has_adapter))
}

/// Asks whether to write into a folder that holds other files.
fn confirm(folder: &Path) -> Result<()> {
    let Some(name) = other_file(folder) else {
        return Ok(());
    };
    let place = folder.display();
    let input = std::io::stdin();
    if !input.is_terminal() {
        bail!("{place}: expected a new folder or one of an adapter, found `{name}`; or pass --yes");
    }
    output::eprint_line(&format!("{place} holds `{name}`. Write into it? [y/N]"));
    let mut answer = String::new();
    input
        .read_line(&mut answer)
        .context("standard input: cannot read")?;
    if !["y", "yes"].contains(&answer.trim().to_lowercase().as_str()) {
        bail!("{place}: left as it is");
    }
    Ok(())
}

const EXAMPLES: &str = "\
Examples:
  dnd generate --prompts prompts.txt --out adapter
  dnd generate --prompts prompts.csv --out adapter.zip --zip --seed 7
  dnd generate --prompts prompts.txt --out adapter --format peft,gguf
  dnd generate --describe \"Name the capital of the country.\" --out adapter
  cut -f 2 table.tsv | dnd generate --prompts - --out adapter --json";

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<()> {
    let started = Instant::now();
    if !arguments.zip && !arguments.yes {
        confirm(&arguments.out)?;
    }
    if !arguments.format.contains(&Format::Peft) && arguments.out.join(PEFT_MODEL).exists() {
        bail!(
            "{}: expected a folder without {PEFT_MODEL}, which would be of another adapter than \
             the GGUF file; write --format peft,gguf, or into another folder",
            arguments.out.display()
        );
    }
    if let Some(description) = &arguments.describe
        && description.trim().is_empty()
    {
        bail!("--describe: expected a description of the task, found blanks");
    }
    let prompts = match &arguments.prompts {
        Some(path) => read_prompts(path, arguments.column.as_deref(), std::io::stdin())?.texts(),
        None => Vec::new(),
    };
    let device = arguments.device.open()?;
    let (bundle, bundle_name) = super::open_bundle(arguments.bundle.as_deref())?;
    let encoder = arguments.encoder.clone().unwrap_or_else(default_encoder);
    let encoder = Encoder::open(&encoder, &device)?;
    let generator = AdapterGenerator::open(
        &bundle,
        &bundle_name,
        &arguments.base_model,
        &encoder,
        &device,
    )?;
    let load = started.elapsed().as_secs_f64();
    let prompts = described(arguments.describe.as_deref(), prompts, generator.prompts());

    let (generation, timing) = generator.generate_blocking(&prompts, arguments.seed)?;
    let (draw, wanted) = (&generation.draw, generator.prompts());
    if draw.dropped > 0 {
        output::eprint_line(&format!(
            "{} prompts given, the generator reads {wanted}: sampled with seed {}",
            prompts.len(),
            arguments.seed
        ));
    } else if draw.repeated > 0 {
        output::eprint_line(&format!(
            "{} prompts given, the generator reads {wanted}: repeated some with seed {}; more \
             distinct prompts give a better adapter",
            prompts.len(),
            arguments.seed
        ));
    }

    let doubt = generation.doubt();
    if let Some(doubt) = doubt.filter(|_| std::io::stderr().is_terminal()) {
        output::eprint_line(&format!("note: {doubt}"));
    }
    let similar = generator.similar_tasks(&generation.embedding);

    let started = Instant::now();
    let precision = arguments.precision.into();
    let written = generation.files(precision)?;
    let peft = &written.peft;
    let gguf = match arguments.format.contains(&Format::Gguf) {
        true => Some(generation.gguf(base_of(&generator, &bundle_name)?, precision)?),
        false => None,
    };
    if arguments.zip {
        dnd_files::write(&arguments.out, &written.zip()?)?;
    }
    if arguments.format.contains(&Format::Peft) && !arguments.zip {
        let earlier = arguments.out.join(lora::FILE);
        let had_gguf = earlier.exists();
        dnd_files::write_peft(&arguments.out, peft, &written.readme)?;
        if gguf.is_none() && had_gguf {
            output::eprint_line(&format!(
                "note: {} was of the adapter before and is removed; --format peft,gguf writes both",
                earlier.display()
            ));
        }
    }
    if let Some(gguf) = gguf {
        dnd_files::make_folder(&arguments.out)?;
        dnd_files::write(&arguments.out.join(lora::FILE), &gguf)?;
    }
    let write = started.elapsed().as_secs_f64();

    if arguments.json {
        return output::print_json(&json!({
            "out": arguments.out,
            "bytes": peft.model.len(),
            "sha256": dnd_files::sha256(&peft.model),
            "base_model": generation.adapter.layout.base_model,
            "bundle": bundle_name,
            "seed": arguments.seed,
            "prompts": {
                "given": prompts.len(),
                "read": wanted,
                "dropped": draw.dropped,
                "repeated": draw.repeated,
            },
            "doubt": doubt,
            "similar_tasks": similar.iter().take(SHOWN_TASKS).collect::<Vec<_>>(),
            "seconds": {
                "load": load,
                "encode": timing.encode,
                "decode": timing.decode,
                "write": write,
            },
        }));
    }
    output::print(&format!(
        "{}: {:.1} MB for {}\n\
         load {load:.2} s, encode {:.2} s, decode {:.2} s, write {write:.2} s\n",
        arguments.out.display(),
        peft.model.len() as f64 / 1e6,
        generation.adapter.layout.base_model,
        timing.encode,
        timing.decode,
    ))?;
    if std::io::stdout().is_terminal() && arguments.format.contains(&Format::Peft) && !arguments.zip
    {
        let question = prompts.last().map_or("", String::as_str);
        output::print(&format!(
            "\ntry it: dnd complete {} --adapter {}\n",
            quoted(question),
            quoted(&arguments.out.display().to_string()),
        ))?;
    }
    Ok(())
}

/// A text as one argument of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_files_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str| dnd_files::write(&folder.path().join(name), b"x").unwrap();
        assert_eq!(other_file(&folder.path().join("new")), None);
        assert_eq!(other_file(folder.path()), None);
        write(README);
        assert_eq!(other_file(folder.path()).as_deref(), Some(README));
        write(PEFT_CONFIG);
        assert_eq!(other_file(folder.path()), None);
        write("notes.txt");
        assert_eq!(other_file(folder.path()).as_deref(), Some("notes.txt"));
    }

    #[test]
    fn arguments_survive_a_shell() {
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
