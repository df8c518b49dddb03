//! Getting the adapter or the in-context examples of each method.

use std::time::Instant;

use dnd_adapter::{Adapter, Layout};
use dnd_model::AdapterGenerator;

use crate::generated::{from_prompts, from_random_states};
use crate::task_evaluation::TaskEvaluation;
use crate::tokenized_prompt::{CONTEXT_LIMIT, within_limit};
use crate::training::{read_adapter, required};
use crate::tuned::tune;
use crate::{
    Method, TEMPERATURE, TuneStart, average_adapter, nearest_task, prompt_embedding,
    similarity_weights, weighted_adapter,
};
use dnd_tasks::Line;
use dnd_train::Error;
use dnd_train::collect::initial_adapter;

/// What a method adds to the base model.
#[derive(Default)]
pub(super) struct Adaptation {
    /// The adapter, or none for the base model alone.
    pub(super) adapter: Option<Adapter>,
    /// In-context examples.
    pub(super) examples: Vec<Line>,
    /// Seconds to get the adapter.
    pub(super) seconds: f64,
    /// A note for the report.
    pub(super) note: String,
}

impl TaskEvaluation<'_> {
    /// Gets the adapter or the in-context examples of a method.
    pub(super) fn adapt(
        &self,
        method: &Method,
        stage: &str,
        inputs: &str,
    ) -> Result<Adaptation, Error> {
        let seed = self.options.seed;
        let started = Instant::now();
        let timed = |(adapter, seconds): (Adapter, f64), note: String| Adaptation {
            adapter: Some(adapter),
            seconds,
            note,
            ..Adaptation::default()
        };
        let since = |adapter: Adapter, note: String| {
            timed((adapter, started.elapsed().as_secs_f64()), note)
        };
        Ok(match method {
            Method::Majority | Method::Base | Method::Mean | Method::Best => Adaptation::default(),
            Method::Context(count) => self.examples(*count)?,
            Method::Generated => timed(
                from_prompts(self.generator(method)?, &self.prompts(), seed)?,
                String::new(),
            ),
            Method::GeneratedFrom(count) => {
                let chosen = self.first_prompts(*count);
                let note = format!("{} prompts", chosen.len());
                timed(from_prompts(self.generator(method)?, &chosen, seed)?, note)
            }
            Method::Described => {
                let described = self.description(method)?;
                let generator = self.generator(method)?;
                let timing = from_prompts(generator, std::slice::from_ref(&described), seed)?;
                timed(timing, described)
            }
            Method::Shuffled => {
                let (name, prompts) = self.other_prompts(method)?;
                let note = format!("prompts of {name}");
                timed(from_prompts(self.generator(method)?, &prompts, seed)?, note)
            }
            Method::Random => timed(
                from_random_states(self.generator(method)?, &self.prompts(), seed)?,
                String::new(),
            ),
            Method::Nearest => {
                let nearest = nearest_task(&self.embedding(method)?, &self.training.embeddings);
                let note = format!("nearest is {}", self.training.manifests[nearest].task);
                since(self.training.adapters[nearest].clone(), note)
            }
            Method::Similar => {
                let weights =
                    similarity_weights(&self.embedding(method)?, &self.training.embeddings);
                let adapter =
                    weighted_adapter(self.layout(method)?, &self.training.adapters, &weights);
                since(adapter, format!("softmax of cosines over {TEMPERATURE}"))
            }
            Method::Average => {
                let adapter = average_adapter(self.layout(method)?, &self.training.adapters);
                since(adapter, String::new())
            }
            Method::Training(task) => since(self.training.adapter(task)?.clone(), String::new()),
            Method::MultiTask(folder) | Method::Adapter(folder) => {
                let folder = method
                    .given_adapter(&self.task.name)
                    .unwrap_or_else(|| folder.clone());
                since(read_adapter(self.sources, &folder)?, String::new())
            }
            Method::Few(..) | Method::Full(_) => {
                let (tuning, lines) = (self.tuning(method), self.tuning_lines(method));
                let initial = match method {
                    Method::Few(_, TuneStart::Generated) => {
                        from_prompts(self.generator(method)?, &self.prompts(), seed)?.0
                    }
                    Method::Few(_, TuneStart::Adapter(folder)) => {
                        read_adapter(self.sources, folder)?
                    }
                    _ => {
                        let (layout, initial_seed) = self.start()?;
                        initial_adapter(&layout, initial_seed)
                    }
                };
                let folder = self.options.work.join(&self.task.name);
                let name = format!("{}-{method}", self.asked.name());
                let folder = folder.join(name.replace([':', '/'], "-"));
                self.observer.begin(stage, tuning.steps as u64);
                let base = self.sources.base;
                let to = (folder.as_path(), inputs);
                let how = (&tuning, "eval");
                let (adapter, tuned) = tune(base, &initial, lines, how, to, self.observer)?;
                timed((adapter, tuned.seconds), tuning.words(lines.len()))
            }
        })
    }

    /// The first in-context examples, as many as fit in [`CONTEXT_LIMIT`].
    fn examples(&self, count: usize) -> Result<Adaptation, Error> {
        let chosen = self.first(count);
        let kept = within_limit(self.sources.base, chosen)?;
        let mut note = format!("{} examples", kept.len());
        if kept.len() < chosen.len() {
            note = format!(
                "{} of {} examples: the others exceed {CONTEXT_LIMIT} tokens",
                kept.len(),
                chosen.len()
            );
            self.observer
                .note(&format!("{} context:{count}: {note}", self.task.name));
        }
        Ok(Adaptation {
            examples: kept.to_vec(),
            note,
            ..Adaptation::default()
        })
    }

    fn generator(&self, method: &Method) -> Result<&AdapterGenerator, Error> {
        required(self.sources.generator, method, "a --bundle")
    }

    /// The layout of the collection's adapters.
    fn layout(&self, method: &Method) -> Result<&Layout, Error> {
        let collection = required(self.sources.collection, method, "a --collection")?;
        Ok(&collection.header.layout)
    }

    fn embedding(&self, method: &Method) -> Result<Vec<f32>, Error> {
        let encoder = required(self.sources.encoder, method, "an encoder")?;
        prompt_embedding(encoder, &self.prompts(), self.sources.device)
    }
}
