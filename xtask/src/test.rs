//! `cargo xtask test`: runs all checks in order and stops at the first failure.

use std::env;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result};
use clap::builder::PossibleValuesParser;
use xshell::cmd;

use crate::context::Context;
use crate::{browser, gpu, models, node, page, run, tools, wasm};

/// Arguments of `cargo xtask test`.
#[derive(clap::Args)]
pub struct Args {
    /// Run only these steps
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = step_names())]
    only: Vec<String>,
    /// Skip these steps
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = step_names())]
    skip: Vec<String>,
}

type Step = (&'static str, fn(&Context) -> Result<()>);

/// All steps, cheap ones first.
const STEPS: [Step; 12] = [
    ("fmt", |context| {
        cmd!(context.sh, "cargo fmt --all --check").run()?;
        // A workspace of its own.
        let fuzz = "fmt --manifest-path fuzz/Cargo.toml --check".split(' ');
        Ok(cmd!(context.sh, "cargo {fuzz...}").run()?)
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
        // Naming the targets excludes the doc tests, which have their own step.
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
    // Compiling the GPU code needs no GPU. The kernels run on any Vulkan driver, such as Mesa's
    // software one.
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
        gpu::small(context, "wgpu")
    }),
    ("mpi", |context| {
        if which::which("mpicc").and(which::which("mpirun")).is_err() {
            println!("skipped: no MPI library (Debian: openmpi-bin, libopenmpi-dev, libclang-dev)");
            return Ok(());
        }
        let test = "test --release --no-fail-fast --features dnd-cli/mpi -p dnd-cli";
        let test = test.split(' ');
        let only = "--test command_line processes::".split(' ');
        Ok(cmd!(context.sh, "cargo {test...} {only...}").run()?)
    }),
    // Only dnd-web; the shared crates compile as its dependencies.
    ("wasm", |context| {
        let route = wasm::provide(context)?;
        let target = wasm::TARGET;
        let clippy = cmd!(
            context.sh,
            "cargo clippy -p dnd-web --profile page --target {target} -- -D warnings"
        );
        Ok(route.apply(context, clippy).run()?)
    }),
    // The terminal demo makes the adapter, so that it is tested, too.
    ("peft", |context| {
        let folder = context.root("out/peft-check");
        let dnd = run::terminal(context, &folder)?;
        let check = context.python().arg("tests/peft/check.py").arg(&folder);
        check.arg("--dnd").arg(&dnd).run()?;
        llama(context, &dnd, &folder)
    }),
    ("page", |context| {
        page::build(context, page::Size::Shipped).map(drop)
    }),
    ("browser", browser::run),
];

/// Runs the selected steps.
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

/// Compares answers with llama.cpp's: of the adapter in `folder`, and of a merged model.
fn llama(context: &Context, dnd: &Path, folder: &Path) -> Result<()> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        println!("skipped: llama.cpp is installed for Linux on x86-64 alone");
        return Ok(());
    }
    if let Some(reason) = node::absence(context) {
        println!("skipped: no comparison with llama.cpp: {reason}");
        return Ok(());
    }
    let modules = node::provide(context, &node::LLAMA)?;
    let base = context.cache("models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf");
    // Beside the folder, which holds nothing but the adapter.
    let [adapter, merged] = ["gguf", "merged.gguf"].map(|ending| folder.with_extension(ending));
    let sh = &context.sh;
    cmd!(sh, "{dnd} convert {folder} --to gguf --out {adapter} --yes").run()?;
    cmd!(sh, "{dnd} merge {folder} --out {merged}").run()?;
    let check = cmd!(sh, "node tests/llama/check.mjs {modules} {dnd} {base}");
    Ok(check.arg(adapter).arg(merged).run()?)
}

/// Reports missing test data. Tests pass silently without it, because the runner hides their
/// output.
fn say_what_is_absent(context: &Context) {
    let shared = env::var_os("DND_SHARED").map_or_else(|| context.root("../shared"), PathBuf::from);
    if !shared.join("fixtures").exists() {
        println!(
            "skipped: {} not found, no comparison with reference tensors",
            shared.display()
        );
    }
}

fn step_names() -> PossibleValuesParser {
    PossibleValuesParser::new(STEPS.map(|(name, _)| name))
}
