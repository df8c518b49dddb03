//! The objective of the paper (section 3.4): the weights of collected adapters.
//!
//! Every step draws pairs of prompts and a checkpoint of their task; the loss is the squared error
//! of normalized weight tokens, weighted by their deviation over the checkpoints.

mod data;

use std::path::Path;

use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor};
use dnd_adapter::{Bundle, EncoderId, Precision};
use dnd_files::Observer;
use dnd_model::files::Encoder;
use dnd_model::{Generator, GeneratorConfig};
use rand::SeedableRng;
use rand_chacha::ChaCha12Rng;
use serde_json::{Map, Value, json};

use crate::checkpoint::{load_module, load_optimizer, save_module, save_optimizer};
use crate::collect::{Collection, Manifest};
use crate::curve::CurvePoint;
use crate::optimizer::adam_w;
use crate::pack::{Parts, pack};
use crate::recipe::WeightsSettings;
use crate::schedule::warm_up_then_cosine;
use crate::trainer::{self, Identity, Losses, Objective, Schedule, StepFigures, ValidationLosses};
use crate::values::{mean, scalar};
use crate::{Error, Processes, Recipe, gradients};
use data::TrainingData;

/// Largest number of tasks that a validation loss is taken over.
const VALIDATION_TASKS: usize = 8;

/// Files of a checkpoint.
const GENERATOR: &str = "generator.bpk";
const OPTIMIZER: &str = "optimizer.bpk";

/// Trains a generator on a collection and writes the bundle `out`; beside it the loss curve as
/// `.csv` and `.svg`. Resumes an interrupted run of the same recipe. `processes` share each batch.
///
/// # Errors
/// When a file is missing or malformed; [`dnd_files::Error::Cancelled`] after a checkpoint.
pub fn train_weights(
    collection: Collection,
    encoder: &Encoder,
    recipe: &Recipe,
    out: &Path,
    device: &Device,
    processes: &dyn Processes,
    observer: &dyn Observer,
) -> Result<Bundle, Error> {
    dnd_files::check_output(out, &["csv", "svg"])?;
    let tasks = collection.training_tasks()?;
    let identity = Identity::new(
        &collection.header.layout,
        inputs(&collection, &tasks, recipe),
    )?;
    if let Some(finished) = identity.finished(out, observer)? {
        return Ok(finished);
    }
    let settings = &recipe.weights;
    let config = recipe
        .generator
        .config(encoder.model.hidden_size(), &collection.header.layout)?;
    let data = TrainingData::open(collection, tasks, encoder, recipe, device, observer)?;
    let generator = config.init(settings.seed, &device.clone().autodiff());
    let objective = Weights {
        recipe,
        processes,
        token_weights: data.token_weights(),
        data,
        encoder: encoder.id()?,
        config,
        generator,
        optimizer: adam_w(settings.weight_decay.into()),
    };
    trainer::train(objective, &identity, out, processes, observer)
}

/// What decides a bundle, for its provenance.
fn inputs(collection: &Collection, tasks: &[Manifest], recipe: &Recipe) -> Map<String, Value> {
    let tasks: Vec<&str> = tasks.iter().map(|task| task.task.as_str()).collect();
    let recipe = json!({ "generator": recipe.generator, "weights": recipe.weights });
    let header = &collection.header;
    [
        ("objective", json!("weights")),
        ("recipe", recipe),
        ("collected_with", json!(header.settings)),
        ("matmul_dtype", json!(header.matmul_dtype)),
        ("tasks", json!(tasks)),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into_iter()
    .collect()
}

struct Weights<'a> {
    recipe: &'a Recipe,
    processes: &'a dyn Processes,
    data: TrainingData,
    /// (1, T, 1, 1).
    token_weights: Tensor<4>,
    encoder: EncoderId,
    config: GeneratorConfig,
    generator: Generator,
    optimizer: ModuleOptimizer,
}

