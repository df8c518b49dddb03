//! `cargo xtask package`: the npm package for other people's pages.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use xshell::cmd;

use crate::context::{Context, copy, create_folder, renew_folder};
use crate::node;
use crate::page::{self, Size};

/// The package's own files.
const SOURCE: &str = "web/package";
/// The folder that is packed.
const FOLDER: &str = "out/package/dnd-adapters";
/// Files of the page's worker.
const PROGRAM: [&str; 3] = ["worker-start.js", "worker.js", "worker_bg.wasm"];

/// Builds the package and returns its archive.
pub fn build(context: &Context, size: Size) -> Result<PathBuf> {
    if let Some(reason) = node::absence(context) {
        bail!("{reason}");
    }
    let page = page::build(context, size)?;
    let folder = context.root(FOLDER);
    renew_folder(&folder)?;
    let worker = folder.join("worker");
    create_folder(&worker)?;
    let source = context.root(SOURCE);
    for name in ["package.json", "index.js", "index.d.ts"] {
        copy(&source.join(name), &folder.join(name))?;
    }
    for name in PROGRAM {
        copy(&page.join(name), &worker.join(name))?;
    }
    for name in ["LICENSE-MIT", "LICENSE-APACHE"] {
        copy(&context.root(name), &folder.join(name))?;
    }
    copy(&context.root("docs/embed.md"), &folder.join("README.md"))?;
    let packed = node::pack(context, &folder)?;
    println!("package: {}", packed.display());
    Ok(packed)
}

/// Builds a page with the package as its users do, with the small models in `small`, and returns
/// its folder.
pub fn embed(context: &Context, small: &Path) -> Result<PathBuf> {
    let packed = build(context, Size::Local)?;
    let modules = node::provide(context, &node::VITE)?;
    let project = context.root("out/embedding");
    renew_folder(&project)?;
    let source = context.root("tests/embedding");
    for name in ["index.html", "main.js", "package.json", "vite.config.js"] {
        copy(&source.join(name), &project.join(name))?;
    }
    node::install(context, &project, &packed)?;
    let public = project.join("public/models");
    let [from, to] = [small, &public].map(|folder| folder.join(page::MANIFEST));
    create_folder(&public.join(page::MODELS))?;
    copy(&from, &to)?;
    for entry in std::fs::read_dir(small.join(page::MODELS))? {
        let name = entry?.file_name();
        let [from, to] = [small, &public].map(|folder| folder.join(page::MODELS).join(&name));
        copy(&from, &to)?;
    }
    let vite = modules.join("vite/bin/vite.js");
    cmd!(context.sh, "node {vite} build {project}")
        .run()
        .context("the project with the package cannot be built")?;
    Ok(project.join("dist"))
}
