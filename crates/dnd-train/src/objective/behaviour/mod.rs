//! The objective of behaviour: how well the base model answers under generated adapters.
//!
//! The frozen base model answers examples of a task under the adapter that the generator makes of
//! the task's prompts; the gradient of the cross-entropy flows into the generator and into the mean
//! adapter that its output is added to (after Text-to-LoRA, Charakorn et al., arXiv 2506.06105). No
//! collected adapters are needed, so many tasks cost no more than their files.
//!
//! ```text
//! adapter = mean + scale * generator(condition)
//! ```

mod condition;
mod data;
mod factors;
mod learner;
mod loss;
pub(crate) mod settings;
mod start;
mod tasks;
#[cfg(test)]
mod tests;
mod validate;

use std::cmp::Reverse;
use std::path::Path;

use burn::optim::ModuleOptimizer;
use dnd_adapter::{BaseDimensions, Bundle, EncoderId, Layout, Statistics, Storage};
use dnd_files::Observer;
use dnd_model::GeneratorConfig;
use dnd_model::files::{Base, Encoder};
use dnd_tasks::TaskFolder;
use rand::SeedableRng;
use rand_chacha::ChaCha12Rng;
use serde_json::{Map, Value, json};

use crate::checkpoint::{load_module, load_optimizer, save_module, save_optimizer};
use crate::curve::CurvePoint;
use crate::optimizer::adam_w;
use crate::pack::{Parts, pack};
use crate::schedule::warm_up_then_cosine;
use crate::trainer::{self, Identity, Objective, Schedule, StepFigures, ValidationLosses};
use crate::{Error, Processes, Recipe, gradients};
use data::BehaviourData;
use learner::{Learner, MeanTokens};
use loss::{Drawn, StepGradients, TaskLoss};
use start::Beginning;
use tasks::Choice;
use validate::validation_losses;

pub use settings::BehaviourSettings;
pub use start::Start;

/// What to train on and how.
pub struct BehaviourOptions<'a> {
    /// Folders of tasks; those with role `train` are taken.
    pub tasks: &'a [TaskFolder],
    /// Take only tasks whose licence lets weights trained on them be given away, whatever the
    /// recipe says.
    pub ship: bool,
    /// Names of tasks that are left out, to validate with.
    pub held_out: Vec<String>,
    /// Most tasks to train on, spread over all.
    pub max_tasks: Option<usize>,
    /// What to start from.
    pub start: Start,
    /// The settings.
    pub recipe: &'a Recipe,
    /// The bundle to write; beside it come the loss curve as `.csv` and `.svg`.
    pub out: &'a Path,
}

/// Trains a generator, and the mean adapter that its differences are added to, on tasks. Resumes an
/// interrupted run of the same recipe, start and tasks. Where tasks are held out, the bundle holds
/// the weights with the lowest loss on them. `processes` share the tasks of each step.
///
/// # Errors
/// When a file is missing or malformed, or an option cannot be used;
/// [`dnd_files::Error::Cancelled`] after a checkpoint.
pub fn train_behaviour(
    base: &Base,
    encoder: &Encoder,
    options: &BehaviourOptions,
    processes: &dyn Processes,
    observer: &dyn Observer,
) -> Result<Bundle, Error> {
    dnd_files::check_output(options.out, &["csv", "svg"])?;
    let plan = Plan::new(base, encoder, options)?;
    let identity = Identity::new(&plan.layout, plan.inputs(base))?;
    if let Some(finished) = identity.finished(options.out, observer)? {
        return Ok(finished);
    }
    let data = BehaviourData::open(&plan.choice, base, encoder, plan.recipe, observer)?;
    let objective = Behaviour::new(&plan, base, encoder, data, processes)?;
    trainer::train(objective, &identity, options.out, processes, observer)
}

/// All that decides a run before its first step.
struct Plan<'a> {
    recipe: &'a Recipe,
    layout: Layout,
    dimensions: BaseDimensions,
    config: GeneratorConfig,
    choice: Choice<'a>,
    beginning: Beginning,
}

impl<'a> Plan<'a> {
    /// Chooses the tasks and reads the start.
    fn new(base: &Base, encoder: &Encoder, options: &'a BehaviourOptions) -> Result<Self, Error> {
        let recipe = options.recipe;
        recipe.behaviour.validate()?;
        let ship = options.ship || recipe.collect.ship;
        let choice = Choice::new(options.tasks, ship, &options.held_out, options.max_tasks)?;
        let dimensions = base.model.config().dimensions.clone();
        let layout = Layout::new(
            &base.name,
            &dimensions,
            recipe.collect.rank,
            recipe.collect.alpha,
            &recipe.collect.targets,
        )?;
        let config = recipe
            .generator
            .config(encoder.model.hidden_size(), &layout)?;
        let beginning = options.start.open(&layout, &config, encoder, recipe)?;
        Ok(Self {
            recipe,
            layout,
            dimensions,
            config,
            choice,
            beginning,
        })
    }

