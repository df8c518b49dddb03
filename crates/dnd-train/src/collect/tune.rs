//! Fine-tuning one adapter.

use burn::optim::{GradientsAccumulator, ModuleOptimizer};
use dnd_adapter::Adapter;
use dnd_model::LanguageModel;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha12Rng;
use serde::{Deserialize, Serialize};

use super::LoraParameters;
use dnd_tasks::Asked;

use crate::answer_gradients::AnswerGradients;
use crate::example::{Example, ExampleBatch};
use crate::optimizer::adam_w;
use crate::validate::{not_negative, positive};
use crate::workers::Workers;
use crate::{Error, gradients};

/// How an adapter is fine-tuned and snapshots are taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TuneSettings {
    /// Steps before the first snapshot.
    pub steps: usize,
    /// Snapshots, one after each further step at a tenth of the rate.
    pub snapshots: usize,
    /// Examples a step.
    pub batch: usize,
    /// How the lines are asked; with both ways, each line is two examples. Lines without an input
    /// are not asked bare.
    pub asked: Vec<Asked>,
    /// Learning rate after warm-up.
    pub rate: f64,
    /// Steps over which the rate rises from zero.
    pub warm_up: usize,
    /// Decoupled weight decay of AdamW.
    pub weight_decay: f32,
    /// Largest norm of all gradients together.
    pub clip: f32,
    /// Most tokens computed at once on each core, padding and shared tokens included; a larger
    /// batch is accumulated, a longer example is computed alone. Bounds memory.
    pub token_limit: usize,
    /// Keep less in memory: the states between layers alone, so that each layer is computed again
    /// for its gradients. Takes one more forward pass, and makes the same
    /// adapter but for rounding.
    #[serde(skip_serializing)]
    pub recompute: bool,
    /// Seed of the initial adapter and of the order of examples.
    pub seed: u64,
}

impl Default for TuneSettings {
    fn default() -> Self {
        Self {
            steps: 48,
            snapshots: 50,
            batch: 10,
            asked: vec![Asked::Full],
            rate: 2e-3,
            warm_up: 4,
            weight_decay: 0.01,
            clip: 1.0,
            token_limit: 768,
            recompute: false,
            seed: 0,
        }
    }
}

/// More steps than this are a mistake.
const MAX_STEPS: usize = 1_000_000;

impl TuneSettings {
    /// Checks that the settings can be tuned with.
    ///
    /// # Errors
    /// [`dnd_files::Error::Argument`] naming the field that cannot.
    pub fn validate(&self) -> Result<(), Error> {
        for (field, value, least) in [
            ("steps", self.steps, 0),
            ("snapshots", self.snapshots, 1),
            ("batch", self.batch, 1),
            ("warm_up", self.warm_up, 0),
            ("token_limit", self.token_limit, 1),
        ] {
            if !(least..=MAX_STEPS).contains(&value) {
                let expected = format!("{least} to {MAX_STEPS}");
                return Err(Error::argument(field, &expected, value));
            }
        }
        positive("rate", self.rate)?;
        positive("clip", self.clip.into())?;
        not_negative("weight_decay", self.weight_decay.into())
    }
}

/// What one step did.
#[derive(Debug, Clone, Copy)]
pub struct StepReport {
    /// Mean cross-entropy of the answer tokens, in nats.
    pub loss: f32,
    /// Norm of all gradients before clipping.
    pub gradient_norm: f32,
    /// Tokens of the examples, prompts included.
    pub tokens: usize,
}

/// One fine-tuning in progress.
pub struct Tuner<'a> {
    answers: AnswerGradients<'a>,
    settings: &'a TuneSettings,
    parameters: LoraParameters,
    optimizer: ModuleOptimizer,
    examples: &'a [Example],
    order: Vec<usize>,
    random: ChaCha12Rng,
    step: usize,
    workers: Workers,
}