impl Weights<'_> {
    fn settings(&self) -> &WeightsSettings {
        &self.recipe.weights
    }

    /// Gradients and loss of a batch: those of this process's share, added up over all processes.
    fn gradients(
        &self,
        condition: Tensor<4>,
        target: Tensor<4>,
    ) -> Result<(GradientsParams, f32), Error> {
        let processes = self.processes;
        let [batch, ..] = condition.dims();
        let own: Vec<i32> = processes.share(0..batch as i32).collect();
        let (mut gradients, mut figures) = (GradientsParams::new(), [0.0]);
        if !own.is_empty() {
            let part = own.len() as f32 / batch as f32;
            let own = Tensor::from_data(own.as_slice(), &condition.device());
            let (condition, target) = (condition.select(0, own.clone()), target.select(0, own));
            let loss = self.error(self.generator.forward(condition), target) * part;
            gradients = GradientsParams::from_grads(loss.backward(), &self.generator);
            figures = [scalar(loss)?];
        }
        gradients::sum(&self.generator, &mut gradients, &mut figures, processes)?;
        Ok((gradients, figures[0]))
    }

    /// Mean squared error of (B, T, rows, columns), each token weighted.
    fn error(&self, output: Tensor<4>, target: Tensor<4>) -> Tensor<1> {
        ((output - target).square() * self.token_weights.clone()).mean()
    }
}

impl Objective for Weights<'_> {
    const UNIT: &'static str = "weighted mean squared error";
    const VALIDATED: &'static str = "unseen prompts";

    fn schedule(&self) -> Schedule {
        Schedule {
            steps: self.settings().steps,
            report_every: self.settings().report_every,
            patience: 0,
        }
    }

    fn rate(&self, step: usize) -> f64 {
        let settings = self.settings();
        settings.rate * warm_up_then_cosine(step, settings.steps, settings.warm_up)
    }

    fn step(&mut self, step: usize) -> Result<StepFigures, Error> {
        let settings = &self.recipe.weights;
        let mut random = ChaCha12Rng::seed_from_u64(settings.seed.wrapping_add(1 + step as u64));
        let (condition, target) = self.data.draw(settings, &mut random)?;
        let (mut gradients, loss) = self.gradients(condition, target)?;
        let norm = gradients::clip(&self.generator, &mut gradients, settings.clip)?;
        if !(loss.is_finite() && norm.is_finite()) {
            return Err(Error::Diverged { step });
        }
        let (rate, generator) = (self.rate(step), self.generator.clone());
        self.generator = self.optimizer.step(rate, generator, gradients);
        Ok(StepFigures {
            loss,
            generator_norm: Some(norm),
            mean_norm: None,
            size: None,
            tokens: 0,
        })
    }

    fn validate(&self) -> Result<ValidationLosses, Error> {
        let generator = self.generator.valid();
        // The same draws every time, so that losses can be compared along the curve.
        let mut random = ChaCha12Rng::seed_from_u64(self.settings().seed);
        let tasks = self.data.manifests().len();
        let mut losses = Vec::new();
        for task in (0..tasks).step_by(tasks.div_ceil(VALIDATION_TASKS)) {
            let (condition, target) = self.data.validation(task, self.settings(), &mut random)?;
            losses.push(scalar(self.error(generator.forward(condition), target))?);
        }
        Ok(ValidationLosses {
            full: Losses {
                generated: Some(mean(&losses)),
                ..Losses::default()
            },
            ..ValidationLosses::default()
        })
    }

    fn pack(&self, inputs: Map<String, Value>, point: &CurvePoint) -> Result<Bundle, Error> {
        let parts = Parts {
            generator: &self.generator,
            config: &self.config,
            recipe: &self.recipe.generator,
            layout: &self.data.collection().header.layout,
            base: None,
            encoder: &self.encoder,
            statistics: &self.data.statistics,
            storage: Precision::F16.into(),
            task_embeddings: self.data.task_embeddings(self.settings())?,
            ships: self.data.manifests().iter().all(|task| task.ship),
        };
        pack(parts, inputs, point)
    }

    fn save(&self, folder: &Path) -> Result<(), Error> {
        save_module(&folder.join(GENERATOR), &self.generator)?;
        save_optimizer(&folder.join(OPTIMIZER), &self.optimizer)
    }

    fn load(&mut self, folder: &Path) -> Result<(), Error> {
        self.generator = load_module(&folder.join(GENERATOR), self.generator.clone())?;
        self.optimizer = load_optimizer(&folder.join(OPTIMIZER), self.optimizer.clone())?;
        Ok(())
    }
}
