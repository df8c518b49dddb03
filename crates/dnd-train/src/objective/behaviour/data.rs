//! Tasks in memory: encoded texts, tokenized lines, and draws from both.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor};
use dnd_files::Observer;
use dnd_model::files::{Base, Encoder};
use dnd_model::mean_embedding;
use dnd_tasks::{Asked, Split};
use rand::distr::Distribution;
use rand::distr::weighted::WeightedIndex;
use rand::seq::{IndexedRandom, index};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;

use super::BehaviourSettings;
use super::condition::{CachedEncoder, Texts, disturb};
use super::loss::Drawn;
use super::tasks::{Choice, Chosen};
use crate::example::Example;
use crate::{Error, Recipe};

/// Fewest lines of a task; one with fewer short lines is left out.
const FEWEST_LINES: usize = 8;

/// A task in memory.
pub struct TaskData {
    /// Its name.
    pub name: String,
    /// Mean embedding of its prompts, a vector of length one.
    pub embedding: Vec<f32>,
    /// Contrast group: tasks of one family ask different things about similar inputs.
    family: String,
    /// How often it is drawn.
    weight: f64,
    /// All its training lines, asked in full.
    full: Vec<Example>,
    /// The same asked bare; empty where a line has no input.
    bare: Vec<Example>,
    /// What conditions are made of.
    texts: Texts,
}

/// All tasks of a run.
pub struct BehaviourData {
    /// Those that are trained on.
    pub training: Vec<TaskData>,
    /// Those that validate.
    pub held_out: Vec<TaskData>,
    /// Training tasks of each family.
    families: BTreeMap<String, Vec<usize>>,
    /// Prompts N of a condition.
    prompts: usize,
    /// Whether a condition has to have N prompts.
    is_fixed: bool,
    device: Device,
}

impl BehaviourData {
    /// Reads and encodes the tasks. Tasks with too few short lines are left out, with a note.
    ///
    /// # Errors
    /// When a file is missing or malformed, or no task is left; [`dnd_files::Error::Cancelled`].
    pub fn open(
        choice: &Choice,
        base: &Base,
        encoder: &Encoder,
        recipe: &Recipe,
        observer: &dyn Observer,
    ) -> Result<Self, Error> {
        let device = base.model.device();
        let encoder = CachedEncoder::new(encoder, recipe.generator.tokens_per_prompt, device)?;
        let count = choice.training.len() + choice.held_out.len();
        observer.begin("read tasks", count as u64);
        let open = |chosen: &Chosen| -> Result<Option<TaskData>, Error> {
            observer.check()?;
            let task = TaskData::open(chosen, base, &encoder, &recipe.behaviour)?;
            observer.advance(1, &chosen.task.name);
            Ok(task)
        };
        let mut training = Vec::with_capacity(choice.training.len());
        for (chosen, weight) in choice.training.iter().zip(choice.weights()) {
            training.extend(open(chosen)?.map(|task| TaskData { weight, ..task }));
        }
        let held_out = choice.held_out.iter().map(open);
        let held_out: Vec<Option<TaskData>> = held_out.collect::<Result<_, _>>()?;
        let held_out: Vec<TaskData> = held_out.into_iter().flatten().collect();
        let left_out = count - training.len() - held_out.len();
        if left_out > 0 {
            observer.note(&format!(
                "{left_out} of {count} tasks have fewer than {FEWEST_LINES} lines of at most {} \
                 tokens and are left out",
                recipe.behaviour.longest_line
            ));
        }
        if training.is_empty() {
            return Err(Error::argument("tasks", "at least one with short lines", 0));
        }
        let mut families: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (place, task) in training.iter().enumerate() {
            families.entry(task.family.clone()).or_default().push(place);
        }
        Ok(Self {
            training,
            held_out,
            families,
            prompts: recipe.generator.prompts,
            is_fixed: recipe.generator.pooling.is_none(),
            device: device.clone(),
        })
    }