impl<'a> Tuner<'a> {
    /// Starts from `initial`; its layout is the adapter's.
    pub fn new(
        model: &'a LanguageModel,
        initial: &'a Adapter,
        examples: &'a [Example],
        settings: &'a TuneSettings,
    ) -> Self {
        let device = model.device().clone().autodiff();
        Self {
            answers: AnswerGradients {
                model,
                layout: &initial.layout,
                recompute: settings.recompute,
            },
            settings,
            parameters: LoraParameters::new(initial, &device),
            optimizer: adam_w(settings.weight_decay.into()),
            examples,
            order: Vec::new(),
            random: ChaCha12Rng::seed_from_u64(settings.seed),
            step: 0,
            workers: Workers::new(model.device()),
        }
    }

    /// The learning rate of the coming step: warm-up, full rate, then a tenth for snapshots.
    fn rate(&self) -> f64 {
        let warm = (self.step + 1) as f64 / (self.settings.warm_up + 1) as f64;
        if self.step >= self.settings.steps {
            self.settings.rate / 10.0
        } else {
            self.settings.rate * warm.min(1.0)
        }
    }

    /// Takes one step on the next batch of examples.
    ///
    /// # Errors
    /// When values cannot be read back from the device.
    pub fn step(&mut self) -> Result<StepReport, Error> {
        let mut batch = self.next_batch();
        batch.sort_by_key(|example| example.tokens.len());
        let answers: usize = batch.iter().map(|example| example.answer().len()).sum();
        let factors = self.parameters.factors();
        let parts = self.workers.map(&batch, |share| {
            ExampleBatch::split(share, self.settings.token_limit)
                .iter()
                .map(|part| {
                    let weights = vec![1.0 / answers as f32; part.answers().len()];
                    self.answers.compute(part, &weights, &factors)
                })
                .collect::<Result<Vec<_>, Error>>()
        });
        let mut accumulator = GradientsAccumulator::new();
        let mut loss = 0.0;
        for part in parts {
            for (part_loss, gradients) in part? {
                loss += part_loss;
                let gradients = self.parameters.gradients(gradients);
                accumulator.accumulate(&self.parameters, gradients);
            }
        }
        let mut gradients = accumulator.grads();
        let gradient_norm = gradients::clip(&self.parameters, &mut gradients, self.settings.clip)?;
        if !(loss.is_finite() && gradient_norm.is_finite()) {
            return Err(Error::Diverged { step: self.step });
        }
        let rate = self.rate();
        self.parameters = self
            .optimizer
            .step(rate, self.parameters.clone(), gradients);
        self.step += 1;
        Ok(StepReport {
            loss,
            gradient_norm,
            tokens: batch.iter().map(|example| example.tokens.len()).sum(),
        })
    }

    /// The adapter as it is now.
    ///
    /// # Errors
    /// When values cannot be read back from the device.
    pub fn adapter(&self) -> Result<Adapter, Error> {
        Ok(self.parameters.to_adapter(self.answers.layout)?)
    }

    /// The next examples in shuffled order; shuffled again after each round.
    fn next_batch(&mut self) -> Vec<&'a Example> {
        (0..self.settings.batch)
            .map(|_| {
                if self.order.is_empty() {
                    self.order = (0..self.examples.len()).collect();
                    self.order.shuffle(&mut self.random);
                }
                let index = self.order.pop().unwrap_or(0);
                &self.examples[index]
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_cannot_be_meant_are_refused() {
        TuneSettings::default().validate().unwrap();
        let refused = |change: fn(&mut TuneSettings), field: &str| {
            let mut settings = TuneSettings::default();
            change(&mut settings);
            let message = settings.validate().unwrap_err().to_string();
            assert!(message.starts_with(field), "{message}");
        };
        refused(|settings| settings.rate = f64::NAN, "rate");
        refused(|settings| settings.steps = usize::MAX, "steps");
        refused(|settings| settings.snapshots = 0, "snapshots");
        refused(|settings| settings.weight_decay = -1.0, "weight_decay");
    }
}
