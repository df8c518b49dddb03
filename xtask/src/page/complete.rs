//! `cargo xtask page-files`: adds models and the service worker's version to a page built by Trunk.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::models::Sources;
use super::shell::Shell;
use super::{BUNDLE, FOLDER, budget, is_whole, models};
use crate::context::{Context, copy as copy_file, renew_folder, walk};
use crate::models::{Args as SetupArgs, BASE, ENCODER};

/// Arguments of `cargo xtask page-files`.
#[derive(clap::Args, Default)]
pub struct Args {
    /// Encoder folder with config.json, model.safetensors and tokenizer.json [default: the one that
    /// `setup` installs]
    #[arg(long, value_name = "DIR", requires = "out")]
    encoder: Option<PathBuf>,
    /// Bundle with the generator [default: the shipped one]
    #[arg(long, value_name = "FILE", requires = "out")]
    bundle: Option<PathBuf>,
    /// Base model, a GGUF file [default: the one that `setup` installs]
    #[arg(long, value_name = "FILE", requires = "out")]
    base: Option<PathBuf>,
    /// Another generator with the same encoder, and its base model, which visitors can choose;
    /// may be given several times
    #[arg(long, value_name = "BUNDLE[,GGUF]", requires = "out")]
    also: Vec<String>,
    /// Copy the built page to this folder and complete the copy, for tests with other models
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Args {
    /// A copy of the page in `out` with other models.
    pub fn copy([encoder, bundle, base]: [PathBuf; 3], out: PathBuf) -> Self {
        Self {
            encoder: Some(encoder),
            bundle: Some(bundle),
            base: Some(base),
            also: Vec::new(),
            out: Some(out),
        }
    }

    /// The same with another generator and its base model.
    pub fn and(mut self, [bundle, base]: [PathBuf; 2]) -> Self {
        let both = format!("{},{}", bundle.display(), base.display());
        self.also.push(both);
        self
    }
}

/// Completes a copy of the built page with --out, else the page that Trunk is building, else the
/// built page.
pub fn run(context: &Context, args: &Args) -> Result<()> {
    let encoder = match &args.encoder {
        Some(folder) => folder.clone(),
        None => ENCODER.provide(context, &SetupArgs::default())?,
    };
    let bundle = args.bundle.clone().unwrap_or_else(|| context.root(BUNDLE));
    let base = match &args.base {
        Some(file) => file.clone(),
        None => BASE.provide_file(context)?,
    };
    let others = args.also.iter().map(|also| match also.split_once(',') {
        Some((bundle, base)) => (PathBuf::from(bundle), Some(PathBuf::from(base))),
        None => (PathBuf::from(also), None),
    });
    let first = (bundle, Some(base));
    let models = Sources {
        encoder,
        generators: [first].into_iter().chain(others).collect(),
    };
    let built = context.root(FOLDER);
    if let Some(out) = &args.out {
        copy(&built, out)?;
        // The limits are for the shipped page, which has the same programs.
        return complete(context, &models, out);
    }
    let folder = env::var_os("TRUNK_STAGING_DIR").map_or(built, PathBuf::from);
    complete(context, &models, &folder)?;
    // Trunk calls a build without wasm-opt a debug one.
    let optimized = env::var_os("TRUNK_PROFILE").is_none_or(|profile| profile != "debug");
    budget::check(&folder, optimized)
}

fn complete(context: &Context, models: &Sources, folder: &Path) -> Result<()> {
    // If the page was completed before, this is the version to replace.
    let previous = Shell::read(folder)?.version;
    models::write(context, models, folder)?;
    Shell::read(folder)?.write(folder, &previous)
}

/// Copies the page without its models, in place of an older copy.
fn copy(page: &Path, out: &Path) -> Result<()> {
    if !is_whole(page) {
        bail!(
            "{}: expected a page: run `cargo xtask page` first",
            page.display()
        );
    }
    let mut entries = out.read_dir().into_iter().flatten();
    if entries.next().is_some() && !is_whole(out) {
        bail!(
            "{}: expected no folder, an empty one or an older copy of the page",
            out.display()
        );
    }
    renew_folder(out)?;
    for name in walk(page)? {
        if !name.starts_with(models::FOLDER) {
            copy_file(&page.join(&name), &out.join(&name))
                .with_context(|| format!("cannot copy the page to {}", out.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copy_leaves_models_out_and_strangers_alone() {
        let folder = tempfile::tempdir().unwrap();
        let [page, out] = ["page", "out"].map(|name| folder.path().join(name));
        assert!(copy(&page, &out).is_err(), "there is no page yet");
        crate::context::create_folder(&page.join(models::FOLDER)).unwrap();
        for name in ["index.html", "manifest.json", "models/big"] {
            std::fs::write(page.join(name), b"x").unwrap();
        }
        for _ in 0..2 {
            copy(&page, &out).unwrap();
            let names = ["index.html", "manifest.json"].map(PathBuf::from);
            assert_eq!(walk(&out).unwrap(), names);
        }
        std::fs::remove_file(out.join("manifest.json")).unwrap();
        assert!(copy(&page, &out).is_err(), "the folder is someone else's");
        assert!(out.join("index.html").exists());
    }
}