    /// Draws the tasks of a step, with a condition and lines for each: some tasks by their weights,
    /// each with siblings of its family, which are asked the same way.
    ///
    /// # Errors
    /// [`dnd_files::Error::Argument`] when a task has no weight to be drawn by.
    pub fn draw(
        &self,
        settings: &BehaviourSettings,
        random: &mut ChaCha12Rng,
    ) -> Result<Vec<Drawn<'_>>, Error> {
        let weights = self.training.iter().map(|task| task.weight);
        let weights = WeightedIndex::new(weights)
            .map_err(|e| Error::argument("tasks", "tasks to draw", e))?;
        let count = settings.tasks_per_step.min(self.training.len());
        let mut drawn: Vec<(usize, Asked)> = Vec::with_capacity(count);
        while drawn.len() < count {
            let first = weights.sample(random);
            let is_new = |task: usize, drawn: &[(usize, Asked)]| {
                drawn.iter().all(|(other, _)| *other != task)
            };
            if !is_new(first, &drawn) {
                continue;
            }
            let asked = if random.random_bool(settings.bare) {
                Asked::Bare
            } else {
                Asked::Full
            };
            drawn.push((first, asked));
            let siblings: Vec<usize> = self.families[&self.training[first].family]
                .iter()
                .copied()
                .filter(|&task| is_new(task, &drawn))
                .collect();
            let more = (settings.siblings - 1).min(count - drawn.len());
            let siblings = siblings.choose_multiple(random, more);
            drawn.extend(siblings.map(|&sibling| (sibling, asked)));
        }
        Ok(drawn
            .into_iter()
            .map(|(task, asked)| self.draw_task(&self.training[task], asked, settings, random))
            .collect())
    }

    fn draw_task<'a>(
        &self,
        task: &'a TaskData,
        asked: Asked,
        settings: &BehaviourSettings,
        random: &mut ChaCha12Rng,
    ) -> Drawn<'a> {
        let examples = task.examples(asked);
        // Asked bare, the mean adapter alone cannot know the task.
        let is_full = !task.is_bare(asked);
        let mean_alone =
            !settings.train_generator || (is_full && random.random_bool(settings.drop_condition));
        let (rows, lines) = if mean_alone {
            Default::default()
        } else {
            task.texts.draw(settings, random)
        };
        let condition = (!mean_alone).then(|| {
            let states = task.texts.select(&rows, self.padded(&rows));
            disturb(states, settings.token_dropout, random)
        });
        // The adapter has to answer other lines than those that it was made of.
        let is_free = |line: usize| !lines.contains(&line);
        let places = pick(examples.len(), is_free, settings.examples_per_task, random);
        Drawn {
            condition,
            examples: places.into_iter().map(|place| &examples[place]).collect(),
        }
    }

    /// Prompts of a condition of these rows, repetitions included: N where it is fixed.
    fn padded(&self, rows: &[usize]) -> usize {
        if self.is_fixed {
            self.prompts
        } else {
            rows.len()
        }
    }

    /// The undisturbed condition (N, L, C) of a task, the same every time.
    pub fn condition(&self, task: &TaskData) -> Tensor<3> {
        let rows: Vec<usize> = (0..task.texts.prompts().min(self.prompts)).collect();
        task.texts.select(&rows, self.padded(&rows))
    }

    /// The lines of a held-out task that the validation losses are taken on: the same every time,
    /// none of which a condition sees. None where the task cannot be asked that way.
    pub fn validation_examples<'a>(
        &self,
        task: &'a TaskData,
        asked: Asked,
        settings: &BehaviourSettings,
    ) -> Option<Vec<&'a Example>> {
        if asked == Asked::Bare && !task.is_bare(asked) {
            return None;
        }
        // Not the recipe's seed: losses of runs with other seeds can be compared.
        let mut random = ChaCha12Rng::seed_from_u64(0);
        let examples = task.examples(asked);
        let prompts = task.texts.prompts();
        let is_free = |line: usize| line >= prompts;
        let count = settings.validation_examples;
        let places = pick(examples.len(), is_free, count, &mut random);
        Some(places.into_iter().map(|place| &examples[place]).collect())
    }

    /// Name and mean prompt embedding of each training task.
    pub fn task_embeddings(&self) -> Vec<(String, Vec<f32>)> {
        let tasks = self.training.iter();
        tasks
            .map(|task| (task.name.clone(), task.embedding.clone()))
            .collect()
    }

    /// Mean and deviation of each channel over the tokens of the training tasks' prompts.
    ///
    /// # Errors
    /// When values cannot be read back from the device.
    pub fn token_statistics(&self) -> Result<(Vec<f32>, Vec<f32>), Error> {
        let [_, _, width] = self.training[0].texts.states().dims();
        let mut count = 0.0f64;
        let mut sums = Tensor::<1>::zeros([width], &self.device);
        let mut squares = sums.clone();
        for task in &self.training {
            let [rows, length, _] = task.texts.states().dims();
            let tokens = task.texts.states().clone().reshape([rows * length, width]);
            let is_token = tokens.clone().abs().sum_dim(1).greater_elem(0.0);
            count += f64::from(crate::values::scalar(is_token.float().sum())?);
            sums = sums + tokens.clone().sum_dim(0).reshape([width]);
            squares = squares + tokens.square().sum_dim(0).reshape([width]);
        }
        let mean = sums / count;
        let deviation = (squares / count - mean.clone().square())
            .clamp_min(0.0)
            .sqrt();
        let read = |tensor: Tensor<1>| {
            let values = tensor.try_into_vec_as::<f32>();
            values.map_err(dnd_model::Error::device)
        };
        Ok((read(mean)?, read(deviation)?))
    }
}

