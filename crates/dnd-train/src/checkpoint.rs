//! Checkpoints of a training run: a folder beside the bundle, replaced as a whole.
//!
//! ```text
//! OUT.state        the checkpoint; its header `state.json` is written last
//! OUT.state.new    one that is being written
//! OUT.state.old    one that is being replaced
//! ```

use std::fs;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::optim::ModuleOptimizer;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Error;

/// Name of the header's file.
const HEADER: &str = "state.json";
/// Ending of a checkpoint that is being written.
const NEW: &str = ".new";
/// Ending of a checkpoint that is being replaced.
const OLD: &str = ".old";

/// Folder of the checkpoint of the run that writes `bundle`.
pub(crate) fn state_folder(bundle: &Path) -> PathBuf {
    beside(bundle, ".state")
}

/// The path with this ending added.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Removes a folder, if it is there.
fn remove(folder: &Path) -> Result<(), Error> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|e| Error::file(folder, "cannot remove", e))?;
    }
    Ok(())
}

/// Renames a folder, if it is there.
fn rename(from: &Path, to: &Path) -> Result<(), Error> {
    if from.exists() {
        fs::rename(from, to).map_err(|e| Error::file(from, "cannot rename", e))?;
    }
    Ok(())
}

/// Removes a checkpoint and what an interrupted save left of it.
///
/// # Errors
/// When a folder cannot be removed.
pub(crate) fn clear(folder: &Path) -> Result<(), Error> {
    remove(folder)?;
    remove(&beside(folder, NEW))?;
    remove(&beside(folder, OLD))
}

/// Saves a checkpoint: what `write` puts into the folder that it gets, and the header. An older
/// checkpoint stays until the new one is whole.
///
/// # Errors
/// When a file cannot be written.
pub(crate) fn replace<H: Serialize>(
    folder: &Path,
    header: &H,
    write: impl FnOnce(&Path) -> Result<(), Error>,
) -> Result<(), Error> {
    let (fresh, old) = (beside(folder, NEW), beside(folder, OLD));
    remove(&fresh)?;
    dnd_files::make_folder(&fresh)?;
    write(&fresh)?;
    dnd_files::write_json(&fresh.join(HEADER), header)?;
    // At every moment one of the three is whole; `find` looks for it in this order.
    remove(&old)?;
    rename(folder, &old)?;
    rename(&fresh, folder)?;
    remove(&old)
}

/// The header of the checkpoint in `folder`, if there is one.
///
/// # Errors
/// When the header cannot be read.
pub(crate) fn find<H: DeserializeOwned>(folder: &Path) -> Result<Option<H>, Error> {
    // A process that died between two renames left the checkpoint under another name. The header
    // is written last: a folder with one is whole.
    for ending in [NEW, OLD] {
        let left = beside(folder, ending);
        if !folder.exists() && left.join(HEADER).exists() {
            rename(&left, folder)?;
        }
    }
    let path = folder.join(HEADER);
    if !path.exists() {
        return Ok(None);
    }
    let text = dnd_files::read_text(&path)?;
    serde_json::from_str(&text).map(Some).map_err(|e| {
        let advice = "expected a checkpoint of this version; delete the folder to start afresh";
        Error::content(&path, format!("{advice}: {e}"))
    })
}

/// The error of a checkpoint that belongs to another run.
pub(crate) fn foreign(folder: &Path) -> Error {
    Error::content(
        &folder.join(HEADER),
        "expected a checkpoint of this recipe, start, matmul dtype and set of tasks, found one of \
         another run; delete the folder to start afresh",
    )
}

/// Saves the parameters of a module.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn save_module<M: Module>(path: &Path, module: &M) -> Result<(), Error> {
    let saved = module.clone().save_file(path);
    saved.map_err(|e| Error::content(path, e))
}

/// Loads parameters into a module of the same shapes.
///
/// # Errors
/// When the file is missing or malformed.
pub(crate) fn load_module<M: Module>(path: &Path, module: M) -> Result<M, Error> {
    module
        .try_load_file(path)
        .map_err(|e| Error::content(path, e))
}

/// Saves the state of an optimizer; one that has not taken a step has nothing to save.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn save_optimizer(path: &Path, optimizer: &ModuleOptimizer) -> Result<(), Error> {
    let record = optimizer.to_record();
    if record.is_empty() {
        return Ok(());
    }
    record.save(path).map_err(|e| Error::content(path, e))
}

/// Loads the state of an optimizer, if [`save_optimizer`] saved one.
///
/// # Errors
/// When the file is malformed.
pub(crate) fn load_optimizer(
    path: &Path,
    optimizer: ModuleOptimizer,
) -> Result<ModuleOptimizer, Error> {
    if !path.exists() {
        return Ok(optimizer);
    }
    optimizer.load(path).map_err(|e| Error::content(path, e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_is_found_after_a_crash_between_any_two_renames() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("bundle.state");
        let save = |step: usize| {
            let write = |fresh: &Path| Ok(dnd_files::write(&fresh.join("weights"), b"1")?);
            replace(&folder, &step, write).unwrap();
        };
        assert_eq!(find::<usize>(&folder).unwrap(), None);
        for ending in [NEW, OLD] {
            save(7);
            fs::rename(&folder, beside(&folder, ending)).unwrap();
            assert_eq!(find(&folder).unwrap(), Some(7), "{ending}");
            assert!(folder.join("weights").exists());
        }
        clear(&folder).unwrap();
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
    }
}
