//! `dnd`: LoRA adapters from prompts, and the whole way there.

mod commands;
mod output;
mod progress;
mod prompts;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Training makes and drops large tensors all the time. This allocator keeps their memory where the system's
/// gives it back and has it filled with zeros anew; with MIMALLOC_PURGE_DELAY=-1 it keeps all (docs/experiments.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// LoRA adapters generated from the prompts of a task.
///
/// Give prompts without answers, get an adapter for SmolLM2-135M-Instruct that PEFT loads:
///
///   dnd generate --prompts prompts.txt --out adapter
///
/// The other commands are the way there: `collect` fine-tunes adapters on many tasks, `train` fits
/// a generator to them, `eval` measures it against baselines, `report` makes a page of that.
#[derive(Parser)]
#[command(name = "dnd", version, max_term_width = 100)]
struct Arguments {
    #[command(flatten)]
    compute: commands::Compute,

    #[command(subcommand)]
    command: Command,
}

/// The commands; their descriptions stand with their arguments.
#[derive(Subcommand)]
enum Command {
    Generate(commands::generate::Arguments),
    Complete(commands::complete::Arguments),
    Eval(commands::eval::Arguments),
    Report(commands::report::Arguments),
    Tasks(commands::tasks::Arguments),
    Collect(commands::collect::Arguments),
    Train(commands::train::Arguments),
    Inspect(commands::inspect::Arguments),
    Serve(commands::serve::Arguments),
}

/// Exit code after Ctrl-C, as shells give it.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let compute = &arguments.compute;
    let result = match &arguments.command {
        Command::Generate(arguments) => commands::generate::run(arguments, compute),
        Command::Complete(arguments) => commands::complete::run(arguments, compute),
        Command::Eval(arguments) => commands::eval::run(arguments, compute),
        Command::Report(arguments) => commands::report::run(arguments),
        Command::Tasks(arguments) => commands::tasks::run(arguments),
        Command::Collect(arguments) => commands::collect::run(arguments, compute),
        Command::Train(arguments) => commands::train::run(arguments, compute),
        Command::Inspect(arguments) => commands::inspect::run(arguments),
        Command::Serve(arguments) => commands::serve::run(arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if output::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let line = format!("{error:#}").replace('\n', " ");
            output::complain(&format!("error: {line}"));
            if is_cancelled(&error) {
                ExitCode::from(INTERRUPTED)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

/// Whether the work was stopped by Ctrl-C.
fn is_cancelled(error: &anyhow::Error) -> bool {
    let of_training = error.downcast_ref::<dnd_train::Error>();
    let files = match of_training {
        Some(dnd_train::Error::Files(files)) => Some(files),
        _ => error.downcast_ref::<dnd_files::Error>(),
    };
    matches!(files, Some(dnd_files::Error::Cancelled))
}
