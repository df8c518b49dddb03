//! `cargo xtask test`: every check that a change has to pass, in order, up to the first that fails.

use std::env;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context as _, Result};
use clap::builder::PossibleValuesParser;
use xshell::cmd;

use crate::context::Context;
use crate::{browser, models, page, run, tools, wasm};

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

type Step = (&'static str, fn(&Context) -> Result<()>);

/// The cheap checks come first.
const STEPS: [Step; 11] = [
    ("fmt", |context| {
        Ok(cmd!(context.sh, "cargo fmt --all --check").run()?)
    }),
    ("typos", |context| {
        let typos = tools::typos(context)?;
        Ok(cmd!(context.sh, "{typos}").run()?)
    }),
    ("deny", |context| {
        let deny = tools::cargo_deny(context)?;
        Ok(cmd!(context.sh, "{deny} check bans licenses sources").run()?)
    }),
    ("clippy", |context| {
        let clippy = "clippy --release --workspace --all-targets -- -D warnings".split(' ');
        Ok(cmd!(context.sh, "cargo {clippy...}").run()?)
    }),
    ("tests", |context| {
        models::setup(context, &models::Args::default())?;
        say_what_is_absent(context);
        let options = "--release --workspace --no-fail-fast".split(' ');
        let nextest = cmd!(context.sh, "cargo nextest --version").quiet();
        if nextest.ignore_stderr().read().is_ok() {
            return Ok(cmd!(context.sh, "cargo nextest run {options...}").run()?);
        }
        // With the targets named, cargo leaves the doc tests to their own step.
        let targets = ["--lib", "--bins", "--tests"];
        Ok(cmd!(context.sh, "cargo test {options...} {targets...}").run()?)
    }),
    ("doc", |context| {
        cmd!(context.sh, "cargo doc --release --workspace --no-deps")
            .env("RUSTDOCFLAGS", "-D warnings")
            .run()?;
        Ok(cmd!(
            context.sh,
            "cargo test --release --workspace --no-fail-fast --doc"
        )
        .run()?)
    }),
    // No GPU is needed to see whether the code for one still compiles. Kernels run where a Vulkan
    // driver is, such as Mesa's in software.
    ("gpu", |context| {
        let features = "dnd-cli/wgpu,dnd-cli/cuda";
        cmd!(
            context.sh,
            "cargo check --release --workspace --features {features}"
        )
        // burn's CUDA compiler links an LLVM that its build script downloads. To check types,
        // as docs.rs does, it needs none.
        .env("DOCS_RS", "1")
        .run()?;
        let test = "test --release --no-fail-fast --features dnd-cli/wgpu -p dnd-cli \
                    -p dnd-kernels -p dnd-eval --test wgsl --test wgsl_models";
        let test = test.split_whitespace();
        Ok(cmd!(context.sh, "cargo {test...}").run()?)
    }),
    // The page's own package; the crates that it shares with the native side compile with it.
    ("wasm", |context| {
        let route = wasm::provide(context)?;
        let target = wasm::TARGET;
        let clippy = cmd!(
            context.sh,
            "cargo clippy -p dnd-web --profile page --target {target} -- -D warnings"
        );
        Ok(route.apply(context, clippy).run()?)
    }),
    // The demonstration makes the adapter, so that it is tested too.
    ("peft", |context| {
        let folder = context.root("out/peft-check");
        let dnd = run::terminal(context, &folder)?;
        let check = context.python().arg("tests/peft/check.py").arg(&folder);
        Ok(check.arg("--dnd").arg(dnd).run()?)
    }),
    ("page", |context| {
        page::build(context, page::Size::Shipped).map(drop)
    }),
    ("browser", browser::run),
];

/// Runs the chosen steps.
pub fn run(context: &Context, args: &Args) -> Result<()> {
    for (name, step) in STEPS {
        let named = |names: &[String]| names.iter().any(|other| other == name);
        if named(&args.skip) || !(args.only.is_empty() || named(&args.only)) {
            continue;
        }
        println!("=== {name}");
        let start = Instant::now();
        step(context).with_context(|| format!("step {name} failed"))?;
        println!(
            "=== {name} passed in {:.1} s",
            start.elapsed().as_secs_f64()
        );
    }
    Ok(())
}

/// Tests that lack something pass without a word where the runner hides their output, so it is said
/// here what is not tested.
fn say_what_is_absent(context: &Context) {
    let shared = env::var_os("DND_SHARED").map_or_else(|| context.root("../shared"), PathBuf::from);
    if !shared.join("fixtures").exists() {
        println!(
            "skipped: {} is absent: no agreement with tensors of other software",
            shared.display()
        );
    }
}

fn step_names() -> PossibleValuesParser {
    PossibleValuesParser::new(STEPS.map(|(name, _)| name))
}
