//! The loss of the base model under generated adapters, and its gradients.

use std::cmp::Reverse;

use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use dnd_adapter::Layout;
use dnd_model::{LanguageModel, Lora};

use super::condition::stack;
use super::factors::{merge, split};
use super::learner::Learner;
use super::settings::BehaviourSettings;
use crate::Error;
use crate::answer_gradients::{AnswerGradients, weighted_sum};
use crate::example::{Example, ExampleBatch, answer_losses};
use crate::values::scalar;
use crate::workers::Workers;

/// A task's part in a step.
pub struct Drawn<'a> {
    /// The condition (N, L, C); none has the mean adapter answer alone.
    pub condition: Option<Tensor<3>>,
    /// The lines to answer.
    pub examples: Vec<&'a Example>,
}

impl Drawn<'_> {
    /// Tokens of its lines.
    pub fn tokens(&self) -> usize {
        let lines = self.examples.iter();
        lines.map(|example| example.tokens.len()).sum()
    }
}

/// Losses and gradients of a step, before clipping.
pub struct StepGradients {
    /// Mean over the tasks of the mean cross-entropy of their answers' tokens, in nats.
    pub loss: f32,
    /// Gradients of the generator; none where no task had a condition.
    pub generator: Option<GradientsParams>,
    /// Gradient of the mean adapter.
    pub mean: GradientsParams,
    /// Mean square of the generator's output, in units of the scale; zero where it made none.
    pub square: f32,
}

/// Lines to answer with the adapter that `tokens` (T, rank, tile width) stand for.
pub struct Work<'a> {
    /// Weight tokens of the adapter, constants.
    tokens: Tensor<3>,
    /// Lines, each with its weight in the loss, by token of its answer.
    lines: Vec<(&'a Example, f32)>,
}

impl<'a> Work<'a> {
    /// All answers' tokens alike; their weights add up to `weight`.
    pub fn new(tokens: Tensor<3>, examples: &[&'a Example], weight: f32) -> Self {
        Self {
            tokens,
            lines: weighted(examples, weight).collect(),
        }
    }

    /// The lines in batches of at most `token_limit` tokens, with the weights (answer tokens) of
    /// each.
    fn batches(&self, token_limit: usize) -> Vec<(ExampleBatch<'a>, Vec<f32>)> {
        let mut lines = self.lines.clone();
        // Batches keep the order of lines that are sorted already, and so the weights can follow
        // them.
        lines.sort_by_key(|(example, _)| example.tokens.len());
        let (examples, weights): (Vec<&Example>, Vec<f32>) = lines.into_iter().unzip();
        let mut weights = weights.into_iter();
        let batches = ExampleBatch::split(&examples, token_limit).into_iter();
        batches
            .map(|batch| {
                let lines = batch.examples().iter().zip(weights.by_ref());
                let weights = lines
                    .flat_map(|(example, weight)| vec![weight; example.answer().len()])
                    .collect();
                (batch, weights)
            })
            .collect()
    }
}

/// The loss of the base model under adapters, shared among the cores.
pub struct TaskLoss<'a> {
    answers: AnswerGradients<'a>,
    token_limit: usize,
    size_penalty: f64,
    workers: Workers,
}

impl<'a> TaskLoss<'a> {
    /// The loss of `model` under adapters of `layout`, computed as `settings` say.
    pub fn new(model: &'a LanguageModel, layout: &'a Layout, settings: &BehaviourSettings) -> Self {
        Self {
            answers: AnswerGradients {
                model,
                layout,
                recompute: settings.recompute,
            },
            token_limit: settings.token_limit,
            size_penalty: settings.size_penalty,
            workers: Workers::new(model.device()),
        }
    }

