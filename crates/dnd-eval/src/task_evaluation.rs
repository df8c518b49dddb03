//! One task being measured: its lines, how they are answered and scored.

use std::collections::BTreeMap;
use std::time::Instant;

use dnd_adapter::{Layout, Projection};
use dnd_model::Lora;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha12Rng;

use crate::answer::{Answer, answers};
use crate::fingerprint::Fingerprint;
use crate::generated::other_task;
use crate::question::CONTEXT_LIMIT;
use crate::training::{Training, required};
use crate::tuned::Tuning;
use crate::{EvaluateOptions, Judge, Method, Question, Row, Sources};
use dnd_files::Observer;
use dnd_model::files::BASE_MODEL;
use dnd_tasks::{Line, Split, Task};
use dnd_train::Error;

/// Rank and alpha of tuned adapters where neither a collection nor a bundle says which.
const RANK: usize = 8;
const ALPHA: f32 = 16.0;

/// One task being measured.
pub(super) struct TaskEvaluation<'a> {
    /// Models and adapters.
    pub(super) sources: &'a Sources<'a>,
    /// What to measure.
    pub(super) options: &'a EvaluateOptions<'a>,
    /// The training adapters.
    pub(super) training: &'a Training,
    /// The task.
    pub(super) task: &'a Task,
    /// Its test lines.
    pub(super) lines: Vec<Line>,
    /// Its training lines, in the order of their file.
    pub(super) train: Vec<Line>,
    /// The training lines in an order that the seed decides: the first of them are the examples.
    pub(super) shuffled: Vec<Line>,
    /// What its answers are worth.
    pub(super) judge: Judge,
    /// Who watches.
    pub(super) observer: &'a dyn Observer,
}

impl<'a> TaskEvaluation<'a> {
    /// Reads the task's lines.
    pub(super) fn new(
        sources: &'a Sources<'a>,
        options: &'a EvaluateOptions<'a>,
        training: &'a Training,
        task: &'a Task,
        observer: &'a dyn Observer,
    ) -> Result<Self, Error> {
        let mut lines = options.tasks.lines(task, Split::Test)?;
        lines.truncate(options.limit.unwrap_or(usize::MAX));
        let train = options.tasks.lines(task, Split::Train)?;
        let mut shuffled = train.clone();
        shuffled.shuffle(&mut ChaCha12Rng::seed_from_u64(options.seed));
        Ok(Self {
            sources,
            options,
            training,
            task,
            lines,
            judge: Judge::new(train.iter().map(|line| line.response.as_str())),
            train,
            shuffled,
            observer,
        })
    }

    /// Fingerprint of all that decides a method's answers to this task.
    pub(super) fn inputs(&self, method: &Method) -> Result<String, Error> {
        let common = Fingerprint::new(&method.to_string())
            .text(&self.sources.base_hash)
            .json(&self.lines)?
            .json(&self.train)?;
        let seed = self.options.seed;
        let inputs = match method {
            Method::Majority | Method::Base => common,
            Method::Context(_) => common.json(&(seed, CONTEXT_LIMIT))?,
            Method::Generated | Method::GeneratedFrom(_) | Method::Random => {
                common.json(&seed)?.text(&self.sources.bundle_hash)
            }
            Method::Shuffled => common
                .json(&seed)?
                .text(&self.sources.bundle_hash)
                .json(&self.other_prompts(method)?)?,
            Method::Nearest | Method::Similar | Method::Average | Method::Training(_) => {
                common.text(&self.training.hash)
            }
            Method::Mean | Method::Best => common
                .text(&self.training.hash)
                .json(&self.training.spread(self.options.mean_adapters))?,
            Method::MultiTask(_) | Method::Adapter(_) => {
                match method.given_adapter(&self.task.name) {
                    Some(folder) => common.adapter(&folder)?,
                    None => common,
                }
            }
            Method::Few(_) | Method::Full(_) => {
                let (layout, initial_seed) = self.start()?;
                let tuning = self.tuning(method);
                common.json(&(seed, &layout, initial_seed, &tuning))?
            }
        };
        Ok(inputs.finish())
    }