    /// What decides a bundle, for its provenance.
    fn inputs(&self, base: &Base) -> Map<String, Value> {
        let recipe = json!({
            "generator": self.recipe.generator,
            "behaviour": self.recipe.behaviour,
        });
        [
            ("objective", json!("behaviour")),
            ("recipe", recipe),
            ("start", json!(self.beginning.fingerprint)),
            ("tasks", json!(self.choice.training_names())),
            ("held_out", json!(self.choice.held_out_names())),
            ("matmul_dtype", json!(base.matmul_dtype)),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into_iter()
        .collect()
    }
}

/// Files of a checkpoint.
const GENERATOR: &str = "generator.bpk";
const MEAN: &str = "mean.bpk";
const GENERATOR_AVERAGE: &str = "generator_average.bpk";
const MEAN_AVERAGE: &str = "mean_average.bpk";
const GENERATOR_OPTIMIZER: &str = "generator_optimizer.bpk";
const MEAN_OPTIMIZER: &str = "mean_optimizer.bpk";

struct Behaviour<'a> {
    plan: &'a Plan<'a>,
    processes: &'a dyn Processes,
    data: BehaviourData,
    loss: TaskLoss<'a>,
    encoder: EncoderId,
    learner: Learner,
    /// The running average of what is learned.
    average: Learner,
    generator_optimizer: ModuleOptimizer,
    mean_optimizer: ModuleOptimizer,
}

impl<'a> Behaviour<'a> {
    /// The objective before its first step.
    ///
    /// # Errors
    /// When the weights to start from have other shapes than the plan's.
    fn new(
        plan: &'a Plan<'a>,
        base: &'a Base,
        encoder: &Encoder,
        data: BehaviourData,
        processes: &'a dyn Processes,
    ) -> Result<Self, Error> {
        let settings = &plan.recipe.behaviour;
        let beginning = &plan.beginning;
        let device = base.model.device();
        let recording = device.clone().autodiff();
        let generator = match &beginning.generator {
            Some(tensors) => plan.config.load(tensors, "start", &recording)?,
            None => {
                let mut generator = plan.config.init(settings.seed, &recording);
                if let Some(pooling) = generator.pooling_mut() {
                    let (mean, deviation) = data.token_statistics()?;
                    pooling.set_statistics(mean, deviation);
                }
                generator
            }
        };
        let learner = Learner {
            generator,
            mean: MeanTokens::new(beginning.mean.clone(), plan.config.output(), &recording),
            scale: Learner::scale(&beginning.scale, device),
        };
        Ok(Self {
            loss: TaskLoss::new(&base.model, &plan.layout, settings),
            encoder: encoder.id()?,
            average: learner.clone(),
            learner,
            generator_optimizer: adam_w(settings.weight_decay),
            mean_optimizer: adam_w(settings.mean_weight_decay),
            plan,
            processes,
            data,
        })
    }

    fn settings(&self) -> &'a BehaviourSettings {
        &self.plan.recipe.behaviour
    }

    /// Loss and gradients of a step: those of this process's share of the tasks, added up over all
    /// processes.
    fn gradients(&self, drawn: &[Drawn]) -> Result<StepGradients, Error> {
        let (learner, processes) = (&self.learner, self.processes);
        let mut order: Vec<&Drawn> = drawn.iter().collect();
        if processes.count() > 1 {
            // As the cores of one process do, and as large shares for each process.
            order.sort_by_key(|task| Reverse(task.tokens()));
        }
        let own: Vec<&Drawn> = processes.share(order).collect();
        let conditions = drawn.iter().filter(|task| task.condition.is_some()).count();
        let counts = (drawn.len(), conditions);
        let mut step = self.loss.gradients(learner, &own, counts)?;

        let mut figures = [step.loss, step.square];
        gradients::sum(&learner.mean, &mut step.mean, &mut figures, processes)?;
        if conditions > 0 {
            let generator = step.generator.get_or_insert_default();
            gradients::sum(&learner.generator, generator, &mut [], processes)?;
        }
        [step.loss, step.square] = figures;
        Ok(step)
    }

    /// The part of the full rates at `step`.
    fn part_of_rate(&self, step: usize) -> f64 {
        let settings = self.settings();
        let steps = settings.decay_steps.unwrap_or(settings.steps);
        warm_up_then_cosine(step, steps, settings.warm_up)
    }
}

