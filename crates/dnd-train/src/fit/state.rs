//! The state of an interrupted fit to a collection.

use std::path::Path;

use burn::module::Module;
use burn::optim::ModuleOptimizer;
use dnd_model::Generator;
use serde::{Deserialize, Serialize};

use super::Recipe;
use super::state_folder::{find, foreign, replace};
use crate::Error;
use crate::collect::CollectionHeader;

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
    replace(folder, header, |fresh| {
        let path = fresh.join("generator.bpk");
        let record = generator.clone().save_file(&path);
        record.map_err(|e| Error::content(&path, e))?;
        let path = fresh.join("optimizer.bpk");
        optimizer.save(&path).map_err(|e| Error::content(&path, e))
    })
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
    let Some(found) = find::<StateHeader>(folder)? else {
        return Ok((Progress::default(), generator, optimizer));
    };
    let comparable = StateHeader {
        progress: found.progress.clone(),
        ..header.clone()
    };
    if found != comparable {
        return Err(foreign(folder, "recipe and collection"));
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
    use std::fs;

    use burn::tensor::Device;
    use dnd_model::GeneratorConfig;
    use dnd_model::language::Products;

    use super::*;
    use crate::collect::TuneSettings;
    use crate::fit::state_folder::{NEW, OLD, beside, clear};
    use crate::optimizer::adam_w;
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
                products: Products::F32,
            },
            tasks: vec!["task".to_owned()],
        };
        let config = GeneratorConfig {
            features: vec![[2, 3, 4], [5, 2, 4]],
            kernel_size: 1,
            prompt_kernel_size: 1,
            basis: None,
        };
        let device = Device::flex().autodiff();
        let generator = || config.init(0, &device);
        let optimizer = || adam_w(0.1);
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
