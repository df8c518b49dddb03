//! Tasks in memory: encoded prompts, tokenized examples, and draws from both.

use burn::tensor::{Device, Distribution, Tensor, TensorData};
use dnd_files::Observer;
use dnd_model::files::{Base, Encoder};
use dnd_model::{PromptEncoder, mean_embedding};
use dnd_tasks::{Line, Split};
use rand::Rng;
use rand::SeedableRng;
use rand::seq::index;
use rand_chacha::ChaCha12Rng;

use super::BehaviourSettings;
use super::instruction::without_instruction;
use super::loss::Drawn;
use super::tasks::{Choice, Chosen};
use crate::example::Example;
use crate::{Error, Recipe};

/// A task in memory.
pub struct TaskData {
    /// Its name.
    pub name: String,
    /// Mean embedding of its prompts, a vector of length one.
    pub embedding: Vec<f32>,
    /// How often it is drawn: one in as many as its folder has tasks.
    weight: f64,
    /// All its training lines.
    examples: Vec<Example>,
    /// The same without their instruction; empty when the recipe drops none.
    bare: Vec<Example>,
    /// Hidden states (pool, L, C) of the first lines' prompts.
    states: Tensor<3>,
}

/// All tasks of a run.
pub struct BehaviourData {
    /// Those that are trained on.
    pub training: Vec<TaskData>,
    /// Those that validate.
    pub held_out: Vec<TaskData>,
    /// Prompts N of a condition.
    prompts: usize,
    device: Device,
}

impl BehaviourData {
    /// Reads and encodes the tasks.
    ///
    /// # Errors
    /// When a file is missing or malformed, or a line is too long; [`dnd_files::Error::Cancelled`].
    pub fn open(
        choice: &Choice,
        base: &Base,
        encoder: &Encoder,
        recipe: &Recipe,
        observer: &dyn Observer,
    ) -> Result<Self, Error> {
        let device = base.model.device();
        let condition = PromptEncoder::new(
            &encoder.model,
            &encoder.tokenizer_json,
            recipe.generator.tokens_per_prompt,
            device,
        )?;
        let count = choice.training.len() + choice.held_out.len();
        observer.begin("read tasks", count as u64);
        let open = |chosen: &Chosen| -> Result<TaskData, Error> {
            observer.check()?;
            let task = TaskData::open(chosen, base, &condition, &recipe.behaviour)?;
            observer.advance(1, &task.name);
            Ok(task)
        };
        let mut training: Vec<TaskData> =
            choice.training.iter().map(open).collect::<Result<_, _>>()?;
        for (task, weight) in training.iter_mut().zip(choice.weights()) {
            task.weight = weight;
        }
        Ok(Self {
            training,
            held_out: choice.held_out.iter().map(open).collect::<Result<_, _>>()?,
            prompts: recipe.generator.prompts,
            device: device.clone(),
        })
    }

