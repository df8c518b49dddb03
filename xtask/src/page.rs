//! `cargo xtask page` builds the page with Trunk; `cargo xtask page-files` is Trunk's hook, which
//! adds the model files.

mod budget;
mod compact;
pub mod complete;
mod models;
mod shell;

pub use models::FOLDER as MODELS;

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context as _, Result, anyhow, ensure};
pub use dnd_web::manifest::FILE as MANIFEST;
use xshell::cmd;

use crate::context::{Context, sha256, walk};
use crate::models::{Args, BASE, ENCODER};
use crate::wasm::{self, Route, TARGET};
use crate::{node, tools};

/// The shipped bundle.
pub const BUNDLE: &str = "assets/smollm2-135m.safetensors";
/// Example prompts.
const PROMPTS: &str = "assets/prompts";
/// The built page, as set in Trunk.toml.
const FOLDER: &str = "out/page";
/// File beside the page that records its inputs.
const STAMP: &str = "out/page.inputs";
/// The page's two programs.
const PROGRAMS: [&str; 2] = ["page", "worker"];
/// Inputs of the page besides the programs: what Trunk copies or reads, and the code that adds
/// files. `web/src` is left out, because it only affects the programs.
const SOURCES: [&str; 10] = [
    "Trunk.toml",
    "web",
    PROMPTS,
    BUNDLE,
    "assets/MODEL_CARD.md",
    "LICENSE-MIT",
    "LICENSE-APACHE",
    "xtask/src/models.rs",
    "xtask/src/page.rs",
    "xtask/src/page",
];

/// Whether to run `wasm-opt`, which takes minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// Optimized, for a server.
    Shipped,
    /// For this machine only: any up-to-date build, else one without `wasm-opt`.
    Local,
}

/// Builds the page if its inputs changed, and returns its folder.
pub fn build(context: &Context, size: Size) -> Result<PathBuf> {
    let page = context.root(FOLDER);
    let stamp = context.root(STAMP);
    let route = wasm::provide(context)?;
    // Downloads and tools come while the page is compiled, whose last crates keep one core busy.
    println!("page: compiling; meanwhile the models (190 MB), trunk and wasm-bindgen come");
    let (programs, tools) = thread::scope(|scope| {
        let tools = scope.spawn(|| -> Result<_> {
            let context = Context::new()?;
            ENCODER.provide(&context, &Args::default())?;
            BASE.provide_file(&context)?;
            Ok((tools::wasm_bindgen(&context)?, tools::trunk(&context)?))
        });
        let programs = compile(context, route);
        (programs, tools.join())
    });
    let programs = programs?;
    let (wasm_bindgen, trunk) = tools.map_err(|_| anyhow!("building the tools panicked"))??;
    let wasm_opt = match size {
        Size::Shipped => wasm_opt(context)?,
        Size::Local => None,
    };
    let inputs = inputs(context, &programs)?;
    let described = |is_small: bool| format!("wasm-opt {is_small}\n{inputs}");
    let is_current =
        |is_small| fs::read_to_string(&stamp).is_ok_and(|old| old == described(is_small));
    let is_enough = is_current(true) || (wasm_opt.is_none() && is_current(false));
    if is_whole(&page) && is_enough {
        println!("page: {} is up to date", page.display());
        return Ok(page);
    }
    let mut folders: Vec<PathBuf> = wasm_bindgen
        .parent()
        .map(Path::to_owned)
        .into_iter()
        .collect();
    let mut options = vec!["build", "--offline"];
    match &wasm_opt {
        Some(folder) => folders.push(folder.clone()),
        // Trunk runs wasm-opt only in release builds; cargo's profile stays the same.
        None => options.extend(["--release", "false"]),
    }
    folders.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    // Trunk parses this variable as a flag and rejects its usual value.
    if env::var_os("NO_COLOR").is_some() {
        options.extend(["--color", "never"]);
    }
    // From here on the page may be incomplete.
    if stamp.exists() {
        fs::remove_file(&stamp).with_context(|| format!("cannot delete {}", stamp.display()))?;
    }
    let trunk = cmd!(context.sh, "{trunk} {options...}")
        .env("PATH", env::join_paths(folders)?)
        .env_remove("NO_COLOR");
    route.apply(context, trunk).run()?;
    ensure!(
        is_whole(&page),
        "{}: no {}: expected a post_build hook in Trunk.toml that calls `cargo xtask page-files`",
        page.display(),
        MANIFEST
    );
    dnd_files::write(&stamp, described(wasm_opt.is_some()).as_bytes())?;
    println!("page: {}", page.display());
    Ok(page)
}

/// Builds the page's programs, before wasm-bindgen. Trunk runs the same build again, which then has
/// nothing to do.
fn compile(context: &Context, route: Route) -> Result<Vec<PathBuf>> {
    let cargo = cmd!(
        context.sh,
        "cargo build --profile page -p dnd-web --target {TARGET}"
    );
    route.apply(context, cargo).run()?;
    let target = match route {
        Route::Own => PathBuf::from(context.sh.var_os("CARGO_TARGET_DIR").unwrap_or_default()),
        Route::Debian => context.cache("target-debian"),
    };
    let folder = context.root(target).join(TARGET).join("page");
    Ok(PROGRAMS
        .map(|name| folder.join(format!("{name}.wasm")))
        .to_vec())
}

/// Lists the inputs of the page with their hashes.
fn inputs(context: &Context, programs: &[PathBuf]) -> Result<String> {
    let mut text = format!("{}, {:?}\n", tools::page_versions(), node::BINARYEN);
    let mut add = |name: &Path, path: &Path| -> Result<()> {
        Ok(writeln!(text, "{} {}", sha256(path)?, name.display())?)
    };
    for program in programs {
        add(Path::new(program.file_name().unwrap_or_default()), program)?;
    }
    for source in SOURCES {
        let path = context.root(source);
        for inner in walk(&path)? {
            // A source that is a file is walked as itself.
            let name = match inner.as_os_str().is_empty() {
                true => PathBuf::from(source),
                false => Path::new(source).join(inner),
            };
            if !name.starts_with("web/src") {
                add(&name, &context.root(&name))?;
            }
        }
    }
    Ok(text)
}

/// The folder of `wasm-opt`, or `None` if Node is not available.
fn wasm_opt(context: &Context) -> Result<Option<PathBuf>> {
    if let Some(reason) = node::absence(context) {
        println!("page: {reason}; building without wasm-opt, which makes the page larger");
        return Ok(None);
    }
    let modules = node::provide(context, &[node::BINARYEN])?;
    Ok(Some(modules.join(".bin")))
}

/// Whether the folder holds a page with what `page-files` adds.
fn is_whole(page: &Path) -> bool {
    page.join(MANIFEST).exists()
}