impl Objective for Behaviour<'_> {
    const UNIT: &'static str = "cross-entropy in nats a token";
    const VALIDATED: &'static str = "held-out tasks";

    fn schedule(&self) -> Schedule {
        let settings = self.settings();
        Schedule {
            steps: settings.steps,
            report_every: settings.report_every,
            patience: settings.patience,
        }
    }

    fn rate(&self, step: usize) -> f64 {
        self.settings().rate * self.part_of_rate(step)
    }

    fn step(&mut self, step: usize) -> Result<StepFigures, Error> {
        let settings = self.settings();
        let mut random = ChaCha12Rng::seed_from_u64(settings.seed.wrapping_add(1 + step as u64));
        let drawn = self.data.draw(settings, &mut random)?;
        let mut gradients = self.gradients(&drawn)?;

        let clip = settings.clip as f32;
        let learner = &mut self.learner;
        let mean_norm = gradients::clip(&learner.mean, &mut gradients.mean, clip)?;
        let mut grad_generator = gradients.generator;
        let generator_norm = grad_generator
            .as_mut()
            .map(|gradients| gradients::clip(&learner.generator, gradients, clip))
            .transpose()?;
        let figures = [
            gradients.loss,
            mean_norm,
            generator_norm.unwrap_or_default(),
        ];
        if !figures.iter().all(|figure| figure.is_finite()) {
            return Err(Error::Diverged { step });
        }
        let part = self.part_of_rate(step);
        let learner = &mut self.learner;
        let rate = settings.mean_rate * part;
        learner.mean = self
            .mean_optimizer
            .step(rate, learner.mean.clone(), gradients.mean);
        if let Some(gradients) = grad_generator {
            let generator = learner.generator.clone();
            learner.generator =
                self.generator_optimizer
                    .step(settings.rate * part, generator, gradients);
        }
        // The first weights are soon forgotten.
        let keep = settings
            .averaging
            .min((1 + step) as f64 / (10 + step) as f64) as f32;
        self.average = self.average.clone().average(&self.learner, keep);
        Ok(StepFigures {
            loss: gradients.loss,
            generator_norm,
            mean_norm: Some(mean_norm),
            size: generator_norm.map(|_| gradients.square.sqrt()),
            tokens: drawn.iter().map(Drawn::tokens).sum(),
        })
    }

    fn validate(&self) -> Result<ValidationLosses, Error> {
        let (data, settings) = (&self.data, self.settings());
        validation_losses(&self.loss, &self.average, data, settings, self.processes)
    }

    fn pack(&self, inputs: Map<String, Value>, point: &CurvePoint) -> Result<Bundle, Error> {
        let parts = Parts {
            generator: &self.average.generator,
            config: &self.plan.config,
            recipe: &self.plan.recipe.generator,
            layout: &self.plan.layout,
            base: Some(&self.plan.dimensions),
            encoder: &self.encoder,
            statistics: &Statistics {
                mean: self.average.mean.to_vec()?,
                scale: self.plan.beginning.scale.clone(),
            },
            storage: Storage::Int8,
            task_embeddings: self.data.task_embeddings(),
            ships: self.plan.choice.all_ship() && self.plan.beginning.ships,
        };
        pack(parts, inputs, point)
    }

    fn save(&self, folder: &Path) -> Result<(), Error> {
        save_module(&folder.join(GENERATOR), &self.learner.generator)?;
        save_module(&folder.join(MEAN), &self.learner.mean)?;
        save_module(&folder.join(GENERATOR_AVERAGE), &self.average.generator)?;
        save_module(&folder.join(MEAN_AVERAGE), &self.average.mean)?;
        save_optimizer(&folder.join(GENERATOR_OPTIMIZER), &self.generator_optimizer)?;
        save_optimizer(&folder.join(MEAN_OPTIMIZER), &self.mean_optimizer)
    }

    fn load(&mut self, folder: &Path) -> Result<(), Error> {
        let learner = &mut self.learner;
        learner.generator = load_module(&folder.join(GENERATOR), learner.generator.clone())?;
        learner.mean = load_module(&folder.join(MEAN), learner.mean.clone())?;
        let average = &mut self.average;
        let generator = average.generator.clone();
        average.generator = load_module(&folder.join(GENERATOR_AVERAGE), generator)?;
        average.mean = load_module(&folder.join(MEAN_AVERAGE), average.mean.clone())?;
        self.generator_optimizer = load_optimizer(
            &folder.join(GENERATOR_OPTIMIZER),
            self.generator_optimizer.clone(),
        )?;
        self.mean_optimizer =
            load_optimizer(&folder.join(MEAN_OPTIMIZER), self.mean_optimizer.clone())?;
        Ok(())
    }
}