    /// What the tasks in `drawn` contribute to the loss of a step and to its gradients; the step
    /// has `tasks` tasks and `conditions` conditions.
    ///
    /// The generator's graph and the base model's are apart: each task's loss is differentiated by
    /// weight tokens of its own, one task a core at a time, and what comes out is carried into the
    /// generator as the gradient of its output.
    ///
    /// # Errors
    /// When values cannot be read back from the device.
    pub fn gradients(
        &self,
        learner: &Learner,
        drawn: &[&Drawn],
        (tasks, conditions): (usize, usize),
    ) -> Result<StepGradients, Error> {
        let own: Vec<Tensor<3>> = drawn
            .iter()
            .filter_map(|task| task.condition.clone())
            .collect();
        let part = own.len() as f32 / conditions.max(1) as f32;
        let output = (!own.is_empty()).then(|| learner.generator.forward(stack(own)));
        let difference = output
            .as_ref()
            .map(|output| output.clone().inner() * learner.scale.clone());

        let mean = learner.mean.values();
        let share = 1.0 / tasks.max(1) as f32;
        let mut place = 0;
        let mut works = Vec::new();
        let mut alone = Vec::new();
        for task in drawn {
            match (&task.condition, &difference) {
                (Some(_), Some(difference)) => {
                    let own = difference.clone().narrow(0, place, 1).reshape(mean.dims());
                    place += 1;
                    works.push(Work::new(mean.clone() + own, &task.examples, share));
                }
                _ => alone.extend(weighted(&task.examples, share)),
            }
        }
        // Lines that the mean answers have one adapter, so that any of them can be computed
        // together.
        let conditional = works.len();
        works.extend(deal(alone, self.workers.count()).map(|lines| Work {
            tokens: mean.clone(),
            lines,
        }));
        let results = self.map(&works, |work| self.work_gradient(work))?;

        let loss: f32 = results.iter().map(|(loss, _)| loss).sum();
        let mut grad_mean = mean.zeros_like();
        let mut grad_output = Vec::new();
        for (index, (_, gradient)) in results.into_iter().enumerate() {
            grad_mean = grad_mean + gradient.clone();
            if index < conditional {
                grad_output.push(gradient);
            }
        }
        let mut gradients = StepGradients {
            loss,
            generator: None,
            mean: learner.mean.gradients(grad_mean),
            square: 0.0,
        };
        if let Some(output) = output {
            gradients.square = part * scalar(output.clone().inner().square().mean())?;
            let gradient: Tensor<4> = Tensor::stack(grad_output, 0);
            let gradient = gradient * learner.scale.clone();
            // The sum of output times gradient, as a constant, has that gradient.
            let mut surrogate = (output.clone() * gradient).sum();
            if self.size_penalty > 0.0 {
                surrogate =
                    surrogate + output.square().mean() * (self.size_penalty * f64::from(part));
            }
            let grad_weights =
                GradientsParams::from_grads(surrogate.backward(), &learner.generator);
            gradients.generator = Some(grad_weights);
        }
        Ok(gradients)
    }

    /// Weighted cross-entropies, in nats, of several works.
    ///
    /// # Errors
    /// When values cannot be read back from the device.
    pub fn losses(&self, works: &[Work]) -> Result<Vec<f32>, Error> {
        let AnswerGradients { model, layout, .. } = self.answers;
        self.map(works, |work| {
            let lora = Lora::from_tensors(layout, split(layout, &work.tokens));
            let mut total = 0.0;
            for (batch, weights) in work.batches(self.token_limit) {
                let losses = answer_losses(model, &batch, Some(&lora));
                total += scalar(weighted_sum(losses, &weights))?;
            }
            Ok(total)
        })
    }

    /// The weighted cross-entropy of a work's answers, and its gradient by the weight tokens.
    pub(super) fn work_gradient(&self, work: &Work) -> Result<(f32, Tensor<3>), Error> {
        let layout = self.answers.layout;
        let factors = split(layout, &work.tokens);
        let mut total = 0.0;
        let mut gradient = work.tokens.zeros_like();
        for (batch, weights) in work.batches(self.token_limit) {
            let (loss, by_factors) = self.answers.compute(&batch, &weights, &factors)?;
            gradient = gradient + merge(layout, by_factors);
            total += loss;
        }
        Ok((total, gradient))
    }

    /// `job` of all works, shared among the cores; the results are in the order of the works.
    fn map<R: Send>(
        &self,
        works: &[Work],
        job: impl Fn(&Work) -> Result<R, Error> + Sync,
    ) -> Result<Vec<R>, Error> {
        let mut order: Vec<usize> = (0..works.len()).collect();
        // The largest first, so that the workers finish together.
        order.sort_by_key(|&index| {
            let lines = works[index].lines.iter();
            let tokens = lines.map(|(example, _)| example.tokens.len());
            Reverse(tokens.sum::<usize>())
        });
        let done = self.workers.each(&order, |&index| job(&works[index]));
        let mut results: Vec<(usize, R)> = Vec::with_capacity(works.len());
        for (index, result) in order.into_iter().zip(done) {
            results.push((index, result?));
        }
        results.sort_by_key(|(index, _)| *index);
        Ok(results.into_iter().map(|(_, result)| result).collect())
    }
}

/// Lines in at most `count` shares of about equal lengths.
fn deal(
    mut lines: Vec<(&Example, f32)>,
    count: usize,
) -> impl Iterator<Item = Vec<(&Example, f32)>> {
    lines.sort_by_key(|(example, _)| example.tokens.len());
    let count = count.min(lines.len());
    (0..count).map(move |number| lines.iter().copied().skip(number).step_by(count).collect())
}

/// Lines with the weight that a token of their answers has where all together have `weight`.
fn weighted<'a>(examples: &[&'a Example], weight: f32) -> impl Iterator<Item = (&'a Example, f32)> {
    let answers = examples.iter().map(|example| example.answer().len());
    let weight = weight / answers.sum::<usize>() as f32;
    examples.iter().map(move |&example| (example, weight))
}
