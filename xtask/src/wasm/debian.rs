//! Debian's own Rust, for machines whose rustup may not fetch the WebAssembly target. Debian packages no
//! standard library for it, so that one is compiled from the source package, once a compiler.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::{Route, TARGET};
use crate::cache::Cache;
use crate::{command, files};

const PACKAGES: [&str; 6] = [
    "rustc-web",
    "cargo-web",
    "rust-web-src",
    "rust-web-clippy",
    "rustfmt-web",
    "lld-22",
];
const RUSTC: &str = "/usr/bin/rustc";
const CARGO: &str = "/usr/bin/cargo";
const LINKER: &str = "/usr/bin/lld-22";
/// One program of each package that the page and its checks need.
const PROGRAMS: [&str; 4] = [RUSTC, CARGO, "/usr/bin/cargo-clippy", LINKER];
/// Where Debian's compiler looks for standard libraries, and nowhere else.
const LIBRARIES: &str = "/usr/lib/rustlib";
/// Name of the toolchain in rustup.
const TOOLCHAIN: &str = "debian";
/// Beside a standard library that was compiled here: the compiler that did it.
const STAMP: &str = ".dnd-compiler";
/// The crate whose only purpose is that a standard library is compiled for it.
const CRATE: &str = "dnd_std";

/// Debian's compiler if it was made ready earlier.
pub fn find(cache: &Cache) -> Result<Option<Route>> {
    if !is_ready()? {
        return Ok(None);
    }
    use_here(cache).map(Some)
}

/// Makes Debian's compiler ready; installs it where that is allowed.
pub fn provide(cache: &Cache) -> Result<Route> {
    if !is_ready()? {
        let _lock = cache.lock()?;
        // Another process may have installed it while this one waited for the lock.
        if !is_ready()? {
            install(cache)?;
        }
    }
    use_here(cache)
}

fn use_here(cache: &Cache) -> Result<Route> {
    link_toolchain()?;
    let environment = vec![
        ("RUSTUP_TOOLCHAIN", TOOLCHAIN.into()),
        // Another compiler than the native builds have; sharing a folder would compile all anew each time.
        ("CARGO_TARGET_DIR", cache.target_debian().into()),
    ];
    Ok(Route { environment })
}

fn is_ready() -> Result<bool> {
    if !PROGRAMS.iter().all(|program| Path::new(program).exists()) {
        return Ok(false);
    }
    let compiler = compiler()?;
    Ok(library_fits(&library(), &compiler) && rust_lld(&compiler)?.exists())
}

/// Whether a standard library is there for this compiler; one without a stamp is not ours to judge.
fn library_fits(library: &Path, compiler: &str) -> bool {
    fs::read_to_string(library.join(STAMP))
        .map_or_else(|_| library.exists(), |stamp| stamp == compiler)
}

fn install(cache: &Cache) -> Result<()> {
    if !Path::new("/etc/debian_version").exists() || command::output(user())?.trim() != "0" {
        bail!(
            "no compiler for {TARGET}: run `rustup target add {TARGET}`, or on Debian this command as root"
        );
    }
    println!("wasm: installing Debian's Rust");
    apt(&["update"])?;
    let install = ["install", "-y", "--no-install-recommends"];
    apt(&[&install[..], &PACKAGES[..]].concat())?;
    let compiler = compiler()?;
    let rust_lld = rust_lld(&compiler)?;
    if !rust_lld.exists() {
        if let Some(folder) = rust_lld.parent() {
            files::create_folder(folder)?;
        }
        // By the program, since the standard library links on Unix alone and this file compiles everywhere.
        let mut link = command::new("ln");
        link.arg("-sf").arg(LINKER).arg(&rust_lld);
        command::run(link)?;
    }
    if !library_fits(&library(), &compiler) {
        println!("wasm: compiling the standard library for {TARGET}, about a minute");
        compile_library(cache, &compiler)?;
    }
    Ok(())
}

