//! A fit in progress: weights, optimisers, figures since the last report.

use burn::optim::ModuleOptimizer;
use burn::tensor::Device;

use super::data::BehaviourData;
use super::learner::{Learner, MeanTokens};
use super::objective::StepGradients;
use super::plan::Plan;
use super::state::{Best, Progress};
use crate::fit::BehaviourSettings;
use crate::fit::directions::set_directions;
use crate::fit::schedule::warm_up_then_cosine;
use crate::optimizer::adam_w;
use crate::{Error, gradients};

/// All that changes while fitting.
pub struct Fitting {
    /// The weights.
    pub learner: Learner,
    /// The generator's optimiser.
    pub generator_optimizer: ModuleOptimizer,
    /// The mean adapter's optimiser.
    pub mean_optimizer: ModuleOptimizer,
    /// Steps and figures.
    pub progress: Progress,
    /// The bundle of the best point so far, as a file.
    pub best_bundle: Option<Vec<u8>>,
}

impl Fitting {
    /// A fit to `data` before its first step, on a device that does not record gradients.
    ///
    /// # Errors
    /// When the weights to start from have other shapes than the plan's.
    pub fn new(plan: &Plan, data: &BehaviourData, device: &Device) -> Result<Self, Error> {
        let settings = &plan.recipe.behaviour;
        let beginning = &plan.beginning;
        let recording = device.clone().autodiff();
        let generator = match &beginning.generator {
            Some(tensors) => plan.config.load(tensors, "start", &recording)?,
            None => {
                let mut generator = plan.config.init(settings.seed, &recording);
                set_directions(&mut generator, &data.task_embeddings());
                generator
            }
        };
        Ok(Self {
            learner: Learner {
                generator,
                mean: MeanTokens::new(beginning.mean.clone(), plan.config.output(), &recording),
                scale: Learner::scale(&beginning.scale, device),
            },
            generator_optimizer: adam_w(settings.weight_decay),
            mean_optimizer: adam_w(settings.mean_weight_decay),
            progress: Progress::default(),
            best_bundle: None,
        })
    }

    /// The learning rate of the generator at the coming step.
    pub fn rate(&self, settings: &BehaviourSettings) -> f64 {
        settings.rate * self.part_of_rate(settings)
    }

    fn part_of_rate(&self, settings: &BehaviourSettings) -> f64 {
        let steps = settings.decay_steps.unwrap_or(settings.steps);
        warm_up_then_cosine(self.progress.step, steps, settings.warm_up)
    }

    /// Takes a step.
    ///
    /// # Errors
    /// [`Error::Diverged`], or when values cannot be read back from the device.
    pub fn step(&mut self, step: StepGradients, settings: &BehaviourSettings) -> Result<(), Error> {
        let part = self.part_of_rate(settings);
        let clip = settings.clip as f32;
        let progress = &mut self.progress;
        let learner = &mut self.learner;
        let mut of_mean = step.mean;
        let mean_norm = gradients::clip(&learner.mean, &mut of_mean, clip)?;
        let mut of_generator = step.generator;
        let generator_norm = of_generator
            .as_mut()
            .map(|gradients| gradients::clip(&learner.generator, gradients, clip))
            .transpose()?;
        let figures = [step.loss, mean_norm, generator_norm.unwrap_or_default()];
        if !figures.iter().all(|figure| figure.is_finite()) {
            return Err(Error::Diverged {
                step: progress.step,
            });
        }
        learner.mean =
            self.mean_optimizer
                .step(settings.mean_rate * part, learner.mean.clone(), of_mean);
        if let Some(of_generator) = of_generator {
            let generator = learner.generator.clone();
            learner.generator =
                self.generator_optimizer
                    .step(settings.rate * part, generator, of_generator);
        }
        progress.step += 1;
        progress.losses.push(step.loss);
        progress.mean_norms.push(mean_norm);
        progress.generator_norms.extend(generator_norm);
        progress.sizes.extend(step.size);
        Ok(())
    }

    /// Records a validation loss; says whether it is the best so far.
    pub fn record(&mut self, loss: f32) -> bool {
        match &mut self.progress.best {
            // A loss that is not a number is never better.
            Some(best) if loss.is_nan() || loss >= best.loss => {
                best.reports_since += 1;
                false
            }
            best => {
                *best = Some(Best {
                    step: self.progress.step,
                    loss,
                    reports_since: 0,
                });
                true
            }
        }
    }

    /// Whether there is nothing left to do.
    pub fn is_finished(&self, settings: &BehaviourSettings) -> bool {
        self.progress.step >= settings.steps || self.is_past_its_best(settings)
    }

    /// Whether the validation loss has not become better for too long.
    fn is_past_its_best(&self, settings: &BehaviourSettings) -> bool {
        let best = self.progress.best;
        settings.patience > 0 && best.is_some_and(|best| best.reports_since >= settings.patience)
    }
}
