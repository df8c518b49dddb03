//! `cargo xtask test`: every check that a change has to pass, in order, up to the first that fails.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::builder::PossibleValuesParser;

use crate::cache::Cache;
use crate::tally::{LIBTEST, NEXTEST, Tally};
use crate::{browser, command, page, programs, setup, terminal, tools, wasm};

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
const STEPS: [Step; 11] = [
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
            let nextest = command::cargo("nextest run --release --workspace --no-fail-fast");
            tally.run(nextest, NEXTEST)
        } else {
            // With the targets named, cargo leaves the doc tests to their own step.
            let test =
                command::cargo("test --release --workspace --no-fail-fast --lib --bins --tests");
            tally.run(test, LIBTEST)
        }
    }),
    ("doc", |_, tally| {
        let mut doc = command::cargo("doc --release --workspace --no-deps");
        doc.env("RUSTDOCFLAGS", "-D warnings");
        command::run(doc)?;
        let test = command::cargo("test --release --workspace --no-fail-fast --doc");
        tally.run(test, LIBTEST)
    }),
    // No GPU is needed to see whether the code for one still compiles. Kernels run where a Vulkan driver is, such as Mesa's in
    // software.
    ("gpu", |_, tally| {
        let mut check =
            command::cargo("check --release --workspace --features dnd-cli/wgpu,dnd-cli/cuda");
        // burn's CUDA compiler links an LLVM that its build script downloads. To check types, as
        // docs.rs does, it needs none.
        check.env("DOCS_RS", "1");
        command::run(check)?;
        let mut test = command::cargo(
            "test --release --no-fail-fast --features dnd-cli/wgpu -p dnd-cli -p dnd-kernels -p dnd-train",
        );
        test.args(["--test", "wgsl", "--test", "wgsl_models"]);
        tally.run(test, LIBTEST)
    }),
    // The page's own package; the crates that it shares with the native side compile with it.
    ("wasm", |cache, _| {
        let route = wasm::provide(cache)?;
        let mut clippy = command::cargo("clippy -p dnd-web --profile page --target");
        clippy.args([wasm::TARGET, "--", "-D", "warnings"]);
        route.apply(&mut clippy);
        command::run(clippy)
    }),
    // The demonstration makes the adapter, so that it is tested too.
    ("peft", |cache, _| {
        let folder = command::root().join("out/peft-check");
        terminal::run(cache, &folder)?;
        let mut check = command::python();
        check.arg("tests/peft/check.py").arg(&folder);
        check.arg("--dnd").arg(programs::dnd()?);
        command::run(check)
    }),
    ("page", |cache, _| page::build(cache).map(drop)),
    ("browser", browser::run),
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

fn step_names() -> PossibleValuesParser {
    PossibleValuesParser::new(STEPS.map(|(name, _)| name))
}
