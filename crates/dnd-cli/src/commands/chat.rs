//! `dnd chat`.

use std::io::{BufRead, IsTerminal};
use std::path::PathBuf;

use anyhow::{Context, Result};
use dnd_model::language::{CompletionOptions, Message, PromptCache};
use dnd_model::sampling::Sampling;

use super::Compute;
use super::adapter::open_lora;
use crate::output;

/// Talk with the base model, with or without an adapter.
///
/// Each line is a message; the model sees the conversation so far. `/base` answers without the
/// adapter until `/base` is said again, `/new` starts a new conversation, and `/quit` or the end of
/// the input ends. Adapters that a generator makes answer single questions: begin anew for each.
#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Arguments {
    /// Adapter, as a PEFT folder or a GGUF file
    #[arg(long, value_name = "PATH")]
    adapter: Option<PathBuf>,

    /// System message [default: the template's own]
    #[arg(long, value_name = "TEXT")]
    system: Option<String>,

    /// Maximum length of an answer, in tokens
    #[arg(long, value_name = "N", default_value_t = 256)]
    max_tokens: usize,

    /// GGUF file or folder of the base model [default: in the cache]
    #[arg(long, value_name = "PATH")]
    base: Option<PathBuf>,

    #[command(flatten)]
    compute: Compute,
}

const EXAMPLES: &str = "\
Examples:
  dnd chat --adapter adapter";

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<()> {
    let device = arguments.compute.device()?;
    let base_path = arguments.base.as_deref();
    let base = arguments.compute.open_base_for_one(base_path, &device)?;
    let lora = open_lora(arguments.adapter.as_deref(), &base, base_path)?;
    let options = CompletionOptions {
        max_tokens: arguments.max_tokens,
        sampling: Sampling::Greedy,
    };
    let input = std::io::stdin();
    let is_terminal = input.is_terminal();
    let mut talk: Vec<Message> = Vec::new();
    let mut is_base = false;
    // One for the base model, one for the adapter.
    let mut cached = [PromptCache::default(), PromptCache::default()];
    let ask = || match is_terminal {
        true => output::print("> "),
        false => Ok(()),
    };
    ask()?;
    for line in input.lock().lines() {
        let line = line.context("standard input: cannot read")?;
        match line.trim() {
            "" => {}
            "/quit" => return Ok(()),
            "/new" => talk.clear(),
            "/base" => {
                is_base = !is_base;
                let who = if is_base || lora.is_none() {
                    "base model"
                } else {
                    "adapter"
                };
                output::eprint_line(&format!("the {who} answers"));
            }
            text => {
                if talk.is_empty() {
                    talk = Message::conversation(arguments.system.as_deref(), text);
                } else {
                    talk.push(Message::new("user", text));
                }
                let prompt = base.tokenizer.encode_chat(&talk)?;
                let length = prompt.len().saturating_add(arguments.max_tokens);
                base.model.config().check_length(length)?;
                let lora = lora.as_ref().filter(|_| !is_base);
                let mut answer = String::new();
                let mut printed = Ok(());
                let cached = &mut cached[usize::from(lora.is_some())];
                base.complete(&prompt, lora, options, cached, |text| {
                    answer.push_str(text);
                    printed = output::print(text);
                    printed.is_ok()
                })?;
                printed?;
                output::print("\n")?;
                talk.push(Message::new("assistant", &answer));
            }
        }
        ask()?;
    }
    Ok(())
}
