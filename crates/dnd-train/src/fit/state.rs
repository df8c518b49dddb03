//! The state of an interrupted fit: a folder beside the bundle.

use std::fs;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::optim::ModuleOptimizer;
use dnd_model::Generator;
use serde::{Deserialize, Serialize};

use super::Recipe;
use crate::collect::CollectionHeader;
use crate::{Error, files};

/// Where a fit stands, and what must be the same for it to be gone on with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StateHeader {
    /// How far it is.
    pub progress: Progress,
    /// The recipe of the run.
    pub recipe: Recipe,
    /// The collection it is fitted to.
    pub collection: CollectionHeader,
    /// The collection's tasks.
    pub tasks: Vec<String>,
}

/// How far a fit is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Steps that are done.
    pub step: usize,
    /// Losses of the steps since the last point of the curve.
    pub losses: Vec<f32>,
    /// Gradient norms of the same steps.
    pub norms: Vec<f32>,
}

/// Where the state of the fit that writes `bundle` lies.
pub fn state_folder(bundle: &Path) -> PathBuf {
    let mut name = bundle.as_os_str().to_owned();
    name.push(".state");
    PathBuf::from(name)
}

/// Where a state is written before it takes the older one's place.
fn fresh_folder(folder: &Path) -> PathBuf {
    let mut name = folder.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

/// Saves a state; an older one is replaced only by a whole one.
///
/// # Errors
/// When a file cannot be written.
pub fn save(
    folder: &Path,
    header: &StateHeader,
    generator: &Generator,
    optimizer: &ModuleOptimizer,
) -> Result<(), Error> {
    let fresh = fresh_folder(folder);
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |e| Error::file(&path, "cannot replace", e)
    };
    if fresh.exists() {
        fs::remove_dir_all(&fresh).map_err(failed(&fresh))?;
    }
    files::make_folder(&fresh)?;
    let path = fresh.join("generator.bpk");
    let record = generator.clone().save_file(&path);
    record.map_err(|e| Error::content(&path, e))?;
    let path = fresh.join("optimizer.bpk");
    optimizer
        .save(&path)
        .map_err(|e| Error::content(&path, e))?;
    files::write_json(&fresh.join("state.json"), header)?;
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(failed(folder))?;
    }
    fs::rename(&fresh, folder).map_err(failed(folder))
}

/// Loads the state of `folder` into a generator and optimizer of the same sizes, if there is one;
/// gives how far it is.
///
/// # Errors
/// When the state belongs to another recipe or collection, or cannot be read.
pub fn load(
    folder: &Path,
    header: &StateHeader,
    generator: Generator,
    optimizer: ModuleOptimizer,
) -> Result<(Progress, Generator, ModuleOptimizer), Error> {
    // A process that died between removing the old state and renaming the new one left this.
    let fresh = fresh_folder(folder);
    if !folder.exists() && fresh.join("state.json").exists() {
        fs::rename(&fresh, folder).map_err(|e| Error::file(&fresh, "cannot rename", e))?;
    }
    let path = folder.join("state.json");
    if !path.exists() {
        return Ok((Progress::default(), generator, optimizer));
    }
    let found: StateHeader = files::read_json(&path)?;
    let comparable = StateHeader {
        progress: found.progress.clone(),
        ..header.clone()
    };
    if found != comparable {
        return Err(Error::content(
            &path,
            "expected a state of this recipe and collection, found another's; delete the folder \
             to start afresh",
        ));
    }
    let path = folder.join("generator.bpk");
    let generator = generator
        .try_load_file(&path)
        .map_err(|e| Error::content(&path, e))?;
    let path = folder.join("optimizer.bpk");
    let optimizer = optimizer
        .load(&path)
        .map_err(|e| Error::content(&path, e))?;
    Ok((found.progress, generator, optimizer))
}
