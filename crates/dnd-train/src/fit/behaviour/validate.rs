//! Losses on tasks that training does not see.

use burn::module::Module;
use burn::tensor::Tensor;

use super::data::BehaviourData;
use super::learner::Learner;
use super::objective::{Objective, Work};
use crate::Error;
use crate::collect::Example;
use crate::fit::BehaviourSettings;
use crate::fit::values::mean;

/// Mean cross-entropies over the held-out tasks, in nats a token.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeldOutLosses {
    /// Under the mean adapter alone.
    pub mean: f32,
    /// Under the adapter generated from each task's prompts; none without a generator.
    pub generated: Option<f32>,
    /// Under the adapter generated from another task's prompts: no higher than `generated` where
    /// the prompts do not matter.
    pub shuffled: Option<f32>,
}

impl HeldOutLosses {
    /// The loss by which the best weights are chosen.
    pub fn decisive(&self) -> f32 {
        self.generated.unwrap_or(self.mean)
    }
}

/// The losses of the held-out tasks; none where there is no such task.
///
/// # Errors
/// When values cannot be read back from the device.
pub fn held_out_losses(
    objective: &Objective,
    learner: &Learner,
    data: &BehaviourData,
    settings: &BehaviourSettings,
) -> Result<Option<HeldOutLosses>, Error> {
    let tasks = &data.held_out;
    if tasks.is_empty() {
        return Ok(None);
    }
    let lines: Vec<Vec<&Example>> = tasks
        .iter()
        .map(|task| data.validation_examples(task, settings))
        .collect();
    let average = |adapters: Vec<Tensor<3>>| {
        let works: Vec<Work> = adapters
            .into_iter()
            .zip(&lines)
            .map(|(tokens, examples)| Work::new(tokens, examples, 1.0))
            .collect();
        Ok::<_, Error>(mean(&objective.losses(&works)?))
    };
    let alone = learner.mean.values();
    let mean = average(vec![alone.clone(); tasks.len()])?;
    if !settings.train_generator {
        return Ok(Some(HeldOutLosses {
            mean,
            generated: None,
            shuffled: None,
        }));
    }
    let generator = learner.generator.valid();
    let generate = |condition: Tensor<3>| {
        let output = generator.forward(condition.unsqueeze_dim(0));
        alone.clone() + (output * learner.scale.clone()).reshape(alone.dims())
    };
    let own: Vec<Tensor<3>> = tasks
        .iter()
        .map(|task| generate(data.condition(task)))
        .collect();
    let mut others = own.clone();
    others.rotate_left(1);
    if let [only] = others.as_mut_slice() {
        *only = generate(data.condition(&data.training[0]));
    }
    Ok(Some(HeldOutLosses {
        mean,
        generated: Some(average(own)?),
        shuffled: Some(average(others)?),
    }))
}
