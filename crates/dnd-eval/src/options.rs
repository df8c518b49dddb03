//! What an evaluation measures, and with which models.

use std::path::Path;

use burn::tensor::Device;
use dnd_model::AdapterGenerator;
use dnd_model::files::{Base, Encoder};
use dnd_tasks::{Asked, TaskFolder};
use dnd_train::Shard;
use dnd_train::collect::Collection;

use crate::Method;

/// What to measure.
pub struct EvaluateOptions<'a> {
    /// The tasks. Prompts and examples come from training lines, scores from test lines.
    pub tasks: &'a TaskFolder,
    /// Names of the tasks; if empty, all with role `dev`.
    pub only: Vec<String>,
    /// The part of these tasks to do.
    pub shard: Shard,
    /// The methods, in the order of the table's columns.
    pub methods: Vec<Method>,
    /// How the base model is asked. Tasks whose lines have no input are not asked bare.
    pub asked: Vec<Asked>,
    /// Maximum number of test lines per task.
    pub limit: Option<usize>,
    /// Maximum number of adapters for `mean` and `best`, spread evenly over the collection;
    /// `None` for all.
    pub mean_adapters: Option<usize>,
    /// Seed for sampling prompts and examples, and for the controls.
    pub seed: u64,
    /// The results file. Written after each measurement, and read to resume.
    pub json: &'a Path,
    /// Keep rows of the file that have the same inputs.
    pub resume: bool,
    /// Folder for adapters tuned by `few` and `full`; later runs reuse them.
    pub work: &'a Path,
}

/// Models and adapters to evaluate.
pub struct Sources<'a> {
    /// The base model.
    pub base: &'a Base,
    /// SHA-256 of its weights.
    pub base_hash: String,
    /// The text encoder, for methods that compare prompts.
    pub encoder: Option<&'a Encoder>,
    /// The generator of a bundle.
    pub generator: Option<&'a AdapterGenerator>,
    /// SHA-256 of the bundle; empty without a bundle.
    pub bundle_hash: String,
    /// The collection of training adapters.
    pub collection: Option<&'a Collection>,
    /// The device of the encoder.
    pub device: &'a Device,
}
