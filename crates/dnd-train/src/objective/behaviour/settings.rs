//! Settings of the behaviour objective.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::validate::{not_negative, positive};

/// Settings of the behaviour objective: table `[behaviour]` of a recipe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BehaviourSettings {
    /// Optimizer steps, at most.
    pub steps: usize,
    /// Tasks a step, all different.
    pub tasks_per_step: usize,
    /// Lines of each of them that the language model answers.
    pub examples_per_task: usize,
    /// Learning rate of the generator after warm-up; it falls to zero along a cosine.
    pub rate: f64,
    /// The same of the mean adapter. Zero leaves it as it starts.
    pub mean_rate: f64,
    /// Steps over which the rates rise from zero.
    pub warm_up: usize,
    /// Step at which the rates have fallen to zero; where it is not set, the last one. With more
    /// than `steps` a fit ends while the rates are still high, to be gone on with from its bundle.
    pub decay_steps: Option<usize>,
    /// Decoupled weight decay of the generator's AdamW.
    pub weight_decay: f64,
    /// The same of the mean adapter's.
    pub mean_weight_decay: f64,
    /// Part that the running average of the weights keeps in a step; validation and the bundle take
    /// that average. Zero takes the weights as they are.
    pub averaging: f64,
    /// Largest norm of the generator's gradients together, and of the mean adapter's.
    pub clip: f64,
    /// What one unit of the generator's output adds to a number of the mean adapter. Where it is
    /// not set, a collection's own statistics decide, else it is 0.02. A fit that goes on from a
    /// bundle keeps the bundle's.
    pub scale: Option<f64>,
    /// Whether there is a generator to train. Without one the mean adapter alone is trained: one
    /// adapter for all tasks, the generator's honest rival.
    pub train_generator: bool,
    /// Prompts a task that conditions are drawn from; a quarter of a task's lines is left out of it
    /// in any case. Their hidden states are kept in memory: 48 kB each for MiniLM and 32 tokens.
    pub prompt_pool: usize,
    /// Fewest different prompts in a condition.
    pub fewest_prompts: usize,
    /// Most different prompts in a condition.
    pub most_prompts: usize,
    /// Part of the conditions that is a description of the task instead of prompts, half of them
    /// with a few inputs; of tasks that have descriptions.
    pub describe: f64,
    /// Part of a condition's tokens that is set to zero.
    pub token_dropout: f64,
    /// Part of the tasks asked in full that is answered with the mean adapter alone, so that it
    /// stays good.
    pub drop_condition: f64,
    /// Part of the tasks that is asked bare, so that only the condition tells what is wanted; of
    /// tasks whose lines have inputs.
    pub bare: f64,
    /// Tasks of one family in a step, which ask different things about similar inputs.
    pub siblings: usize,
    /// Most tokens of a line, prompt and answer; longer lines are left out.
    pub longest_line: usize,
    /// Weight in the loss of the mean square of the generator's output.
    pub size_penalty: f64,
    /// Lines of each held-out task for the validation losses.
    pub validation_examples: usize,
    /// Steps between validation losses and log lines.
    pub report_every: usize,
    /// Reports without a better validation loss after which the fit ends; zero never ends it.
    pub patience: usize,
    /// Most tokens that the language model computes at once on each core, padding included.
    pub token_limit: usize,
    /// Keep less in memory: the states between the language model's layers alone, so that each
    /// layer is computed again for its gradients. Takes one more forward
    /// pass, and makes the same bundle but for rounding.
    #[serde(skip_serializing)]
    pub recompute: bool,
    /// Seed of weights, draws and noise.
    pub seed: u64,
}

impl Default for BehaviourSettings {
    fn default() -> Self {
        Self {
            steps: 1000,
            tasks_per_step: 4,
            examples_per_task: 6,
            rate: 5e-4,
            mean_rate: 2e-3,
            warm_up: 10,
            decay_steps: None,
            weight_decay: 0.1,
            mean_weight_decay: 0.01,
            averaging: 0.99,
            clip: 1.0,
            scale: None,
            train_generator: true,
            prompt_pool: 64,
            fewest_prompts: 1,
            most_prompts: 16,
            describe: 0.3,
            token_dropout: 0.1,
            drop_condition: 0.1,
            bare: 0.7,
            siblings: 3,
            longest_line: 128,
            size_penalty: 0.0,
            validation_examples: 16,
            report_every: 25,
            patience: 8,
            token_limit: 768,
            recompute: false,
            seed: 0,
        }
    }
}

impl BehaviourSettings {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`dnd_files::Error::Argument`] naming the field that cannot.
    pub fn validate(&self) -> Result<(), Error> {
        for (field, value) in [
            ("behaviour.steps", self.steps),
            ("behaviour.tasks_per_step", self.tasks_per_step),
            ("behaviour.examples_per_task", self.examples_per_task),
            ("behaviour.prompt_pool", self.prompt_pool),
            ("behaviour.fewest_prompts", self.fewest_prompts),
            ("behaviour.most_prompts", self.most_prompts),
            ("behaviour.siblings", self.siblings),
            ("behaviour.longest_line", self.longest_line),
            ("behaviour.validation_examples", self.validation_examples),
            ("behaviour.report_every", self.report_every),
            ("behaviour.token_limit", self.token_limit),
        ] {
            if value == 0 {
                return Err(Error::argument(field, "at least 1", value));
            }
        }
        if let Some(steps) = self.decay_steps.filter(|&steps| steps < self.steps) {
            let expected = format!("at least the {} steps", self.steps);
            return Err(Error::argument("behaviour.decay_steps", &expected, steps));
        }
        for (field, value) in [
            ("behaviour.token_dropout", self.token_dropout),
            ("behaviour.drop_condition", self.drop_condition),
            ("behaviour.bare", self.bare),
            ("behaviour.describe", self.describe),
        ] {
            if !(0.0..=1.0).contains(&value) {
                return Err(Error::argument(field, "a number from 0 to 1", value));
            }
        }
        if !(0.0..1.0).contains(&self.averaging) {
            let expected = "a number from 0 to below 1";
            return Err(Error::argument(
                "behaviour.averaging",
                expected,
                self.averaging,
            ));
        }
        positive("behaviour.rate", self.rate)?;
        positive("behaviour.clip", self.clip)?;
        if let Some(scale) = self.scale {
            positive("behaviour.scale", scale)?;
        }
        not_negative("behaviour.mean_rate", self.mean_rate)?;
        not_negative("behaviour.weight_decay", self.weight_decay)?;
        not_negative("behaviour.mean_weight_decay", self.mean_weight_decay)?;
        not_negative("behaviour.size_penalty", self.size_penalty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_cannot_be_meant_are_refused() {
        BehaviourSettings::default().validate().unwrap();
        let refused = |change: fn(&mut BehaviourSettings), field: &str| {
            let mut settings = BehaviourSettings::default();
            change(&mut settings);
            let message = settings.validate().unwrap_err().to_string();
            assert!(message.contains(field), "{message}");
        };
        refused(|settings| settings.steps = 0, "behaviour.steps");
        refused(|settings| settings.decay_steps = Some(1), "decay_steps");
        refused(|settings| settings.rate = f64::NAN, "behaviour.rate");
        refused(|settings| settings.scale = Some(0.0), "behaviour.scale");
        refused(|settings| settings.drop_condition = 1.5, "drop_condition");
        refused(|settings| settings.averaging = 1.0, "averaging");
        refused(|settings| settings.bare = -0.5, "behaviour.bare");
        refused(|settings| settings.size_penalty = -1.0, "size_penalty");
    }
}
