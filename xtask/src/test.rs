//! `cargo xtask test`: every check that a change has to pass, in order, up to the first that fails.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::builder::PossibleValuesParser;

use crate::cache::Cache;
use crate::{command, run, setup, tools};

/// Arguments of `cargo xtask test`.
#[derive(clap::Args)]
pub struct Args {
    /// Run only these steps
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = step_names())]
    only: Vec<String>,
    /// Leave these steps out
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = step_names())]
    skip: Vec<String>,
}

type Step = (&'static str, fn(&Cache, &mut Tally) -> Result<()>);

/// The cheap checks come first.
const STEPS: [Step; 9] = [
    ("fmt", |_, _| {
        command::run(command::cargo("fmt --all --check"))
    }),
    ("typos", |cache, _| {
        command::run(command::new(tools::typos(cache)?))
    }),
    ("deny", |cache, _| {
        let mut deny = command::new(tools::cargo_deny(cache)?);
        deny.args(["check", "bans", "licenses", "sources"]);
        command::run(deny)
    }),
    ("clippy", |_, _| {
        command::run(command::cargo(
            "clippy --release --workspace --all-targets -- -D warnings",
        ))
    }),
    ("tests", |cache, tally| {
        setup::run(cache, &setup::Args::default())?;
        say_what_is_absent();
        if tools::has_nextest() {
            tally.run("nextest run --release --workspace --no-fail-fast", NEXTEST)
        } else {
            // With the targets named, cargo leaves the doc tests to their own step.
            tally.run(
                "test --release --workspace --no-fail-fast --lib --bins --tests",
                LIBTEST,
            )
        }
    }),
    ("doc", |_, tally| {
        let mut doc = command::cargo("doc --release --workspace --no-deps");
        doc.env("RUSTDOCFLAGS", "-D warnings");
        command::run(doc)?;
        tally.run("test --release --workspace --no-fail-fast --doc", LIBTEST)
    }),
    // No GPU is needed to see whether the code for one still compiles.
    ("gpu", |_, _| {
        let mut check =
            command::cargo("check --release --workspace --features dnd-cli/wgpu,dnd-cli/cuda");
        // burn's CUDA compiler links an LLVM that its build script downloads. To check types, as
        // docs.rs does, it needs none.
        check.env("DOCS_RS", "1");
        command::run(check)
    }),
    ("wasm", |_, _| {
        if !has_wasm_target()? {
            println!("skipped: no wasm32 standard library; `rustup target add {WASM}` brings it");
            return Ok(());
        }
        let mut check = command::cargo("check --release -p dnd-adapter -p dnd-model --target");
        check.arg(WASM);
        command::run(check)
    }),
    ("peft", |_, _| {
        let dnd = run::build()?;
        let folder = command::root().join("out/peft-check");
        let mut generate = command::new(&dnd);
        generate
            .args([
                "generate",
                "--prompts",
                "assets/prompts/antonyms.txt",
                "--out",
            ])
            .arg(&folder);
        command::run(generate)?;
        let mut check = command::python();
        check.arg("tests/peft/check.py").arg(&folder);
        check.arg("--dnd").arg(&dnd);
        command::run(check)
    }),
];

/// Runs the chosen steps and sums up.
pub fn run(cache: &Cache, args: &Args) -> Result<()> {
    let mut tally = Tally::default();
    let outcome = run_steps(cache, args, &mut tally);
    tally.report();
    outcome
}

fn run_steps(cache: &Cache, args: &Args, tally: &mut Tally) -> Result<()> {
    for (name, step) in STEPS {
        let named = |names: &[String]| names.iter().any(|other| other == name);
        if named(&args.skip) || !(args.only.is_empty() || named(&args.only)) {
            continue;
        }
        println!("=== {name}");
        let start = Instant::now();
        step(cache, tally).with_context(|| format!("step {name} failed"))?;
        println!(
            "=== {name} passed in {:.1} s",
            start.elapsed().as_secs_f64()
        );
    }
    Ok(())
}

/// Tests that lack something pass without a word where the runner hides their output, so it is said
/// here what is not tested.
fn say_what_is_absent() {
    let shared = std::env::var_os("DND_SHARED")
        .map_or_else(|| command::root().join("../shared"), PathBuf::from);
    if !shared.join("fixtures").exists() {
        println!("skipped: ../shared is absent: no agreement with tensors of other software");
    }
}

/// Where the crates that a page shares with the native side have to compile too.
const WASM: &str = "wasm32-unknown-unknown";

/// Whether the compiler in use has a standard library for WebAssembly.
fn has_wasm_target() -> Result<bool> {
    let mut rustc = command::new("rustc");
    rustc.args(["--print", "target-libdir", "--target", WASM]);
    Ok(PathBuf::from(command::output(rustc)?.trim()).exists())
}

fn step_names() -> PossibleValuesParser {
    PossibleValuesParser::new(STEPS.map(|(name, _)| name))
}

/// How the summary line of a runner starts.
const NEXTEST: &str = "Summary [";
const LIBTEST: &str = "test result:";

/// What the test runners said about themselves, kept for the last lines of the output.
#[derive(Default)]
struct Tally {
    summaries: Vec<String>,
    passed: usize,
    failed: usize,
}

impl Tally {
    fn run(&mut self, arguments: &str, summary: &str) -> Result<()> {
        command::tee(command::cargo(arguments), |line| self.read(line, summary))
    }

    /// Counts what a summary line says; all other lines pass by. nextest shows the output of a failed
    /// test, with a summary of another kind inside, so only the runner's own kind counts.
    fn read(&mut self, line: &str, summary: &str) {
        let line = line.trim();
        if !line.starts_with(summary) {
            return;
        }
        self.summaries.push(line.to_owned());
        let words: Vec<&str> = line
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .collect();
        for pair in words.windows(2) {
            let count = pair[0].parse().unwrap_or(0);
            match pair[1] {
                "passed" => self.passed += count,
                // nextest counts a test that ran out of time apart from one that failed.
                "failed" | "timed" => self.failed += count,
                _ => {}
            }
        }
    }

    fn report(&self) {
        if self.summaries.is_empty() {
            return;
        }
        for summary in &self.summaries {
            println!("{summary}");
        }
        println!("{} passed, {} failed", self.passed, self.failed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_of_both_runners_count() {
        let mut tally = Tally::default();
        let nextest = [
            "        PASS [   0.004s] xtask tests::one_passed",
            "    test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 9 filtered out",
            "     Summary [   0.1s] 14 tests run: 11 passed (1 slow), 2 failed, 1 timed out, 3 skipped",
        ];
        for line in nextest {
            tally.read(line, NEXTEST);
        }
        tally.read(
            "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured",
            LIBTEST,
        );
        assert_eq!(
            (tally.passed, tally.failed, tally.summaries.len()),
            (16, 3, 2)
        );
    }
}
