//! Pairs of prompts and checkpoints, drawn afresh every step.

use burn::tensor::{Device, Distribution, Tensor, TensorData};
use dnd_adapter::{Statistics, tokens};
use dnd_files::Observer;
use dnd_model::files::Encoder;
use dnd_model::{PromptEncoder, mean_embedding};
use rand::Rng;
use rand::seq::index;
use rand_chacha::ChaCha12Rng;

use crate::collect::{Collection, Manifest};
use crate::recipe::WeightsSettings;
use crate::{Error, Recipe};

/// A collection in memory: encoded prompts, statistics of the adapters.
pub(super) struct TrainingData {
    collection: Collection,
    manifests: Vec<Manifest>,
    /// For each task, hidden states (pool, L, C); the last ones are for validation.
    states: Vec<Tensor<3>>,
    /// Mean adapter and scale of each token, over the last snapshots of all tasks.
    pub(super) statistics: Statistics,
    /// Shape (tokens, rows, columns) of an adapter.
    pub(super) output: [usize; 3],
    device: Device,
    prompts: usize,
}

/// Conditions (B, N, L, C) and normalized weight tokens (B, T, rows, columns).
pub(super) type Pairs = (Tensor<4>, Tensor<4>);

impl TrainingData {
    /// Encodes the prompts of a collection's training tasks.
    ///
    /// # Errors
    /// When a file is missing or malformed; [`dnd_files::Error::Cancelled`].
    pub(super) fn open(
        collection: Collection,
        manifests: Vec<Manifest>,
        encoder: &Encoder,
        recipe: &Recipe,
        device: &Device,
        observer: &dyn Observer,
    ) -> Result<Self, Error> {
        let settings = &recipe.weights;
        let layout = &collection.header.layout;
        let output = tokens::shape(layout)?;
        let condition = PromptEncoder::new(
            &encoder.model,
            &encoder.tokenizer_json,
            recipe.generator.tokens_per_prompt,
            device,
        )?;
        observer.begin("encode prompts", manifests.len() as u64);
        let mut states = Vec::new();
        let mut samples = Vec::new();
        for manifest in &manifests {
            observer.check()?;
            let prompts = collection.prompts(&manifest.task)?;
            let pool: Vec<&str> = prompts
                .iter()
                .map(String::as_str)
                .take(settings.prompt_pool + settings.validation_prompts)
                .collect();
            states.push(condition.encode(&pool)?);
            samples.push(tokens::from_adapter(&collection.last_snapshot(manifest)?)?);
            observer.advance(1, &manifest.task);
        }
        let samples = samples.iter().map(Vec::as_slice);
        let statistics = Statistics::from_samples(samples, output[1] * output[2])?;
        Ok(Self {
            collection,
            manifests,
            states,
            statistics,
            output,
            device: device.clone(),
            prompts: recipe.generator.prompts,
        })
    }

    /// The tasks of the collection.
    pub(super) fn manifests(&self) -> &[Manifest] {
        &self.manifests
    }

    /// The collection itself.
    pub(super) fn collection(&self) -> &Collection {
        &self.collection
    }

    /// Name and mean prompt embedding of each task, over its training prompts.
    ///
    /// # Errors
    /// When values cannot be read back.
    pub(super) fn task_embeddings(
        &self,
        settings: &WeightsSettings,
    ) -> Result<Vec<(String, Vec<f32>)>, Error> {
        let tasks = self.manifests.iter().zip(&self.states).enumerate();
        tasks
            .map(|(task, (manifest, states))| {
                let pool = self.training_pool(task, settings);
                let embedding = mean_embedding(states.clone().narrow(0, 0, pool))
                    .try_into_vec_as::<f32>()
                    .map_err(dnd_model::Error::device)?;
                Ok((manifest.task.clone(), embedding))
            })
            .collect()
    }

    /// For each weight token how much it counts in the loss: its deviation over the checkpoints,
    /// divided by the mean deviation, as published. Shape (1, T, 1, 1).
    pub(super) fn token_weights(&self) -> Tensor<4> {
        let scale = &self.statistics.scale;
        let mean = scale.iter().sum::<f32>() / scale.len() as f32;
        let weights: Vec<f32> = scale.iter().map(|value| value / mean).collect();
        let shape = [1, weights.len(), 1, 1];
        Tensor::from_data(TensorData::new(weights, shape), &self.device)
    }

    /// Draws training pairs: a task, one of its checkpoints, N of its prompts, with noise on both.
    ///
    /// # Errors
    /// When a snapshot cannot be read.
    pub(super) fn draw(
        &self,
        settings: &WeightsSettings,
        random: &mut ChaCha12Rng,
    ) -> Result<Pairs, Error> {
        let mut conditions = Vec::with_capacity(settings.batch);
        let mut targets = Vec::with_capacity(settings.batch);
        for _ in 0..settings.batch {
            let task = random.random_range(0..self.manifests.len());
            let snapshot = random.random_range(0..self.manifests[task].snapshots);
            let pool = self.training_pool(task, settings);
            conditions.push(self.condition(task, 0..pool, random));
            targets.push(self.target(task, snapshot)?);
        }
        self.device.seed(random.random());
        let noise = |tensor: Tensor<4>, deviation: f64| {
            if deviation == 0.0 {
                return tensor;
            }
            let noise = tensor.random_like(Distribution::Normal(0.0, deviation));
            tensor + noise
        };
        Ok((
            noise(Tensor::stack(conditions, 0), settings.condition_noise),
            noise(Tensor::stack(targets, 0), settings.target_noise),
        ))
    }

    /// A pair for validation: prompts of `task` that training does not see, its last checkpoint.
    ///
    /// # Errors
    /// When a snapshot cannot be read.
    pub(super) fn validation(
        &self,
        task: usize,
        settings: &WeightsSettings,
        random: &mut ChaCha12Rng,
    ) -> Result<Pairs, Error> {
        let all = self.states[task].dims()[0];
        let pool = self.training_pool(task, settings);
        let unseen = if pool < all { pool..all } else { 0..all };
        let last = self.manifests[task].snapshots - 1;
        Ok((
            self.condition(task, unseen, random).unsqueeze_dim(0),
            self.target(task, last)?.unsqueeze_dim(0),
        ))
    }

    /// How many prompts of a task serve training: with few prompts, three quarters of them.
    fn training_pool(&self, task: usize, settings: &WeightsSettings) -> usize {
        let all = self.states[task].dims()[0];
        all - settings.validation_prompts.min(all / 4)
    }

    /// N hidden states (N, L, C) drawn from `range` of a task's prompts, without repetition where
    /// there are enough.
    fn condition(
        &self,
        task: usize,
        range: std::ops::Range<usize>,
        random: &mut ChaCha12Rng,
    ) -> Tensor<3> {
        let order = index::sample(random, range.len(), range.len());
        let places: Vec<i32> = order
            .into_iter()
            .map(|index| (range.start + index) as i32)
            .cycle()
            .take(self.prompts)
            .collect();
        let places = Tensor::from_data(places.as_slice(), &self.device);
        self.states[task].clone().select(0, places)
    }

    /// Normalised weight tokens (T, rows, columns) of a checkpoint.
    fn target(&self, task: usize, snapshot: usize) -> Result<Tensor<3>, Error> {
        let adapter = self
            .collection
            .snapshot(&self.manifests[task].task, snapshot)?;
        let mut values = tokens::from_adapter(&adapter)?;
        self.statistics.normalize(&mut values);
        Ok(Tensor::from_data(
            TensorData::new(values, self.output),
            &self.device,
        ))
    }
}
