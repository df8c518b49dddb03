//! Where a compiler for WebAssembly comes from: a toolchain that has the target, else rustup, else
//! Debian's packages.

use std::env;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use xshell::{Cmd, cmd};

use crate::context::Context;

/// The target of everything that runs in a browser.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// Chooses the route.
const VARIABLE: &str = "DND_WASM_ROUTE";

/// For the `--help` of whatever compiles to WebAssembly.
pub const HELP: &str = "Environment:
  DND_WASM_ROUTE=debian  Compile the page with Debian's Rust also where rustup has the target";

/// How cargo compiles to WebAssembly here.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// With the toolchain in use.
    Own,
    /// With Debian's Rust, into a target folder of its own.
    Debian,
}

impl Route {
    /// Gives a program that is cargo, or calls it, what it needs in its environment.
    pub fn apply<'a>(self, context: &Context, command: Cmd<'a>) -> Cmd<'a> {
        match self {
            Self::Own => command,
            Self::Debian => command
                .env("RUSTUP_TOOLCHAIN", "debian")
                .env("CARGO_TARGET_DIR", context.cache("target-debian")),
        }
    }
}

/// Makes a compiler for WebAssembly ready by the first route that works.
pub fn provide(context: &Context) -> Result<Route> {
    let has_target = || -> Result<bool> {
        let libraries = cmd!(context.sh, "rustc --print target-libdir --target {TARGET}");
        Ok(Path::new(&libraries.quiet().read()?).exists())
    };
    match env::var(VARIABLE).unwrap_or_default().as_str() {
        "" => {}
        "debian" => return debian(context),
        other => bail!("{VARIABLE}: expected `debian` or nothing, found `{other}`"),
    }
    if has_target()? {
        return Ok(Route::Own);
    }
    println!("wasm: no {TARGET} here; asking rustup for it");
    let added = cmd!(context.sh, "rustup target add {TARGET}").run().is_ok();
    if added && has_target()? {
        return Ok(Route::Own);
    }
    debian(context)
}

/// Debian's Rust, which `wasm-debian` installs.
fn debian(context: &Context) -> Result<Route> {
    let script = context.root("xtask/wasm-debian");
    let folder = context.cache("wasm-std");
    cmd!(context.sh, "{script} {folder}")
        .run()
        .with_context(|| {
            format!("no compiler for {TARGET}: run `rustup target add {TARGET}`, or this on Debian as root")
        })?;
    Ok(Route::Debian)
}