/// Up to `count` of `lines` lines that are `free`, or of all where none is.
fn pick(
    lines: usize,
    free: impl Fn(usize) -> bool,
    count: usize,
    random: &mut ChaCha12Rng,
) -> Vec<usize> {
    let mut places: Vec<usize> = (0..lines).filter(|&line| free(line)).collect();
    if places.is_empty() {
        places = (0..lines).collect();
    }
    let drawn = index::sample(random, places.len(), count.min(places.len()));
    drawn.into_iter().map(|place| places[place]).collect()
}

impl TaskData {
    /// Reads and encodes a task; `None` when it has too few short lines.
    fn open(
        chosen: &Chosen,
        base: &Base,
        encoder: &CachedEncoder,
        settings: &BehaviourSettings,
    ) -> Result<Option<Self>, Error> {
        let mut lines = Vec::new();
        let (mut full, mut bare) = (Vec::new(), Vec::new());
        for line in chosen.folder.lines(chosen.task, Split::Train)? {
            let example = Example::new(base, &line)?;
            if example.tokens.len() > settings.longest_line {
                continue;
            }
            full.push(example);
            bare.extend(Example::asked(base, &line, Asked::Bare)?);
            lines.push(line);
        }
        if lines.len() < FEWEST_LINES {
            return Ok(None);
        }
        if bare.len() < full.len() {
            bare.clear();
        }
        let prompts = settings.prompt_pool.min(lines.len() - lines.len() / 4);
        let of_prompts: Vec<&str> = lines[..prompts].iter().map(|l| &*l.prompt).collect();
        let inputs = lines[..prompts]
            .iter()
            .filter_map(|line| line.asked(Asked::Bare));
        let inputs: Vec<&str> = inputs.collect();
        let described = chosen.task.descriptions();
        let descriptions: Vec<&str> = if settings.describe > 0.0 {
            described.iter().map(String::as_str).collect()
        } else {
            Vec::new()
        };
        let texts = Texts::encode(encoder, &of_prompts, &descriptions, &inputs)?;
        let embedding = mean_embedding(condition_of(&texts, prompts))
            .try_into_vec_as::<f32>()
            .map_err(dnd_model::Error::device)?;
        Ok(Some(Self {
            name: chosen.task.name.clone(),
            family: chosen.task.family.clone(),
            embedding,
            weight: 1.0,
            full,
            bare,
            texts,
        }))
    }

    /// Whether its lines are asked bare when that is `asked` for.
    fn is_bare(&self, asked: Asked) -> bool {
        asked == Asked::Bare && !self.bare.is_empty()
    }

    fn examples(&self, asked: Asked) -> &[Example] {
        if self.is_bare(asked) {
            &self.bare
        } else {
            &self.full
        }
    }
}

fn condition_of(texts: &Texts, prompts: usize) -> Tensor<3> {
    texts.states().clone().narrow(0, 0, prompts)
}
