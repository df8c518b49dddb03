//! Where a compiler for WebAssembly comes from: a toolchain that has the target, else Debian's if it was made
//! ready earlier, else rustup, else Debian's packages.

mod debian;

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use crate::cache::Cache;
use crate::command;

/// The target of everything that runs in a browser.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// Chooses the route.
const VARIABLE: &str = "DND_WASM_ROUTE";

/// For the `--help` of whatever compiles to WebAssembly.
pub const HELP: &str = "Environment:
  DND_WASM_ROUTE=debian  Compile the page with Debian's Rust also where rustup has the target";

/// How cargo compiles to WebAssembly here.
#[derive(Default)]
pub struct Route {
    environment: Vec<(&'static str, OsString)>,
}

impl Route {
    /// Gives a program that is cargo, or calls it, what it needs in its environment.
    pub fn apply(&self, command: &mut Command) {
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
    }
}

/// Makes a compiler for WebAssembly ready by the first route that works; costs nothing when there is one.
pub fn provide(cache: &Cache) -> Result<Route> {
    let wish = env::var_os(VARIABLE).unwrap_or_default();
    if wants_debian(&wish.to_string_lossy())? {
        return debian::provide(cache);
    }
    if has_target()? {
        return Ok(Route::default());
    }
    // Before rustup, which would be asked, and refused, every time.
    if let Some(route) = debian::find(cache)? {
        return Ok(route);
    }
    if add_target()? {
        return Ok(Route::default());
    }
    debian::provide(cache)
}

fn wants_debian(wish: &str) -> Result<bool> {
    match wish {
        "" => Ok(false),
        "debian" => Ok(true),
        other => bail!("{VARIABLE}: expected `debian` or nothing, found `{other}`"),
    }
}

/// Whether the compiler in use has a standard library for WebAssembly.
fn has_target() -> Result<bool> {
    let mut rustc = command::new("rustc");
    rustc.args(["--print", "target-libdir", "--target", TARGET]);
    Ok(PathBuf::from(command::output(rustc)?.trim()).exists())
}

/// Has rustup fetch that library. It may be refused, or be no part of this installation.
fn add_target() -> Result<bool> {
    println!("wasm: no {TARGET} here; asking rustup for it");
    let mut rustup = command::new("rustup");
    rustup.args(["target", "add", TARGET]);
    match command::run(rustup) {
        Ok(()) => has_target(),
        Err(error) => {
            println!("wasm: {error:#}");
            Ok(false)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn route_is_chosen_by_name() {
        assert!(!wants_debian("").unwrap());
        assert!(wants_debian("debian").unwrap());
        let error = wants_debian("Debian").unwrap_err().to_string();
        assert!(
            error.contains(VARIABLE) && error.ends_with("found `Debian`"),
            "{error}"
        );
    }

    #[test]
    fn route_sets_the_environment() {
        let route = Route {
            environment: vec![("RUSTUP_TOOLCHAIN", "debian".into())],
        };
        let mut command = command::new("cargo");
        route.apply(&mut command);
        let mut set = command.get_envs();
        assert!(set.any(|(name, value)| {
            name == "RUSTUP_TOOLCHAIN" && value.is_some_and(|value| value == "debian")
        }));
    }
}
