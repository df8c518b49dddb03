//! Losses on tasks that training does not see.

use burn::module::Module;
use burn::tensor::Tensor;
use dnd_tasks::Asked;

use super::BehaviourSettings;
use super::data::BehaviourData;
use super::learner::Learner;
use super::loss::{TaskLoss, Work};
use crate::example::Example;
use crate::trainer::{Losses, ValidationLosses};
use crate::values;
use crate::{Error, Processes};

/// Mean cross-entropies over the held-out tasks, in nats a token, asked both ways; none where no
/// task is held out. The generated losses decide, or the mean's where no generator is trained.
///
/// # Errors
/// When values cannot be read back from the device.
pub fn validation_losses(
    loss: &TaskLoss,
    learner: &Learner,
    data: &BehaviourData,
    settings: &BehaviourSettings,
    processes: &dyn Processes,
) -> Result<ValidationLosses, Error> {
    let tasks = &data.held_out;
    if tasks.is_empty() {
        return Ok(ValidationLosses::default());
    }
    let alone = learner.mean.values();
    let generator = learner.generator.valid();
    let generate = |task| {
        let output = generator.forward(data.condition(task).unsqueeze_dim(0));
        alone.clone() + (output * learner.scale.clone()).reshape(alone.dims())
    };
    let asked = |asked: Asked| -> Result<Losses, Error> {
        let average = |adapter: &dyn Fn(usize) -> Tensor<3>| {
            let lines = |task| data.validation_examples(task, asked, settings);
            let asked: Vec<(usize, Vec<&Example>)> = tasks
                .iter()
                .enumerate()
                .filter_map(|(place, task)| Some((place, lines(task)?)))
                .collect();
            let own = processes.share(&asked);
            let works: Vec<Work> = own
                .map(|(place, lines)| Work::new(adapter(*place), lines, 1.0))
                .collect();
            let mut sum = [loss.losses(&works)?.iter().sum()];
            processes.sum(&mut sum);
            Ok::<_, Error>((!asked.is_empty()).then(|| sum[0] / asked.len() as f32))
        };
        let mean = average(&|_| alone.clone())?;
        if !settings.train_generator {
            return Ok(Losses {
                mean,
                ..Losses::default()
            });
        }
        let other = |place: usize| {
            let next = tasks.get((place + 1) % tasks.len());
            next.filter(|_| tasks.len() > 1)
                .unwrap_or(&data.training[0])
        };
        Ok(Losses {
            mean,
            generated: average(&|place| generate(&tasks[place]))?,
            shuffled: average(&|place| generate(other(place)))?,
        })
    };
    let (full, bare) = (asked(Asked::Full)?, asked(Asked::Bare)?);
    let of = |losses: Losses| losses.generated.or(losses.mean);
    let both: Vec<f32> = [of(full), of(bare)].into_iter().flatten().collect();
    Ok(ValidationLosses {
        full,
        bare,
        decisive: Some(values::mean(&both)),
    })
}
