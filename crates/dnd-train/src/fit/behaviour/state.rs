//! The state of an interrupted fit through behaviour.

use std::path::Path;

use burn::module::Module;
use burn::optim::ModuleOptimizer;
use dnd_adapter::Layout;
use dnd_model::language::Products;
use serde::{Deserialize, Serialize};

use super::fitting::Fitting;
use crate::fit::Recipe;
use crate::fit::state_folder::{find, foreign, replace};
use crate::{Error, files};

/// Where a fit stands, and what must be the same for it to be gone on with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BehaviourHeader {
    /// How far it is.
    pub progress: Progress,
    /// The recipe of the run.
    pub recipe: Recipe,
    /// What the adapters cover.
    pub layout: Layout,
    /// What it started from.
    pub start: String,
    /// The tasks that are trained on.
    pub tasks: Vec<String>,
    /// The tasks that validate.
    pub held_out: Vec<String>,
    /// How the base model multiplies.
    pub products: Products,
}

/// How far a fit is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Steps that are done.
    pub step: usize,
    /// Losses of the steps since the last point of the curve.
    pub losses: Vec<f32>,
    /// Gradient norms of the generator in the same steps, where it had any.
    pub generator_norms: Vec<f32>,
    /// Gradient norms of the mean adapter in the same steps.
    pub mean_norms: Vec<f32>,
    /// Sizes of the generator's output in the same steps, where there was any.
    pub sizes: Vec<f32>,
    /// The best validation loss so far.
    pub best: Option<Best>,
}

/// The best point of a fit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// Steps done there.
    pub step: usize,
    /// Its validation loss.
    pub loss: f32,
    /// Reports since then.
    pub reports_since: usize,
}

/// Files of a state, besides the header.
const GENERATOR: &str = "generator.bpk";
const MEAN: &str = "mean.bpk";
const GENERATOR_OPTIMIZER: &str = "generator_optimizer.bpk";
const MEAN_OPTIMIZER: &str = "mean_optimizer.bpk";
/// The bundle of the best point.
const BEST: &str = "best.safetensors";

/// Saves a state; an older one is replaced only by a whole one.
///
/// # Errors
/// When a file cannot be written.
pub fn save(folder: &Path, header: &BehaviourHeader, fitting: &Fitting) -> Result<(), Error> {
    let header = BehaviourHeader {
        progress: fitting.progress.clone(),
        ..header.clone()
    };
    replace(folder, &header, |fresh| {
        save_module(&fresh.join(GENERATOR), &fitting.learner.generator)?;
        save_module(&fresh.join(MEAN), &fitting.learner.mean)?;
        save_optimizer(
            &fresh.join(GENERATOR_OPTIMIZER),
            &fitting.generator_optimizer,
        )?;
        save_optimizer(&fresh.join(MEAN_OPTIMIZER), &fitting.mean_optimizer)?;
        match &fitting.best_bundle {
            Some(bundle) => files::write(&fresh.join(BEST), bundle),
            None => Ok(()),
        }
    })
}

/// Loads the state of `folder`, if there is one, into a fit of the same sizes.
///
/// # Errors
/// When the state belongs to another recipe, other tasks or another start, or cannot be read.
pub fn load(
    folder: &Path,
    header: &BehaviourHeader,
    mut fitting: Fitting,
) -> Result<Fitting, Error> {
    let Some(found) = find::<BehaviourHeader>(folder)? else {
        return Ok(fitting);
    };
    let comparable = BehaviourHeader {
        progress: found.progress.clone(),
        ..header.clone()
    };
    if found != comparable {
        return Err(foreign(folder, "recipe, start, products and set of tasks"));
    }
    let learner = &mut fitting.learner;
    learner.generator = load_module(&folder.join(GENERATOR), learner.generator.clone())?;
    learner.mean = load_module(&folder.join(MEAN), learner.mean.clone())?;
    fitting.generator_optimizer = load_optimizer(
        &folder.join(GENERATOR_OPTIMIZER),
        fitting.generator_optimizer,
    )?;
    fitting.mean_optimizer = load_optimizer(&folder.join(MEAN_OPTIMIZER), fitting.mean_optimizer)?;
    fitting.progress = found.progress;
    if fitting.progress.best.is_some() {
        fitting.best_bundle = Some(files::read(&folder.join(BEST))?);
    }
    Ok(fitting)
}

fn save_module<M: Module>(path: &Path, module: &M) -> Result<(), Error> {
    let saved = module.clone().save_file(path);
    saved.map_err(|e| Error::content(path, e))
}

fn load_module<M: Module>(path: &Path, module: M) -> Result<M, Error> {
    module
        .try_load_file(path)
        .map_err(|e| Error::content(path, e))
}

/// An optimiser that has not taken a step has nothing to save.
fn save_optimizer(path: &Path, optimizer: &ModuleOptimizer) -> Result<(), Error> {
    let record = optimizer.to_record();
    if record.is_empty() {
        return Ok(());
    }
    record.save(path).map_err(|e| Error::content(path, e))
}

fn load_optimizer(path: &Path, optimizer: ModuleOptimizer) -> Result<ModuleOptimizer, Error> {
    if !path.exists() {
        return Ok(optimizer);
    }
    optimizer.load(path).map_err(|e| Error::content(path, e))
}
