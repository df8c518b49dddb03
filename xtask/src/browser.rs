//! Runs the browser tests of the page in `tests/browser` with Playwright.

use std::path::PathBuf;

use anyhow::Result;
use xshell::cmd;

use crate::context::{Context, create_folder};
use crate::models::{Args, ENCODER};
use crate::node;
use crate::package;
use crate::page::{self, complete};

/// Names of the Chromium program.
const CHROMIUM: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Builds what the tests need and runs them, or prints why they are skipped.
pub fn run(context: &Context) -> Result<()> {
    let Some(chromium) = chromium(context) else {
        return Ok(());
    };
    let page = page::build(context, page::Size::Shipped)?;
    let dnd = context.dnd()?;
    let modules = node::provide(context, &node::PACKAGES)?;
    let encoder = ENCODER.provide(context, &Args::default())?;

    let small = context.root("out/small-models");
    let example = context.build(&["--example", "small_models"], "examples/small_models")?;
    cmd!(context.sh, "{example} {small}").run()?;
    let small_page = context.root("out/small-page");
    let models = ["encoder", "bundle.safetensors", "base.gguf"].map(|name| small.join(name));
    let copy = complete::Args::copy(models.clone(), small_page.clone());
    complete::run(context, &copy)?;
    let two_models_page = context.root("out/two-models-page");
    let other = ["other-bundle.safetensors", "other-base.gguf"].map(|name| small.join(name));
    let copy = complete::Args::copy(models, two_models_page.clone());
    complete::run(context, &copy.and(other))?;
    let embedding = package::embed(context, &small_page)?;
    let artefacts = context.root("out/browser");
    create_folder(&artefacts)?;

    let runner = modules.join("@playwright/test/cli.js");
    let tests = cmd!(
        context.sh,
        "node {runner} test --config tests/browser/playwright.config.mjs"
    )
    .env("NODE_PATH", modules)
    .env("DND", dnd)
    .env("DND_PAGE", page)
    .env("DND_SMALL_PAGE", small_page)
    .env("DND_TWO_MODELS_PAGE", two_models_page)
    .env("DND_SMALL_MODELS", small)
    .env("DND_EMBEDDING", embedding)
    .env("DND_ARTEFACTS", artefacts)
    .env("DND_ENCODER", encoder)
    .env("DND_CHROMIUM", chromium);
    Ok(tests.run()?)
}

/// The path of Chromium; prints why what needs it is skipped if it cannot be used.
pub fn chromium(context: &Context) -> Option<PathBuf> {
    let found = CHROMIUM.iter().find_map(|name| which::which(name).ok());
    let missing = "Chromium is not installed (Debian: apt-get install chromium)";
    let reason = node::absence(context).or_else(|| found.is_none().then(|| missing.to_owned()));
    match reason {
        Some(reason) => {
            println!("skipped: {reason}");
            None
        }
        None => found,
    }
}
