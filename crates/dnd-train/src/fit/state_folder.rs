//! The folder beside a bundle that holds the state of its fit, replaced as a whole.
//!
//! ```text
//! OUT.state        the state; its header `state.json` is written last
//! OUT.state.new    one that is being written
//! OUT.state.old    one that is being replaced
//! ```

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Error, files};

/// Name of the header's file.
const HEADER: &str = "state.json";

/// Where the state of the fit that writes `bundle` lies.
pub fn state_folder(bundle: &Path) -> PathBuf {
    let mut name = bundle.as_os_str().to_owned();
    name.push(".state");
    PathBuf::from(name)
}

/// The folder beside `folder` with this ending.
pub(super) fn beside(folder: &Path, ending: &str) -> PathBuf {
    let mut name = folder.as_os_str().to_owned();
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

/// A state that is being written.
pub(super) const NEW: &str = ".new";
/// A state that is being replaced.
pub(super) const OLD: &str = ".old";

/// Removes a state and what an interrupted save left of it.
///
/// # Errors
/// When a folder cannot be removed.
pub fn clear(folder: &Path) -> Result<(), Error> {
    remove(folder)?;
    remove(&beside(folder, NEW))?;
    remove(&beside(folder, OLD))
}

/// Saves a state: what `write` puts into the folder that it is given, and the header. An older
/// state is replaced only by a whole one.
///
/// # Errors
/// When a file cannot be written.
pub fn replace<H: Serialize>(
    folder: &Path,
    header: &H,
    write: impl FnOnce(&Path) -> Result<(), Error>,
) -> Result<(), Error> {
    let (fresh, old) = (beside(folder, NEW), beside(folder, OLD));
    remove(&fresh)?;
    files::make_folder(&fresh)?;
    write(&fresh)?;
    files::write_json(&fresh.join(HEADER), header)?;
    // At every moment one of the three is whole; `find` looks for it in this order.
    remove(&old)?;
    rename(folder, &old)?;
    rename(&fresh, folder)?;
    remove(&old)
}

/// The header of the state of `folder`, if there is one.
///
/// # Errors
/// When the header cannot be read.
pub fn find<H: DeserializeOwned>(folder: &Path) -> Result<Option<H>, Error> {
    // A process that died between two renames left the state under another name. The header is
    // written last: a folder with one is whole.
    for ending in [NEW, OLD] {
        let left = beside(folder, ending);
        if !folder.exists() && left.join(HEADER).exists() {
            rename(&left, folder)?;
        }
    }
    let path = folder.join(HEADER);
    path.exists().then(|| files::read_json(&path)).transpose()
}

/// The error of a state that was saved for something else than `wanted`.
pub fn foreign(folder: &Path, wanted: &str) -> Error {
    Error::content(
        &folder.join(HEADER),
        format!(
            "expected a state of this {wanted}, found another's; delete the folder to start afresh"
        ),
    )
}
