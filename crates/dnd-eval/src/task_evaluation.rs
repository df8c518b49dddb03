//! Evaluation of one task: its lines, completions and scores.

use std::collections::BTreeMap;
use std::time::Instant;

use dnd_adapter::{Layout, Projection};
use dnd_model::Lora;
use rand::SeedableRng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha12Rng;

use crate::answer::{Answer, answers};
use crate::directions::Directions;
use crate::fingerprint::Fingerprint;
use crate::generated::shuffled_control_task;
use crate::tokenized_prompt::CONTEXT_LIMIT;
use crate::training::{Training, required};
use crate::tuned::{Tuning, shuffled};
use crate::{EvaluateOptions, Method, Row, Scorer, Sources, TokenizedPrompt, TuneStart};
use dnd_files::Observer;
use dnd_tasks::{Asked, Line, Split, Task};
use dnd_train::Error;

/// Rank and alpha of tuned adapters without a collection or bundle.
const RANK: usize = 8;
const ALPHA: f32 = 16.0;

/// The evaluation of one task.
pub(super) struct TaskEvaluation<'a> {
    /// Models and adapters.
    pub(super) sources: &'a Sources<'a>,
    /// What to measure.
    pub(super) options: &'a EvaluateOptions<'a>,
    /// The training adapters.
    pub(super) training: &'a Training,
    /// What the generated adapter is compared with.
    directions: Option<&'a Directions>,
    /// The task.
    pub(super) task: &'a Task,
    /// How the base model is asked.
    pub(super) asked: Asked,
    /// Its test lines, as they are asked.
    pub(super) lines: Vec<Line>,
    /// Its training lines, in file order, asked in full: their prompts make adapters.
    pub(super) train: Vec<Line>,
    /// The training lines shuffled by the seed. Prompts are taken from the front.
    shuffled: Vec<Line>,
    /// The same as they are asked. Examples are taken from the front.
    examples: Vec<Line>,
    /// Scores the completions.
    pub(super) scorer: Scorer,
    /// Receives the progress.
    pub(super) observer: &'a dyn Observer,
}

impl<'a> TaskEvaluation<'a> {
    /// Reads the task's lines; `None` where they cannot be asked that way.
    pub(super) fn new(
        sources: &'a Sources<'a>,
        options: &'a EvaluateOptions<'a>,
        (training, directions): (&'a Training, Option<&'a Directions>),
        task: &'a Task,
        asked: Asked,
        observer: &'a dyn Observer,
    ) -> Result<Option<Self>, Error> {
        let mut lines = options.tasks.lines(task, Split::Test)?;
        lines.truncate(options.limit.unwrap_or(usize::MAX));
        let train = options.tasks.lines(task, Split::Train)?;
        let shuffled = shuffled(&train, options.seed);
        let as_asked = |lines: &[Line]| -> Option<Vec<Line>> {
            lines.iter().map(|line| line.as_asked(asked)).collect()
        };
        let (Some(lines), Some(examples)) = (as_asked(&lines), as_asked(&shuffled)) else {
            return Ok(None);
        };
        Ok(Some(Self {
            sources,
            options,
            training,
            directions,
            task,
            asked,
            lines,
            examples,
            scorer: Scorer::new(train.iter().map(|line| line.response.as_str())),
            train,
            shuffled,
            observer,
        }))
    }

