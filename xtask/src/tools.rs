//! Programs that the page and the checks need, pinned and installed into the cache on first use.

use std::env::consts::EXE_SUFFIX;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::cache::Cache;
use crate::command;

const TYPOS: &str = "1.52.0";
/// With its own numpy.
const ONNXRUNTIME: &str = "1.32.0";
const CARGO_DENY: &str = "0.20.2";
/// The newest release that Rust 1.95 compiles; 0.22 asks for 1.96.1.
const TRUNK: &str = "0.21.14";
/// Has to be the release of the crate in Cargo.lock.
const WASM_BINDGEN: &str = "0.2.130";

/// The spelling checker. Its wheel has the program inside, so that nothing is compiled.
pub fn typos(cache: &Cache) -> Result<PathBuf> {
    let scripts = scripts(&cache.tools().join("venv"));
    let program = scripts.join(format!("typos{EXE_SUFFIX}"));
    provide(program, TYPOS, cache, || {
        install_wheel(&cache.tools().join("venv"), &format!("typos=={TYPOS}"))
    })
}

/// A Python with onnxruntime, which `cargo xtask bench` compares with.
pub fn onnxruntime(cache: &Cache) -> Result<PathBuf> {
    let venv = cache.tools().join("peers");
    let python = scripts(&venv).join(format!("python{EXE_SUFFIX}"));
    let check = format!("import onnxruntime; assert onnxruntime.__version__ == '{ONNXRUNTIME}'");
    let has_it = command::new(&python)
        .args(["-c", &check])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !has_it {
        install_wheel(&venv, &format!("onnxruntime=={ONNXRUNTIME}"))?;
    }
    Ok(python)
}

/// Where a virtual environment of Python has its programs.
fn scripts(venv: &Path) -> PathBuf {
    venv.join(if cfg!(windows) { "Scripts" } else { "bin" })
}

/// Installs a release of a Python package into a virtual environment, which is made if it is missing.
fn install_wheel(venv: &Path, release: &str) -> Result<()> {
    let mut create = command::python();
    create.args(["-m", "venv"]).arg(venv);
    command::run(create)?;
    let mut pip = command::new(scripts(venv).join(format!("python{EXE_SUFFIX}")));
    pip.args(["-m", "pip", "install", "--quiet"]);
    pip.args(["--disable-pip-version-check", release]);
    command::run(pip)
}

/// The checker of licences and sources, compiled once.
pub fn cargo_deny(cache: &Cache) -> Result<PathBuf> {
    // Its lock file may name releases that a mirror of the registry does not have.
    provide(installed(cache, "cargo-deny"), CARGO_DENY, cache, || {
        let package = ["cargo-deny", "--version", CARGO_DENY];
        command::run(install(cache, &package, &["--locked"]))
            .or_else(|_| command::run(install(cache, &package, &[])))
    })
}

/// The builder of the page, compiled once. It only builds, offline, so it comes without TLS.
pub fn trunk(cache: &Cache) -> Result<PathBuf> {
    let package = ["trunk", "--version", TRUNK, "--no-default-features"];
    // Its own release profile trades minutes of linking for speed that copying files has no use for.
    let quick = |lock: &[&str]| {
        let mut cargo = install(cache, &package, lock);
        cargo
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1");
        command::run(cargo)
    };
    provide(installed(cache, "trunk"), TRUNK, cache, || {
        quick(&["--locked"]).or_else(|_| quick(&[]))
    })
}

/// The releases that shape the page, in a line.
pub fn page_versions() -> String {
    format!("trunk {TRUNK}, wasm-bindgen {WASM_BINDGEN}")
}

/// Makes modules for browsers of what the compiler leaves. Its lock file does not resolve.
pub fn wasm_bindgen(cache: &Cache) -> Result<PathBuf> {
    let package = ["wasm-bindgen-cli", "--version", WASM_BINDGEN];
    provide(
        installed(cache, "wasm-bindgen"),
        WASM_BINDGEN,
        cache,
        || command::run(install(cache, &package, &[])),
    )
}

/// Whether the faster test runner is installed.
pub fn has_nextest() -> bool {
    reports("cargo-nextest".as_ref(), &["nextest", "--version"], "")
}

/// Where cargo installs a program of this name.
fn installed(cache: &Cache, name: &str) -> PathBuf {
    let file = format!("{name}{EXE_SUFFIX}");
    cache.tools().join("bin").join(file)
}

/// The command that compiles a package and replaces the release that was there.
fn install(cache: &Cache, package: &[&str], lock: &[&str]) -> Command {
    let mut cargo = command::cargo("install --force --root");
    cargo.arg(cache.tools()).args(package).args(lock);
    // Its build output is of no use to anyone else, so it stays out of the project's.
    cargo.env_remove("CARGO_TARGET_DIR");
    cargo
}

fn provide(
    program: PathBuf,
    version: &str,
    cache: &Cache,
    install: impl FnOnce() -> Result<()>,
) -> Result<PathBuf> {
    let installed = || reports(&program, &["--version"], version);
    if !installed() {
        let _lock = cache.lock()?;
        // Another process may have installed it while this one waited for the lock.
        if !installed() {
            println!("tools: installing {} {version}", name(&program));
            install()?;
        }
        if !installed() {
            bail!("{} does not run as version {version}", program.display());
        }
    }
    Ok(program)
}

/// Whether a program starts and prints a version that ends in this one.
fn reports(program: &Path, arguments: &[&str], version: &str) -> bool {
    let output = Command::new(program).args(arguments).output();
    output.is_ok_and(|output| {
        output.status.success()
            && String::from_utf8_lossy(&output.stdout)
                .trim_end()
                .ends_with(version)
    })
}

fn name(program: &Path) -> String {
    program
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
