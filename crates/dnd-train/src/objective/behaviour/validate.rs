//! Losses on tasks that training does not see.

use burn::module::Module;
use burn::tensor::Tensor;

use super::BehaviourSettings;
use super::data::BehaviourData;
use super::learner::Learner;
use super::loss::{TaskLoss, Work};
use crate::Error;
use crate::example::Example;
use crate::trainer::ValidationLosses;
use crate::values;

/// Mean cross-entropies over the held-out tasks, in nats a token; none where no task is held out.
/// The generated loss decides, or the mean's where no generator is trained.
///
/// # Errors
/// When values cannot be read back from the device.
pub fn validation_losses(
    loss: &TaskLoss,
    learner: &Learner,
    data: &BehaviourData,
    settings: &BehaviourSettings,
) -> Result<ValidationLosses, Error> {
    let tasks = &data.held_out;
    if tasks.is_empty() {
        return Ok(ValidationLosses::default());
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
        Ok::<_, Error>(values::mean(&loss.losses(&works)?))
    };
    let alone = learner.mean.values();
    let mean = average(vec![alone.clone(); tasks.len()])?;
    if !settings.train_generator {
        return Ok(ValidationLosses {
            mean: Some(mean),
            decisive: Some(mean),
            ..ValidationLosses::default()
        });
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
    let generated = average(own)?;
    Ok(ValidationLosses {
        mean: Some(mean),
        generated: Some(generated),
        shuffled: Some(average(others)?),
        decisive: Some(generated),
    })
}
