//! The tests of the page in a real browser, which `tests/browser/main.mjs` runs.

use std::path::PathBuf;

use anyhow::Result;

use crate::cache::Cache;
use crate::page::complete;
use crate::tally::{BROWSER, Tally};
use crate::{command, files, node, page, programs, setup};

/// Names that Chromium goes by.
const CHROMIUM: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Builds what the tests need and runs them; says so where this machine cannot.
pub fn run(cache: &Cache, tally: &mut Tally) -> Result<()> {
    let chromium = match ready() {
        Ok(chromium) => chromium,
        Err(reason) => {
            println!("skipped: {reason}");
            return Ok(());
        }
    };
    let page = page::build(cache)?;
    let dnd = programs::dnd()?;
    let modules = node::provide(cache, &node::PACKAGES)?;
    let encoder = setup::encoder(cache)?;

    let out = command::root().join("out");
    let small = out.join("small-models");
    let mut write = command::new(programs::small_models()?);
    write.arg(&small);
    command::run(write)?;
    let small_page = out.join("small-page");
    let copy = complete::Args::copy(
        small.join("encoder"),
        small.join("bundle.safetensors"),
        small_page.clone(),
    );
    complete::run(cache, &copy)?;
    let artefacts = out.join("browser");
    files::create_folder(&artefacts)?;

    let mut tests = command::new("node");
    tests
        .arg("tests/browser/main.mjs")
        .env("NODE_PATH", modules)
        .env("DND", dnd)
        .env("DND_PAGE", page)
        .env("DND_SMALL_PAGE", small_page)
        .env("DND_SMALL_MODELS", small)
        .env("DND_ARTEFACTS", artefacts)
        .env("DND_ENCODER", encoder)
        .env("DND_CHROMIUM", chromium);
    tally.run(tests, BROWSER)
}

/// Where Chromium is, or why there can be no tests in it.
pub fn ready() -> Result<PathBuf, String> {
    if let Some(reason) = node::absence() {
        return Err(reason);
    }
    let chromium = CHROMIUM.iter().find_map(|name| command::find(name));
    chromium
        .ok_or_else(|| "Chromium is not installed (Debian: apt-get install chromium)".to_owned())
}
