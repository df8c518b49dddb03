//! `dnd generate`.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use clap::ValueEnum;
use clap::builder::NonEmptyStringValueParser;
use dnd_adapter::Precision;
use dnd_model::AdapterGenerator;
use dnd_model::files::{BASE_MODEL, Encoder, default_encoder};
use serde_json::json;

use super::Compute;
use crate::output;
use crate::prompts::read_prompts;

/// Generate an adapter from prompts, or from a description of the task.
///
/// Reads prompts from a .txt file (one per line), .jsonl or .json (strings, or objects with a
/// `prompt`), .csv (a column `prompt`), or standard input (`-`, one per line). Answers are not
/// needed. The bundle sets how many prompts the generator reads; if there are more they are
/// sampled, if there are fewer some are repeated, both with --seed. The same prompts and seed
/// give the same bytes. With --describe, the task is described in words; prompts beside it are
/// examples of its inputs.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Arguments {
    /// File with the prompts of the task, or - for standard input
    #[arg(long, value_name = "FILE", required_unless_present = "describe")]
    prompts: Option<PathBuf>,

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
    #[arg(long, default_value_t = 0)]
    seed: u64,

    /// Write one .zip file instead of a folder
    #[arg(long)]
    zip: bool,

    /// Precision of the written LoRA factors
    #[arg(long, value_enum, default_value_t = PrecisionArg::F16)]
    precision: PrecisionArg,

    /// Base model to generate for; a bundle for another one is an error
    #[arg(long, value_name = "NAME", default_value = BASE_MODEL)]
    base_model: String,

    /// Folder of the text encoder [default: in the cache]
    #[arg(long, value_name = "DIR")]
    encoder: Option<PathBuf>,

    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum PrecisionArg {
    F32,
    F16,
    Bf16,
}

impl From<PrecisionArg> for Precision {
    fn from(precision: PrecisionArg) -> Self {
        match precision {
            PrecisionArg::F32 => Self::F32,
            PrecisionArg::F16 => Self::F16,
            PrecisionArg::Bf16 => Self::Bf16,
        }
    }
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

const EXAMPLES: &str = "\
Examples:
  dnd generate --prompts prompts.txt --out adapter
  dnd generate --prompts prompts.csv --out adapter.zip --zip --seed 7
  dnd generate --describe \"Name the capital of the country.\" --out adapter
  cut -f 2 table.tsv | dnd generate --prompts - --out adapter --json";

/// Runs the command.
pub fn run(arguments: &Arguments, compute: &Compute) -> Result<()> {
    let started = Instant::now();
    let prompts = match &arguments.prompts {
        Some(path) => read_prompts(path, std::io::stdin())?,
        None => Vec::new(),
    };
    let device = compute.device()?;
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

    let started = Instant::now();
    let written = generation.files(arguments.precision.into())?;
    let peft = &written.peft;
    if arguments.zip {
        dnd_files::write(&arguments.out, &written.zip()?)?;
    } else {
        dnd_files::write_peft(&arguments.out, peft, &written.readme)?;
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
    ))
}