    /// Draws the tasks of a step, with a condition and lines for each. Every folder is drawn from
    /// as often as any other, so that few collected tasks are not lost among many made ones.
    ///
    /// # Errors
    /// [`dnd_files::Error::Argument`] when a task has no weight to be drawn by.
    pub fn draw(
        &self,
        settings: &BehaviourSettings,
        random: &mut ChaCha12Rng,
    ) -> Result<Vec<Drawn<'_>>, Error> {
        let tasks = self.training.len();
        let weight = |task: usize| self.training[task].weight;
        let count = settings.tasks_per_step.min(tasks);
        let drawn = index::sample_weighted(random, tasks, weight, count)
            .map_err(|e| Error::argument("tasks", "tasks to draw", e))?;
        let drawn = drawn.into_iter();
        Ok(drawn
            .map(|task| self.draw_task(&self.training[task], settings, random))
            .collect())
    }

    fn draw_task<'a>(
        &self,
        task: &'a TaskData,
        settings: &BehaviourSettings,
        random: &mut ChaCha12Rng,
    ) -> Drawn<'a> {
        let pool = task.pool();
        let mean_alone = !settings.train_generator || random.random_bool(settings.drop_condition);
        let chosen = if mean_alone {
            Vec::new()
        } else {
            // Sometimes few prompts, each several times, as when somebody has no more.
            let count = random.random_range(settings.fewest_prompts.min(pool)..=pool);
            index::sample(random, pool, count).into_vec()
        };
        let condition = (!mean_alone).then(|| {
            let states = task.select(&chosen, self.prompts, &self.device);
            self.disturb(states, settings, random)
        });
        // The adapter has to answer other lines than those that it was made of.
        let mut is_free = vec![true; task.examples.len()];
        for &line in &chosen {
            is_free[line] = false;
        }
        let places = pick(
            task,
            |line| is_free[line],
            settings.examples_per_task,
            random,
        );
        let examples = places
            .into_iter()
            .map(|place| {
                let is_bare = !mean_alone
                    && !task.bare.is_empty()
                    && random.random_bool(settings.instruction_dropout);
                let lines = if is_bare { &task.bare } else { &task.examples };
                &lines[place]
            })
            .collect();
        Drawn {
            condition,
            examples,
        }
    }

    /// Zeroes a part of the tokens of hidden states (N, L, C), and adds noise to all.
    fn disturb(
        &self,
        states: Tensor<3>,
        settings: &BehaviourSettings,
        random: &mut ChaCha12Rng,
    ) -> Tensor<3> {
        let [prompts, length, _] = states.dims();
        let mut states = states;
        if settings.token_dropout > 0.0 {
            let kept: Vec<f32> = (0..prompts * length)
                .map(|_| f32::from(u8::from(!random.random_bool(settings.token_dropout))))
                .collect();
            let kept = TensorData::new(kept, [prompts, length, 1]);
            states = states * Tensor::from_data(kept, &self.device);
        }
        if settings.condition_noise > 0.0 {
            self.device.seed(random.random());
            let noise = Distribution::Normal(0.0, settings.condition_noise);
            let noise = states.random_like(noise);
            states = states + noise;
        }
        states
    }

    /// The undisturbed condition (N, L, C) of a task, the same every time.
    pub fn condition(&self, task: &TaskData) -> Tensor<3> {
        let all: Vec<usize> = (0..task.pool()).collect();
        task.select(&all, self.prompts, &self.device)
    }

    /// The lines of a held-out task that the validation losses are taken on: the same every time,
    /// none of which a condition sees.
    pub fn validation_examples<'a>(
        &self,
        task: &'a TaskData,
        settings: &BehaviourSettings,
    ) -> Vec<&'a Example> {
        let mut random = ChaCha12Rng::seed_from_u64(settings.seed);
        let pool = task.pool();
        let places = pick(
            task,
            |line| line >= pool,
            settings.validation_examples,
            &mut random,
        );
        places
            .into_iter()
            .map(|place| &task.examples[place])
            .collect()
    }

    /// Name and mean prompt embedding of each training task.
    pub fn task_embeddings(&self) -> Vec<(String, Vec<f32>)> {
        let tasks = self.training.iter();
        tasks
            .map(|task| (task.name.clone(), task.embedding.clone()))
            .collect()
    }
}

/// Places of up to `count` lines of a task that are `free`, or of all lines where none is.
fn pick(
    task: &TaskData,
    free: impl Fn(usize) -> bool,
    count: usize,
    random: &mut ChaCha12Rng,
) -> Vec<usize> {
    let lines = task.examples.len();
    let mut places: Vec<usize> = (0..lines).filter(|&line| free(line)).collect();
    if places.is_empty() {
        places = (0..lines).collect();
    }
    let drawn = index::sample(random, places.len(), count.min(places.len()));
    drawn.into_iter().map(|place| places[place]).collect()
}

impl TaskData {
    fn open(
        chosen: &Chosen,
        base: &Base,
        condition: &PromptEncoder,
        settings: &BehaviourSettings,
    ) -> Result<Self, Error> {
        let lines = chosen.folder.lines(chosen.task, Split::Train)?;
        let tokenize = |lines: &[Line]| {
            lines
                .iter()
                .map(|line| Example::new(base, line))
                .collect::<Result<Vec<_>, _>>()
        };
        let examples = tokenize(&lines)?;
        let bare = if settings.train_generator && settings.instruction_dropout > 0.0 {
            tokenize(&without_instruction(&lines))?
        } else {
            Vec::new()
        };
        let pool = settings.prompt_pool.min(lines.len() - lines.len() / 4);
        let prompts: Vec<&str> = lines[..pool].iter().map(|line| &*line.prompt).collect();
        let states = condition.encode(&prompts)?;
        let embedding = mean_embedding(states.clone())
            .try_into_vec_as::<f32>()
            .map_err(dnd_model::Error::device)?;
        Ok(Self {
            name: chosen.task.name.clone(),
            embedding,
            weight: 1.0,
            examples,
            bare,
            states,
        })
    }

    /// Prompts that are encoded: those of the first lines.
    fn pool(&self) -> usize {
        self.states.dims()[0]
    }

    /// Hidden states (N, L, C) of these prompts, gone through again until there are N.
    fn select(&self, prompts: &[usize], count: usize, device: &Device) -> Tensor<3> {
        let places = prompts.iter().map(|&prompt| prompt as i32);
        let places: Vec<i32> = places.cycle().take(count).collect();
        let places = Tensor::from_data(places.as_slice(), device);
        self.states.clone().select(0, places)
    }
}
