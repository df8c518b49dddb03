//! `cargo xtask page`: the page, built by Trunk; and what Trunk's hook adds to it, `cargo xtask page-files`.

mod budget;
mod compact;
pub mod complete;
mod inputs;
mod models;
mod scripts;
mod shell;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::cache::Cache;
use crate::{command, node, programs, tools, wasm};

/// The bundle that ships.
pub const BUNDLE: &str = "assets/smollm2-135m.safetensors";
/// Example prompts.
const PROMPTS: &str = "assets/prompts";
/// The built page, as Trunk.toml has it.
const FOLDER: &str = "out/page";
/// Beside the page: what it was built from.
const STAMP: &str = "out/page.inputs";

/// Builds the page and gives its folder; costs little when nothing has changed.
pub fn build(cache: &Cache) -> Result<PathBuf> {
    let route = wasm::provide(cache)?;
    let programs = programs::web(&route)?;
    let wasm_opt = wasm_opt(cache)?;
    let page = command::root().join(FOLDER);
    let stamp = command::root().join(STAMP);
    let inputs = inputs::describe(&programs, wasm_opt.is_some())?;
    if is_whole(&page) && fs::read_to_string(&stamp).is_ok_and(|old| old == inputs) {
        println!("page: {} is up to date", page.display());
        return Ok(page);
    }
    let trunk = tools::trunk(cache)?;
    let mut folders = vec![folder_of(&tools::wasm_bindgen(cache)?)];
    let mut trunk = command::new(trunk);
    trunk.args(["build", "--offline"]);
    match wasm_opt {
        Some(folder) => folders.push(folder),
        // Trunk leaves wasm-opt out of all but release builds, and cargo need not know.
        None => {
            trunk.args(["--release", "false"]);
        }
    }
    command::extend_path(&mut trunk, folders)?;
    command::use_target_folder(&mut trunk);
    route.apply(&mut trunk);
    // Trunk takes this variable for a flag and refuses its usual value.
    if env::var_os("NO_COLOR").is_some() {
        trunk.env_remove("NO_COLOR").args(["--color", "never"]);
    }
    // From here on the page may be neither the old one nor the new one.
    if stamp.exists() {
        fs::remove_file(&stamp).with_context(|| format!("cannot delete {}", stamp.display()))?;
    }
    command::run(trunk)?;
    if !is_whole(&page) {
        bail!(
            "{}: no {}: expected a post_build hook in Trunk.toml that calls `cargo xtask page-files`",
            page.display(),
            models::MANIFEST
        );
    }
    fs::write(&stamp, inputs).with_context(|| format!("cannot write {}", stamp.display()))?;
    println!("page: {}", page.display());
    Ok(page)
}

/// The folder of the program `wasm-opt`, if it can be had.
fn wasm_opt(cache: &Cache) -> Result<Option<PathBuf>> {
    if let Some(reason) = node::absence() {
        println!("page: {reason}, so the page is built without wasm-opt: it works and is larger");
        return Ok(None);
    }
    let modules = node::provide(cache, &[node::BINARYEN])?;
    Ok(Some(modules.join(".bin")))
}

/// Whether the folder holds a page with what `page-files` adds; Trunk puts none there when that fails.
fn is_whole(page: &Path) -> bool {
    page.join(models::MANIFEST).exists()
}

fn folder_of(program: &Path) -> PathBuf {
    program.parent().unwrap_or(program).to_owned()
}