fn compile_library(cache: &Cache, compiler: &str) -> Result<()> {
    let folder = cache.wasm_std();
    files::renew_folder(&folder.join("src"))?;
    let manifest = format!("[package]\nname = \"{CRATE}\"\nedition = \"2024\"\n\n[workspace]\n");
    files::write(&folder.join("Cargo.toml"), manifest.as_bytes())?;
    files::write(&folder.join("src/lib.rs"), b"")?;
    let target = folder.join("target");
    let mut cargo = command::new(CARGO);
    cargo
        .current_dir(&folder)
        .args(["build", "--release", "-Z", "build-std=std,panic_abort"])
        .args(["--target", TARGET])
        .env("RUSTC", RUSTC)
        // Building the standard library is an unstable feature of cargo.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "wasm-ld-22")
        .env("CARGO_TARGET_DIR", &target);
    command::run(cargo)?;

    let library = library();
    let beside = library.with_extension("part");
    files::renew_folder(&beside)?;
    let built = target.join(TARGET);
    for path in files::walk(&built)?.iter().filter(|path| is_library(path)) {
        let name = path.file_name().context("a file without a name")?;
        files::copy(&built.join(path), &beside.join(name))?;
    }
    files::write(&beside.join(STAMP), compiler.as_bytes())?;
    // A leftover of another compiler would be found beside the new one.
    files::renew_folder(&library)?;
    fs::rename(&beside, &library).with_context(|| format!("cannot write {}", library.display()))?;
    fs::remove_dir_all(&folder).with_context(|| format!("cannot delete {}", folder.display()))
}

/// Whether a file of the build output is a crate of the standard library.
fn is_library(path: &Path) -> bool {
    let own = format!("lib{CRATE}");
    path.extension().is_some_and(|end| end == "rlib")
        && !path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with(&own))
}

/// Makes the compiler known to rustup under its name, for this user.
fn link_toolchain() -> Result<()> {
    let mut which = command::new("rustup");
    which.args(["which", "--toolchain", TOOLCHAIN, "rustc"]);
    let known = which.output().is_ok_and(|output| {
        // rustup names the program by way of its own link to the folder.
        let path = String::from_utf8_lossy(&output.stdout);
        let real = |path: &str| fs::canonicalize(path).ok();
        output.status.success() && real(path.trim()).is_some_and(|path| real(RUSTC) == Some(path))
    });
    if known {
        return Ok(());
    }
    let mut link = command::new("rustup");
    link.args(["toolchain", "link", TOOLCHAIN, "/usr"]);
    command::run(link)
        .context("Debian's Rust is chosen through rustup: install it from https://rustup.rs")
}

fn library() -> PathBuf {
    Path::new(LIBRARIES).join(TARGET).join("lib")
}

/// The linker under the name that the compiler calls.
fn rust_lld(compiler: &str) -> Result<PathBuf> {
    let host = compiler
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .with_context(|| {
            format!("{RUSTC} -vV: expected a line with the host, found\n{compiler}")
        })?;
    Ok(Path::new(LIBRARIES).join(host).join("bin/rust-lld"))
}

/// What Debian's compiler says of itself, the release included.
fn compiler() -> Result<String> {
    let mut rustc = command::new(RUSTC);
    rustc.arg("-vV");
    command::output(rustc)
}

fn user() -> Command {
    let mut id = command::new("id");
    id.arg("-u");
    id
}

fn apt(arguments: &[&str]) -> Result<()> {
    let mut apt = command::new("apt-get");
    apt.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    command::run(apt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn library_of_another_compiler_does_not_fit() {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("lib");
        assert!(!library_fits(&library, "rustc 1.96"));
        files::create_folder(&library).unwrap();
        assert!(library_fits(&library, "rustc 1.96"), "not ours to judge");
        files::write(&library.join(STAMP), b"rustc 1.96").unwrap();
        assert!(library_fits(&library, "rustc 1.96"));
        assert!(!library_fits(&library, "rustc 1.97"));
    }

    #[test]
    fn linker_stands_under_the_host() {
        let path = rust_lld("rustc 1.96.0\nhost: x86_64-unknown-linux-gnu\n").unwrap();
        assert_eq!(
            path,
            Path::new("/usr/lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld")
        );
        assert!(rust_lld("rustc").is_err());
    }

    #[test]
    fn only_the_library_is_taken() {
        assert!(is_library(Path::new("release/deps/libstd-1f.rlib")));
        assert!(!is_library(Path::new("release/deps/libstd-1f.rmeta")));
        assert!(!is_library(Path::new("release/libdnd_std.rlib")));
    }
}
