//! What a recipe costs on a base model: sizes, memory and tokens, from its configuration alone.

use dnd_adapter::{Layout, Projection};
use dnd_model::language::{LanguageModelConfig, MatmulDtype};
use serde::Serialize;

use crate::{Error, Recipe};

/// Channels and parameters of the text encoder, all-MiniLM-L6-v2. The published generators read
/// all-MiniLM-L12-v2, which has as many channels and 10.6 million parameters more.
const ENCODER: (usize, usize) = (384, 22_713_216);
/// Bytes of a number in f32.
const F32: usize = 4;
/// Bytes of a number in f16.
const F16: usize = 2;
/// Copies of a trained number: itself, gradient, two moments of AdamW, moving average.
const TRAINED: usize = 5;
/// Copies of the weight tokens that a step predicts for each task: output, difference, what the
/// base model gets, their gradients.
const PREDICTED: usize = 5;
/// Bytes of the program, mapped files and encoded prompts when training on a hundred tasks.
const REST: usize = 200_000_000;
/// Activations that a layer of the cascade keeps for its gradients, of its input's and output's
/// size.
const CASCADE: usize = 6;

/// The cost of a recipe on a base model. Memory is estimated: what is counted is written beside
/// each number. That of training on behaviour was compared with SmolLM2-135M alone, in f32 on 61
/// tasks and two cores: 2.9 GB were measured with the shipped recipe, and 2.5 GB with one line a
/// task, where 3.5 and 2.5 GB are planned. Lines are planned as long as the recipe allows.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// Architecture of the base model.
    pub architecture: String,
    /// Its layers.
    pub layers: usize,
    /// Its hidden size.
    pub hidden: usize,
    /// Its parameters.
    pub base_parameters: usize,
    /// Modules that the adapter covers.
    pub modules: usize,
    /// Projections that the adapter covers in a layer.
    pub targets: Vec<Projection>,
    /// Rank of the adapter.
    pub rank: usize,
    /// Parameters of the adapter.
    pub adapter_parameters: usize,
    /// Bytes of the adapter in f16, without the headers of its files.
    pub adapter_bytes: usize,
    /// Shapes (N, L, C) between the layers of the generator.
    pub features: Vec<[usize; 3]>,
    /// Parameters of the generator, without the mean adapter.
    pub generator_parameters: usize,
    /// Multiplications and additions of a generation, without the encoder's.
    pub generator_flops: u64,
    /// Bytes of the bundle, without the embeddings of training tasks (768 bytes each).
    pub bundle_bytes: usize,
    /// Bytes of memory for generating: encoder, generator, mean adapter, adapter, the largest
    /// activations.
    pub generating_bytes: usize,
    /// Bytes of memory for training on weights: five copies of the generator, activations of a
    /// batch of conditions.
    pub weights_training_bytes: usize,
    /// Bytes of memory for training on behaviour: five copies of generator, mean adapter and each
    /// task's prediction, the base model, packed twice in f32 or bfloat16 or once in 16 bits, its
    /// activations for the tokens that each core computes at once, 200 MB for the rest. Nothing if
    /// the recipe can only be planned.
    pub behaviour_training_bytes: Option<usize>,
    /// Cores that the behaviour objective is planned for.
    pub cores: usize,
    /// Most tokens that the base model reads in a step of training on behaviour.
    pub tokens_a_step: usize,
}

