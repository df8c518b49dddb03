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

/// The folder beside `folder` with this ending.
fn beside(folder: &Path, ending: &str) -> PathBuf {
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
const NEW: &str = ".new";
/// A state that is being replaced.
const OLD: &str = ".old";

/// Removes a state and what an interrupted save left of it.
///
/// # Errors
/// When a folder cannot be removed.
pub fn clear(folder: &Path) -> Result<(), Error> {
    remove(folder)?;
    remove(&beside(folder, NEW))?;
    remove(&beside(folder, OLD))
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
    let (fresh, old) = (beside(folder, NEW), beside(folder, OLD));
    remove(&fresh)?;
    files::make_folder(&fresh)?;
    let path = fresh.join("generator.bpk");
    let record = generator.clone().save_file(&path);
    record.map_err(|e| Error::content(&path, e))?;
    let path = fresh.join("optimizer.bpk");
    optimizer
        .save(&path)
        .map_err(|e| Error::content(&path, e))?;
    files::write_json(&fresh.join("state.json"), header)?;
    // At every moment one of the three is whole; `load` looks for it in this order.
    remove(&old)?;
    rename(folder, &old)?;
    rename(&fresh, folder)?;
    remove(&old)
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
    // A process that died between two renames left the state under another name. The header is
    // written last: a folder with one is whole.
    for ending in [NEW, OLD] {
        let left = beside(folder, ending);
        if !folder.exists() && left.join("state.json").exists() {
            rename(&left, folder)?;
        }
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

#[cfg(test)]
mod tests {
    use burn::optim::AdamWConfig;
    use burn::tensor::Device;
    use dnd_model::GeneratorConfig;

    use super::*;
    use crate::collect::TuneSettings;
    use crate::test_data::small_layout;

    #[test]
    fn a_state_is_found_after_a_death_between_any_two_renames() {
        let header = StateHeader {
            progress: Progress {
                step: 7,
                losses: vec![0.5],
                norms: vec![0.25],
            },
            recipe: Recipe::default(),
            collection: CollectionHeader {
                layout: small_layout(),
                settings: TuneSettings::default(),
            },
            tasks: vec!["task".to_owned()],
        };
        let config = GeneratorConfig {
            features: vec![[2, 3, 4], [5, 2, 4]],
            kernel_size: 1,
            prompt_kernel_size: 1,
        };
        let device = Device::flex().autodiff();
        let generator = || config.init(0, &device);
        let optimizer = || AdamWConfig::new().init();
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("bundle.state");
        let step = |header: &StateHeader| {
            let (progress, _, _) = load(&folder, header, generator(), optimizer()).unwrap();
            progress.step
        };
        assert_eq!(step(&header), 0);
        for ending in [NEW, OLD] {
            save(&folder, &header, &generator(), &optimizer()).unwrap();
            fs::rename(&folder, beside(&folder, ending)).unwrap();
            assert_eq!(step(&header), 7, "{ending}");
        }
        let other = StateHeader {
            tasks: Vec::new(),
            ..header
        };
        assert!(load(&folder, &other, generator(), optimizer()).is_err());
        clear(&folder).unwrap();
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
    }
}