    /// Measures a method other than `mean` and `best`, which come from other rows.
    pub(super) fn measure(&self, method: &Method, inputs: String) -> Result<Row, Error> {
        let stage = format!("{} {method}", self.task.name);
        let provided = self.provide(method, &stage, &inputs)?;
        let started = Instant::now();
        self.observer.begin(&stage, self.lines.len() as u64);
        let answers = if *method == Method::Majority {
            let text = most_frequent_response(&self.train);
            vec![Answer { text, ended: true }; self.lines.len()]
        } else {
            let base = self.sources.base;
            let questions = self
                .lines
                .iter()
                .map(|line| Question::new(base, line, &provided.examples))
                .collect::<Result<Vec<_>, _>>()?;
            let adapter = provided.adapter.as_ref();
            let lora = adapter.map(|adapter| Lora::from_adapter(adapter, base.model.device()));
            answers(base, &questions, lora.as_ref(), self.observer)?
        };
        let answer_seconds = started.elapsed().as_secs_f64();
        let verdicts: Vec<_> = answers
            .iter()
            .zip(&self.lines)
            .map(|(answer, line)| {
                self.judge
                    .verdict(&answer.text, answer.ended, &line.response)
            })
            .collect();
        let numbers = provided
            .adapter
            .map_or(0, |adapter| adapter.layout.parameter_count());
        Ok(Row {
            task: self.task.name.clone(),
            method: method.to_string(),
            adapt_seconds: provided.seconds,
            answer_seconds,
            bytes: 2 * numbers as u64,
            note: provided.note,
            inputs,
            ..Row::from_verdicts(&verdicts)
        })
    }

    /// The first training lines in shuffled order; fewer where there are fewer.
    pub(super) fn first(&self, count: usize) -> &[Line] {
        &self.shuffled[..count.min(self.shuffled.len())]
    }

    /// All training prompts, in the order of their file.
    pub(super) fn prompts(&self) -> Vec<String> {
        self.train.iter().map(|line| line.prompt.clone()).collect()
    }

    /// The training prompts of the task that stands in for this one, with its name.
    pub(super) fn other_prompts(&self, method: &Method) -> Result<(String, Vec<String>), Error> {
        let tasks = self.options.tasks;
        let other = other_task(&tasks.tasks, &self.task.name, self.options.seed);
        let other = required(other, method, "a second task")?;
        let lines = tasks.lines(other, Split::Train)?;
        let prompts = lines.into_iter().map(|line| line.prompt).collect();
        Ok((other.name.clone(), prompts))
    }

    /// Layout and seed of the adapter that tuning starts from: the collection's, else the bundle's
    /// layout, else the default one.
    pub(super) fn start(&self) -> Result<(Layout, u64), Error> {
        if let Some(collection) = self.sources.collection {
            let header = &collection.header;
            return Ok((header.layout.clone(), header.settings.seed));
        }
        if let Some(generator) = self.sources.generator {
            return Ok((generator.layout().clone(), 0));
        }
        let dimensions = &self.sources.base.model.config().dimensions;
        let layout = Layout::new(BASE_MODEL, dimensions, RANK, ALPHA, &Projection::ALL)?;
        Ok((layout, 0))
    }

    /// The lines that a tuning method sees.
    pub(super) fn tuning_lines(&self, method: &Method) -> &[Line] {
        match method {
            Method::Few(count) => self.first(*count),
            _ => &self.shuffled,
        }
    }

    /// How a tuning method tunes.
    pub(super) fn tuning(&self, method: &Method) -> Tuning {
        let (lines, seed) = (self.tuning_lines(method).len(), self.options.seed);
        match method {
            Method::Full(steps) => Tuning::full(*steps, lines, seed),
            _ => Tuning::few(lines, seed),
        }
    }
}

/// The response that most lines have; of several, the first in the alphabet.
fn most_frequent_response(lines: &[Line]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for line in lines {
        *counts.entry(line.response.trim()).or_default() += 1;
    }
    let most = counts
        .iter()
        .max_by_key(|(response, count)| (**count, std::cmp::Reverse(**response)));
    most.map(|(response, _)| (*response).to_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_majority_is_counted() {
        let lines: Vec<Line> = ["b", "a", "a ", "b", "c"]
            .iter()
            .map(|response| Line {
                prompt: "?".to_owned(),
                response: (*response).to_owned(),
                system: None,
            })
            .collect();
        assert_eq!(most_frequent_response(&lines), "a");
    }
}
