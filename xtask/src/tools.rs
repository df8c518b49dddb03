//! Pinned programs for the page and the checks, installed into the cache on first use.

use std::env::consts::EXE_SUFFIX;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use xshell::cmd;

use crate::context::Context;

const TYPOS: &str = "1.52.0";
/// Also installs numpy.
const ONNXRUNTIME: &str = "1.32.0";
const CARGO_DENY: &str = "0.20.2";
/// The newest release that Rust 1.95 compiles; 0.22 requires 1.96.1.
const TRUNK: &str = "0.21.14";
/// Must be the version of the crate in Cargo.lock.
const WASM_BINDGEN: &str = "0.2.130";

/// The spell checker, installed from its wheel, so that nothing is compiled.
pub fn typos(context: &Context) -> Result<PathBuf> {
    let venv = context.cache("tools/venv");
    let program = scripts(&venv).join(format!("typos{EXE_SUFFIX}"));
    provide(context, program, TYPOS, || {
        install_wheel(context, &venv, &format!("typos=={TYPOS}"))
    })
}

/// A Python with onnxruntime, a baseline of `cargo xtask bench`.
pub fn onnxruntime(context: &Context) -> Result<PathBuf> {
    let venv = context.cache("tools/peers");
    let python = scripts(&venv).join(format!("python{EXE_SUFFIX}"));
    let check = format!("import onnxruntime; assert onnxruntime.__version__ == '{ONNXRUNTIME}'");
    let has_it = cmd!(context.sh, "{python} -c {check}").quiet();
    if has_it.ignore_stderr().run().is_err() {
        install_wheel(context, &venv, &format!("onnxruntime=={ONNXRUNTIME}"))?;
    }
    Ok(python)
}

/// The program folder of a Python virtual environment.
fn scripts(venv: &Path) -> PathBuf {
    venv.join(if cfg!(windows) { "Scripts" } else { "bin" })
}

/// Installs a pinned Python package into a virtual environment, which is created if missing.
fn install_wheel(context: &Context, venv: &Path, release: &str) -> Result<()> {
    context.python().args(["-m", "venv"]).arg(venv).run()?;
    let python = scripts(venv).join(format!("python{EXE_SUFFIX}"));
    let quiet = ["--quiet", "--disable-pip-version-check"];
    Ok(cmd!(context.sh, "{python} -m pip install {quiet...} {release}").run()?)
}

/// cargo-deny, which checks licences and sources.
pub fn cargo_deny(context: &Context) -> Result<PathBuf> {
    compile(context, "cargo-deny", "cargo-deny", CARGO_DENY, &[])
}

/// Trunk, which builds the page. It runs offline, so it needs no TLS.
pub fn trunk(context: &Context) -> Result<PathBuf> {
    let features = ["--no-default-features"];
    compile(context, "trunk", "trunk", TRUNK, &features)
}

/// wasm-bindgen, which turns the compiled programs into browser modules.
pub fn wasm_bindgen(context: &Context) -> Result<PathBuf> {
    let package = "wasm-bindgen-cli";
    compile(context, "wasm-bindgen", package, WASM_BINDGEN, &[])
}

/// Versions of the tools that affect the page.
pub fn page_versions() -> String {
    format!("trunk {TRUNK}, wasm-bindgen {WASM_BINDGEN}")
}

/// Compiles a package from crates.io into the cache.
fn compile(
    context: &Context,
    program: &str,
    package: &str,
    version: &str,
    features: &[&str],
) -> Result<PathBuf> {
    let tools = context.cache("tools");
    let path = tools.join("bin").join(format!("{program}{EXE_SUFFIX}"));
    provide(context, path, version, || {
        let install = |lock: &[&str]| {
            let options = ["--quiet", "--force", "--version", version];
            cmd!(
                context.sh,
                "cargo install {package} --root {tools} {options...} {features...} {lock...}"
            )
            // Release profiles with LTO take minutes to compile, for speed that is not needed here.
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
            // Keep the build output out of the shared target folder.
            .env_remove("CARGO_TARGET_DIR")
            .run()
        };
        // Retry without the lock file: it may name releases that a registry mirror does not have.
        Ok(install(&["--locked"]).or_else(|_| install(&[]))?)
    })
}

fn provide(
    context: &Context,
    program: PathBuf,
    version: &str,
    install: impl FnOnce() -> Result<()>,
) -> Result<PathBuf> {
    let is_installed = || {
        let output = cmd!(context.sh, "{program} --version").quiet();
        let output = output.ignore_stderr().read();
        output.is_ok_and(|text| text.trim_end().ends_with(version))
    };
    if !is_installed() {
        let _lock = context.lock()?;
        // Another process may have installed it while this one waited for the lock.
        if !is_installed() {
            println!("tools: installing {} {version}", program.display());
            install()?;
        }
        ensure!(
            is_installed(),
            "{}: expected version {version} after installing it",
            program.display()
        );
    }
    Ok(program)
}
