//! The `dnd` command: generates LoRA adapters from prompts, trains and evaluates generators.

mod allocator;
mod commands;
mod output;
mod progress;
mod prompts;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

/// Generate LoRA adapters from a task's prompts.
///
/// Reads prompts without answers and writes an adapter for SmolLM2-135M-Instruct that PEFT loads:
///
///   dnd generate --prompts prompts.txt --out adapter
///
/// `complete` and `chat` answer with it; `convert` and `merge` write it for llama.cpp and Ollama.
/// The other commands make the generator: `collect` fine-tunes adapters on many tasks, `train`
/// trains a generator on them (`plan` says what that costs), `tune` goes on from an adapter with
/// labelled lines, `eval` compares with baselines, `report` shows the results as a page.
/// RUST_LOG=debug shows which files are read and written.
#[derive(Parser)]
#[command(name = "dnd", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// The commands; each one's help text is on its `Arguments`.
#[derive(Subcommand)]
enum Command {
    Generate(commands::generate::Arguments),
    Complete(commands::complete::Arguments),
    Chat(commands::chat::Arguments),
    Convert(commands::convert::Arguments),
    Merge(commands::merge::Arguments),
    Eval(commands::eval::Arguments),
    Report(commands::report::Arguments),
    Tasks(commands::tasks::Arguments),
    Collect(commands::collect::Arguments),
    Train(commands::train::Arguments),
    Tune(commands::tune::Arguments),
    Plan(commands::plan::Arguments),
    Inspect(commands::inspect::Arguments),
    Serve(commands::serve::Arguments),
}

fn main() -> ExitCode {
    allocator::keep_memory();
    // Silent unless RUST_LOG asks for more.
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let arguments = Arguments::parse();
    // This thread computes beside the pool's others. From outside the pool, each of the hundreds of
    // products of a token would wait for one of them to wake up. It fails only if there is a pool.
    _ = rayon::ThreadPoolBuilder::new()
        .use_current_thread()
        .build_global();
    let result = match &arguments.command {
        Command::Generate(arguments) => commands::generate::run(arguments),
        Command::Complete(arguments) => commands::complete::run(arguments),
        Command::Chat(arguments) => commands::chat::run(arguments),
        Command::Convert(arguments) => commands::convert::run(arguments),
        Command::Merge(arguments) => commands::merge::run(arguments),
        Command::Eval(arguments) => commands::eval::run(arguments),
        Command::Report(arguments) => commands::report::run(arguments),
        Command::Tasks(arguments) => commands::tasks::run(arguments),
        Command::Collect(arguments) => commands::collect::run(arguments),
        Command::Train(arguments) => commands::train::run(arguments),
        Command::Tune(arguments) => commands::tune::run(arguments),
        Command::Plan(arguments) => commands::plan::run(arguments),
        Command::Inspect(arguments) => commands::inspect::run(arguments),
        Command::Serve(arguments) => commands::serve::run(arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if output::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let line = message(&error).replace('\n', " ");
            output::eprint_line(&format!("error: {line}"));
            if is_cancelled(&error) {
                ExitCode::from(progress::INTERRUPTED)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

/// The error and its causes, without those that it already names.
fn message(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text.push_str(&format!(": {cause}"));
        }
    }
    text
}

/// Whether the command was cancelled with Ctrl-C.
fn is_cancelled(error: &anyhow::Error) -> bool {
    let of_training = error.downcast_ref::<dnd_train::Error>();
    let files = match of_training {
        Some(dnd_train::Error::Files(files)) => Some(files),
        _ => error.downcast_ref::<dnd_files::Error>(),
    };
    matches!(files, Some(dnd_files::Error::Cancelled))
}
