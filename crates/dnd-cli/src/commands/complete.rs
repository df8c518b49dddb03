//! `dnd complete`.

use std::io::{IsTerminal, Read};
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use dnd_adapter::{Precision, tensor_file};
use dnd_model::language::{CompletionOptions, Message, PromptCache};
use dnd_model::sampling::Sampling;

use super::Compute;
use super::adapter::open_lora;
use crate::output;

/// Complete a prompt with the base model, with or without an adapter.
///
/// Applies the model's chat template, as a PEFT user would. Prints the completion while it is
/// decoded: greedily, or by sampling with --temperature.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Arguments {
    /// User message; - or nothing for standard input
    #[arg(value_name = "PROMPT")]
    prompt: Option<String>,

    /// System message [default: the template's own]
    #[arg(long, value_name = "TEXT")]
    system: Option<String>,

    /// Adapter, as a PEFT folder or a GGUF file
    #[arg(long, value_name = "PATH")]
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
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    seed: u64,

    /// Print the number of tokens and the speed on standard error
    #[arg(long)]
    stats: bool,

    /// GGUF file or folder of the base model [default: in the cache]
    #[arg(long, value_name = "PATH")]
    base: Option<PathBuf>,

    /// Write the prompt's token ids and the next token's logits as safetensors
    #[arg(long, value_name = "FILE", hide = true)]
    logits: Option<PathBuf>,

    #[command(flatten)]
    compute: Compute,
}

/// The prompt that was given, or that stands on standard input.
fn prompt(given: Option<&str>, mut input: impl Read, is_terminal: bool) -> Result<String> {
    let text = match given {
        Some(text) if text != "-" => text.to_owned(),
        None if is_terminal => bail!("expected a prompt, or text on standard input"),
        _ => {
            let mut text = String::new();
            let read = input.read_to_string(&mut text);
            read.context("standard input: cannot read")?;
            text.trim_end_matches(['\r', '\n']).to_owned()
        }
    };
    if text.trim().is_empty() {
        bail!("expected a prompt, found nothing");
    }
    Ok(text)
}

fn positive(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(value) if value > 0.0 && value.is_finite() => Ok(value),
        _ => Err("expected a number above 0".to_owned()),
    }
}

const EXAMPLES: &str = "\
Examples:
  dnd complete \"What is the opposite of hot?\" --adapter adapter
  dnd complete \"Tell a story.\" --temperature 0.8 --max-tokens 200 --seed 3";

fn probability(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(value) if (0.0..=1.0).contains(&value) => Ok(value),
        _ => Err("expected a number from 0 to 1".to_owned()),
    }
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<()> {
    let compute = &arguments.compute;
    let device = compute.device()?;
    let input = std::io::stdin();
    let is_terminal = input.is_terminal();
    let asked = prompt(arguments.prompt.as_deref(), input, is_terminal)?;
    let base_path = arguments.base.as_deref();
    let base = compute.open_base_for_one(base_path, &device)?;
    let lora = open_lora(arguments.adapter.as_deref(), &base, base_path)?;
    let messages = Message::conversation(arguments.system.as_deref(), &asked);
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
    let mut cached = PromptCache::default();
    let started = Instant::now();
    let mut first = None;
    let answer = base.complete(&prompt, lora.as_ref(), options, &mut cached, |text| {
        first.get_or_insert_with(|| started.elapsed());
        printed = output::print(text);
        printed.is_ok()
    })?;
    let ended = started.elapsed();
    let first = first.unwrap_or(ended);
    printed?;
    output::print("\n")?;
    if arguments.stats {
        let count = answer.tokens.len();
        let rest = count.saturating_sub(answer.tokens_to_text);
        let rate = rest as f64 / (ended - first).as_secs_f64();
        // A single token has no speed.
        let speed = (rest > 0).then(|| format!(", {rate:.1} tokens/s"));
        output::eprint_line(&format!(
            "prompt: {} tokens, first text after {:.2} s; answer: {count} tokens{}",
            prompt.len(),
            first.as_secs_f64(),
            speed.unwrap_or_default()
        ));
    }
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
    fn a_prompt_is_given_or_piped() {
        let asked = |given, input: &[u8]| {
            let is_terminal = input.is_empty();
            prompt(given, input, is_terminal).map_err(|e| e.to_string())
        };
        assert_eq!(asked(Some(" hello"), b"x").unwrap(), " hello");
        assert_eq!(asked(Some("-"), b"a\nb\n").unwrap(), "a\nb");
        assert_eq!(asked(None, b"a\r\n").unwrap(), "a");
        assert!(asked(None, b"").unwrap_err().contains("standard input"));
        for blank in [Some(""), Some(" \n")] {
            assert!(asked(blank, b"x").unwrap_err().contains("found nothing"));
        }
    }
}
