//! `dnd complete`.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use dnd_adapter::{Adapter, Precision, tensor_file};
use dnd_model::Lora;
use dnd_model::language::{CompletionOptions, Message, complete};
use dnd_model::lora::check_layout;
use dnd_model::sampling::Sampling;

use super::Compute;
use crate::output;

/// Complete a prompt with the base model, with or without an adapter.
///
/// Applies the model's chat template, as a PEFT user would. Prints the completion while it is
/// decoded: greedily, or by sampling with --temperature.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Arguments {
    /// User message
    #[arg(long, value_name = "TEXT", value_parser = not_blank)]
    prompt: String,

    /// System message [default: the template's own]
    #[arg(long, value_name = "TEXT")]
    system: Option<String>,

    /// Adapter, as a PEFT folder
    #[arg(long, value_name = "DIR")]
    adapter: Option<PathBuf>,

    /// Maximum length of the completion, in tokens
    #[arg(long, value_name = "N", default_value_t = 128)]
    max_tokens: usize,

    /// Sample with this temperature instead of decoding greedily
    #[arg(long, value_name = "T", value_parser = positive)]
    temperature: Option<f32>,

    /// Sample only from the most likely tokens that together reach this probability
    #[arg(
        long,
        value_name = "P",
        default_value_t = 0.95,
        requires = "temperature",
        value_parser = probability
    )]
    top_p: f32,

    /// Seed for sampling
    #[arg(long, default_value_t = 0)]
    seed: u64,

    /// GGUF file or folder of the base model [default: in the cache]
    #[arg(long, value_name = "PATH")]
    base: Option<PathBuf>,

    /// Write the prompt's token ids and the next token's logits as safetensors
    #[arg(long, value_name = "FILE", hide = true)]
    logits: Option<PathBuf>,
}

fn not_blank(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("expected a prompt, found nothing".to_owned());
    }
    Ok(text.to_owned())
}

fn positive(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(value) if value > 0.0 && value.is_finite() => Ok(value),
        _ => Err("expected a number above 0".to_owned()),
    }
}

const EXAMPLES: &str = "\
Examples:
  dnd complete --prompt \"What is the opposite of hot?\" --adapter adapter
  dnd complete --prompt \"Tell a story.\" --temperature 0.8 --max-tokens 200 --seed 3";

fn probability(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(value) if (0.0..=1.0).contains(&value) => Ok(value),
        _ => Err("expected a number from 0 to 1".to_owned()),
    }
}

/// Reads an adapter from its PEFT folder. The page's zip download gets its own error message.
fn read_adapter(folder: &Path) -> Result<Adapter> {
    let name = folder.display();
    // Without permission to look, continue: the read error below is clearer.
    if folder.try_exists().is_ok_and(|exists| !exists) {
        bail!("{name}: expected the folder of an adapter, found no such folder");
    }
    if folder.is_file() {
        if dnd_files::read(folder)?.starts_with(b"PK") {
            bail!("{name}: expected a folder, found a zip archive; unpack it first");
        }
        bail!("{name}: expected the folder of an adapter, found a file");
    }
    Ok(dnd_files::read_peft(folder)?)
}

/// Runs the command.
pub fn run(arguments: &Arguments, compute: &Compute) -> Result<()> {
    let device = compute.device()?;
    let adapter = arguments.adapter.as_deref().map(read_adapter).transpose()?;
    let base = compute.open_base(arguments.base.as_deref(), &device)?;
    let lora = match (&adapter, &arguments.adapter) {
        (Some(adapter), Some(folder)) => {
            let dimensions = &base.model.config().dimensions;
            check_layout(&adapter.layout, &folder.display().to_string(), dimensions)?;
            Some(Lora::from_adapter(adapter, &device))
        }
        _ => None,
    };
    let messages = Message::conversation(arguments.system.as_deref(), &arguments.prompt);
    let prompt = base.tokenizer.encode_chat(&messages)?;
    base.model
        .config()
        .check_length(prompt.len().saturating_add(arguments.max_tokens))?;
    let sampling = match arguments.temperature {
        None => Sampling::Greedy,
        Some(temperature) => Sampling::Nucleus {
            temperature,
            top_p: arguments.top_p,
            seed: arguments.seed,
        },
    };
    let options = CompletionOptions {
        max_tokens: arguments.max_tokens,
        sampling,
    };
    let mut printed = Ok(());
    let answer = complete(
        &base.model,
        &base.tokenizer,
        &prompt,
        lora.as_ref(),
        options,
        |text| {
            printed = output::print(text);
            printed.is_ok()
        },
    )?;
    printed?;
    output::print("\n")?;
    if let Some(path) = &arguments.logits {
        let ids: Vec<f32> = prompt.iter().map(|&id| id as f32).collect();
        let logits = &answer.first_logits;
        let tensors = [
            (
                "ids".to_owned(),
                &[ids.len()][..],
                &ids[..],
                Precision::F32.into(),
            ),
            (
                "logits".to_owned(),
                &[logits.len()],
                &logits[..],
                Precision::F32.into(),
            ),
        ];
        let name = path.display().to_string();
        let bytes = tensor_file::write(&name, tensors, ("format", "pt".to_owned()))?;
        dnd_files::write(path, &bytes)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_folder_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let told = |name: &str| {
            let path = folder.path().join(name);
            read_adapter(&path).err().unwrap().to_string()
        };
        dnd_files::write(&folder.path().join("adapter.zip"), b"PK\x03\x04").unwrap();
        dnd_files::write(&folder.path().join("notes.txt"), b"x").unwrap();
        let zip = told("adapter.zip");
        assert!(
            zip.ends_with("found a zip archive; unpack it first"),
            "{zip}"
        );
        assert!(told("notes.txt").ends_with("found a file"));
        assert!(
            told("nowhere")
                .ends_with("nowhere: expected the folder of an adapter, found no such folder")
        );
        assert!(told("").contains("adapter_config.json"));
    }

    #[test]
    fn an_empty_prompt_is_refused() {
        assert!(not_blank("").is_err() && not_blank(" \n").is_err());
        assert_eq!(not_blank(" hello").unwrap(), " hello");
    }
}