    /// Fingerprint of everything that determines a method's result on this task.
    pub(super) fn inputs(&self, method: &Method) -> Result<String, Error> {
        let common = Fingerprint::new(&method.to_string())
            .text(&self.sources.base_hash)
            .json(&self.lines)?
            .json(&self.train)?;
        let seed = self.options.seed;
        let inputs = match method {
            Method::Majority | Method::Base => common,
            Method::Context(_) => common.json(&(seed, CONTEXT_LIMIT))?,
            Method::Generated | Method::GeneratedFrom(_) | Method::Described | Method::Random => {
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
            Method::Few(..) | Method::Full(_) => {
                let (layout, initial_seed) = self.start()?;
                let tuning = self.tuning(method);
                let tuned = common.json(&(seed, &layout, initial_seed, &tuning))?;
                match method {
                    Method::Few(_, TuneStart::Generated) => tuned.text(&self.sources.bundle_hash),
                    Method::Few(_, TuneStart::Adapter(folder)) => tuned.adapter(folder)?,
                    _ => tuned,
                }
            }
        };
        Ok(inputs.finish())
    }

    /// Measures a method other than `mean` and `best`, which are computed from other rows.
    pub(super) fn measure(&self, method: &Method, inputs: String) -> Result<Row, Error> {
        let stage = format!("{} {method}", self.task.name);
        let adaptation = self.adapt(method, &stage, &inputs)?;
        let started = Instant::now();
        self.observer.begin(&stage, self.lines.len() as u64);
        let mut prompt_tokens = 0.0;
        let answers = if *method == Method::Majority {
            let text = most_frequent_response(&self.train);
            vec![Answer { text, ended: true }; self.lines.len()]
        } else {
            let base = self.sources.base;
            let questions = self
                .lines
                .iter()
                .map(|line| TokenizedPrompt::new(base, line, &adaptation.examples))
                .collect::<Result<Vec<_>, _>>()?;
            let tokens = questions.iter().map(|question| question.prompt.len());
            prompt_tokens = tokens.sum::<usize>() as f64 / questions.len().max(1) as f64;
            let adapter = adaptation.adapter.as_ref();
            let lora = adapter.map(|adapter| Lora::from_adapter(adapter, base.model.device()));
            answers(base, &questions, lora.as_ref(), self.observer)?
        };
        let answer_seconds = started.elapsed().as_secs_f64();
        let scores: Vec<_> = answers
            .iter()
            .zip(&self.lines)
            .map(|(answer, line)| {
                self.scorer
                    .score(&answer.text, answer.ended, &line.response)
            })
            .collect();
        let adapter = adaptation.adapter.as_ref();
        let numbers = adapter.map_or(0, |adapter| adapter.layout.parameter_count());
        let directions = self.directions.filter(|_| *method == Method::Generated);
        let cosine = directions.zip(adapter);
        let cosine = cosine.and_then(|(directions, adapter)| directions.cosine(adapter));
        Ok(Row {
            task: self.task.name.clone(),
            method: method.to_string(),
            asked: self.asked,
            adapt_seconds: adaptation.seconds,
            answer_seconds,
            prompt_tokens,
            bytes: 2 * numbers as u64,
            cosine,
            note: adaptation.note,
            inputs,
            ..Row::from_scores(&scores)
        })
    }

    /// The first shuffled training lines as they are asked; fewer than `count` if there are fewer.
    pub(super) fn first(&self, count: usize) -> &[Line] {
        &self.examples[..count.min(self.examples.len())]
    }

    /// The prompts of the same lines.
    pub(super) fn first_prompts(&self, count: usize) -> Vec<String> {
        let first = self.shuffled.iter().take(count);
        first.map(|line| line.prompt.clone()).collect()
    }

    /// The instruction in words: one of the task's descriptions, drawn by the seed.
    pub(super) fn description(&self, method: &Method) -> Result<String, Error> {
        let mut random = ChaCha12Rng::seed_from_u64(self.options.seed);
        let descriptions = self.task.descriptions();
        let drawn = descriptions.choose(&mut random).cloned();
        required(drawn, method, "a task with templates")
    }

    /// All training prompts, in file order.
    pub(super) fn prompts(&self) -> Vec<String> {
        self.train.iter().map(|line| line.prompt.clone()).collect()
    }

    /// Name and training prompts of the task that replaces this one in the shuffled control.
    pub(super) fn other_prompts(&self, method: &Method) -> Result<(String, Vec<String>), Error> {
        let tasks = self.options.tasks;
        let other = shuffled_control_task(&tasks.tasks, &self.task.name, self.options.seed);
        let other = required(other, method, "a second task")?;
        let lines = tasks.lines(other, Split::Train)?;
        let prompts = lines.into_iter().map(|line| line.prompt).collect();
        Ok((other.name.clone(), prompts))
    }

    /// Layout and seed of the initial adapter for tuning: the collection's, else the bundle's
    /// layout, else the default layout.
    pub(super) fn start(&self) -> Result<(Layout, u64), Error> {
        if let Some(collection) = self.sources.collection {
            let header = &collection.header;
            return Ok((header.layout.clone(), header.settings.seed));
        }
        if let Some(generator) = self.sources.generator {
            return Ok((generator.layout().clone(), 0));
        }
        let base = self.sources.base;
        let dimensions = &base.model.config().dimensions;
        let layout = Layout::new(&base.name, dimensions, RANK, ALPHA, &Projection::ALL)?;
        Ok((layout, 0))
    }

    /// The lines that a method tunes on.
    pub(super) fn tuning_lines(&self, method: &Method) -> &[Line] {
        match method {
            Method::Few(count, _) => self.first(*count),
            _ => &self.examples,
        }
    }

    /// The tuning settings of a method.
    pub(super) fn tuning(&self, method: &Method) -> Tuning {
        let (lines, seed) = (self.tuning_lines(method).len(), self.options.seed);
        match method {
            Method::Full(steps) => Tuning::full(*steps, lines, seed),
            _ => Tuning::few(lines, seed),
        }
    }
}

/// The most frequent response; on ties, the alphabetically first.
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
                ..Line::default()
            })
            .collect();
        assert_eq!(most_frequent_response(&lines), "a");
    }
}
