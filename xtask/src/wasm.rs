//! Finds a Rust compiler for WebAssembly: the current toolchain if it has the target, else one that
//! rustup adds it to, else Debian's packages.

use std::env;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use xshell::{Cmd, cmd};

use crate::context::Context;

/// The target of code that runs in a browser.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// Environment variable that selects the route.
const VARIABLE: &str = "DND_WASM_ROUTE";

/// Help text of tasks that compile to WebAssembly.
pub const HELP: &str = "Environment:
  DND_WASM_ROUTE=debian  Compile the page with Debian's Rust even if rustup has the target";

/// How to compile to WebAssembly.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// With the current toolchain.
    Own,
    /// With Debian's Rust, into a separate target folder.
    Debian,
}

impl Route {
    /// Sets the environment of cargo, or of a program that calls it.
    pub fn apply<'a>(self, context: &Context, command: Cmd<'a>) -> Cmd<'a> {
        match self {
            Self::Own => command,
            Self::Debian => command
                .env("RUSTUP_TOOLCHAIN", "debian")
                .env("CARGO_TARGET_DIR", context.cache("target-debian")),
        }
    }
}

/// Provides a WebAssembly compiler by the first route that works.
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
    println!("wasm: {TARGET} is not installed; adding it with rustup");
    let added = cmd!(context.sh, "rustup target add {TARGET}").run().is_ok();
    if added && has_target()? {
        return Ok(Route::Own);
    }
    debian(context)
}

/// Debian's Rust, which `wasm-debian` installs.
fn debian(context: &Context) -> Result<Route> {
    // Two runs would install and compile in the same folders.
    let _lock = context.lock()?;
    let script = context.root("xtask/wasm-debian");
    let folder = context.cache("wasm-std");
    let ran = cmd!(context.sh, "{script} {folder}").run();
    ran.with_context(|| {
        format!("no {TARGET}: run `rustup target add {TARGET}`, or Debian as root")
    })?;
    Ok(Route::Debian)
}