impl Plan {
    /// The cost of `recipe` on `base`, whose frozen weights are kept as `matmul_dtype` says, on a
    /// machine with this many cores.
    ///
    /// # Errors
    /// When the recipe does not fit the base model.
    pub fn new(
        base: &LanguageModelConfig,
        recipe: &Recipe,
        matmul_dtype: MatmulDtype,
        cores: usize,
    ) -> Result<Self, Error> {
        let dimensions = &base.dimensions;
        let collect = &recipe.collect;
        let layout = Layout::new(
            "base",
            dimensions,
            collect.rank,
            collect.alpha,
            &collect.targets,
        )?;
        let (channels, encoder_parameters) = ENCODER;
        let config = recipe.generator.planned(channels, &layout)?;
        config.validate("recipe")?;

        let generator = config.parameter_count();
        let adapter = layout.parameter_count();
        let mean = volume(&config.output());
        // With an expansion, which the behaviour objective trains, the matrices and the mean
        // adapter are int8; all else is f16.
        let quantized = match &config.expansion {
            Some(expansion) => expansion.matrix_count(config.last_width()) + mean,
            None => 0,
        };
        let bundle = quantized + F16 * (generator + mean - quantized);

        let largest = config.features.iter().map(volume).max();
        let generating = encoder_parameters + generator + mean + adapter;
        let generating = F32 * (generating + 3 * largest.unwrap_or_default());

        let cascade: usize = config.features.iter().map(volume).sum();
        let cascade = F32 * CASCADE * cascade;
        let weights = &recipe.weights;
        let on_weights = F32 * TRAINED * generator + weights.batch * cascade;

        let behaviour = &recipe.behaviour;
        let lines = behaviour.examples_per_task * behaviour.longest_line;
        let at_once = lines.min(behaviour.token_limit.max(behaviour.longest_line));
        let base_parameters = base.parameter_count();
        let tasks = behaviour.tasks_per_step;
        // Bytes of a number, packed for the products of both directions.
        let frozen = match matmul_dtype {
            MatmulDtype::F32 => 2 * F32,
            MatmulDtype::Bf16 => 2 * F16,
            MatmulDtype::Stored => F16,
        };
        let on_behaviour = F32
            * (TRAINED * (generator + mean)
                + PREDICTED * tasks * mean
                + encoder_parameters
                + cores.min(tasks) * at_once * activations(base, behaviour.recompute))
            + frozen * base_parameters
            + tasks * cascade
            + REST;
        let is_trained = recipe.generator.published_tile.is_none();

        Ok(Self {
            architecture: dimensions.architecture.clone(),
            layers: dimensions.num_layers,
            hidden: dimensions.hidden_size,
            base_parameters,
            modules: layout.modules.len(),
            targets: layout.targets(),
            rank: collect.rank,
            adapter_parameters: adapter,
            adapter_bytes: F16 * adapter,
            generator_flops: config.flops(),
            features: config.features,
            generator_parameters: generator,
            bundle_bytes: bundle,
            generating_bytes: generating,
            weights_training_bytes: on_weights,
            behaviour_training_bytes: is_trained.then_some(on_behaviour),
            cores,
            tokens_a_step: tasks * lines,
        })
    }

    /// What exceeds the recipe's budget, in words.
    pub fn excess(&self, recipe: &Recipe) -> Vec<String> {
        let budget = recipe.budget;
        let limits = [
            (
                "bundle_mb",
                budget.bundle_mb,
                self.bundle_bytes as f64 / 1e6,
            ),
            (
                "training_gb",
                budget.training_gb,
                self.behaviour_training_bytes.unwrap_or_default() as f64 / 1e9,
            ),
        ];
        let excess = limits.into_iter().filter_map(|(name, limit, found)| {
            let limit = limit.filter(|limit| found > *limit)?;
            Some(format!(
                "budget.{name}: expected at most {limit}, found {found:.1}"
            ))
        });
        excess.collect()
    }
}

/// Numbers that are kept of a token for gradients. A layer keeps hidden states, the inputs and
/// outputs of all projections, and the product of gate and up; where layers are computed again, all
/// of them but one keep a hidden state.
fn activations(base: &LanguageModelConfig, recompute: bool) -> usize {
    let dimensions = &base.dimensions;
    let heads = dimensions.num_attention_heads + 2 * dimensions.num_key_value_heads;
    let layer = 8 * dimensions.hidden_size
        + 2 * heads * dimensions.head_dim
        + 4 * dimensions.intermediate_size;
    if recompute {
        dimensions.num_layers * dimensions.hidden_size + layer
    } else {
        dimensions.num_layers * layer
    }
}

fn volume(shape: &[usize; 3]) -> usize {
    shape.iter().product()
}
