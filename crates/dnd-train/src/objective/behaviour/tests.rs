//! The gradients of a step against differences of its loss.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use dnd_adapter::{Layout, Projection, tokens};
use dnd_model::language::MatmulDtype;
use dnd_model::{ExpansionConfig, GeneratorConfig, LanguageModel, LanguageModelConfig, Weights};
use dnd_test_support::{llama_shapes, random_file};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;
use serde_json::json;

use super::learner::{Learner, MeanTokens};
use super::loss::{Drawn, TaskLoss, Work};
use super::settings::BehaviourSettings;
use crate::collect::initial_adapter;
use crate::example::Example;

const VOCABULARY: usize = 24;
const HIDDEN: usize = 16;

fn numbers(count: usize, limit: f32, random: &mut ChaCha12Rng) -> Vec<f32> {
    let numbers = (0..count).map(|_| random.random_range(-limit..limit));
    numbers.collect()
}

fn settings(token_limit: usize, recompute: bool) -> BehaviourSettings {
    BehaviourSettings {
        token_limit,
        recompute,
        ..BehaviourSettings::default()
    }
}

/// A Llama model with random weights.
fn language_model(layers: usize, seed: u64) -> LanguageModel {
    let config = json!({
        "model_type": "llama", "hidden_act": "silu", "vocab_size": VOCABULARY,
        "hidden_size": HIDDEN, "intermediate_size": 24, "num_hidden_layers": layers,
        "num_attention_heads": 2, "num_key_value_heads": 1, "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0, "tie_word_embeddings": true,
    });
    let config = LanguageModelConfig::from_json(&config.to_string(), "config.json").unwrap();
    let shapes = llama_shapes(VOCABULARY, [HIDDEN, 24, 8], layers);
    let bytes = random_file(&shapes, 0.5, seed);
    let weights = Weights::from_safetensors(&bytes, "model").unwrap();
    config
        .load(&weights, MatmulDtype::F32, &Device::flex())
        .unwrap()
}

/// Adds to one number of one parameter; with none to add to, moves all numbers at random, so that
/// no layer is zero.
struct Nudge<'a> {
    /// Number of the parameter, place in it, what to add.
    only: Option<(usize, usize, f32)>,
    random: &'a mut ChaCha12Rng,
    seen: usize,
}

impl ModuleMapper for Nudge<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let number = self.seen;
        self.seen += 1;
        param.map(|tensor| {
            let (device, shape) = (tensor.device(), tensor.dims());
            let mut values = tensor.inner().try_into_vec_as::<f32>().unwrap();
            match self.only {
                Some((parameter, place, by)) if parameter == number => values[place] += by,
                Some(_) => (),
                None => {
                    for value in &mut values {
                        *value += self.random.random_range(-0.2..0.2);
                    }
                }
            }
            Tensor::from_data(TensorData::new(values, shape), &device).require_grad()
        })
    }
}

fn nudge<M: Module>(module: M, only: Option<(usize, usize, f32)>, random: &mut ChaCha12Rng) -> M {
    module.map(&mut Nudge {
        only,
        random,
        seen: 0,
    })
}

/// The largest gradient of each parameter: its place and value.
struct Largest<'a> {
    gradients: &'a GradientsParams,
    found: Vec<(usize, f32)>,
}

impl ModuleVisitor for Largest<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let gradient = self.gradients.get::<D>(param.id).unwrap();
        let values = gradient.try_into_vec_as::<f32>().unwrap();
        let largest = values.into_iter().enumerate();
        let largest = largest.max_by(|(_, a), (_, b)| a.abs().total_cmp(&b.abs()));
        self.found.push(largest.unwrap());
    }
}

fn largest<M: Module>(module: &M, gradients: &GradientsParams) -> Vec<(usize, f32)> {
    let mut visitor = Largest {
        gradients,
        found: Vec::new(),
    };
    module.visit(&mut visitor);
    visitor.found
}

/// Half of the distance over which differences are taken.
const STEP: f32 = 4e-3;

fn small_adapter(model: &LanguageModel) -> Layout {
    let dimensions = &model.config().dimensions;
    Layout::new("base", dimensions, 2, 4.0, &Projection::ALL).unwrap()
}

#[test]
fn gradients_of_the_published_form_are_those_of_the_loss() {
    let model = language_model(1, 1);
    let layout = small_adapter(&model);
    let output = tokens::shape(&layout).unwrap();
    let config = GeneratorConfig {
        features: vec![[3, 4, 5], [6, 2, 4], output],
        kernel_size: 3,
        prompt_kernel_size: 1,
        pooling: false,
        expansion: None,
    };
    gradients_agree(&model, &layout, &config, [3, 3]);
}

#[test]
fn gradients_of_pooling_and_expansion_are_those_of_the_loss() {
    let model = language_model(1, 1);
    let layout = small_adapter(&model);
    let expansion = ExpansionConfig::new(&layout).unwrap();
    let config = GeneratorConfig {
        features: vec![[3, 2, 5], [6, 2, 4], [expansion.blocks(), 2, 3]],
        kernel_size: 3,
        prompt_kernel_size: 1,
        pooling: true,
        expansion: Some(expansion),
    };
    // Conditions of different numbers of prompts.
    gradients_agree(&model, &layout, &config, [3, 1]);
}

/// Asserts that the gradients of three tasks' loss are its differences; `prompts` are those of the
/// first and the last task.
fn gradients_agree(
    model: &LanguageModel,
    layout: &Layout,
    config: &GeneratorConfig,
    prompts: [usize; 2],
) {
    let mut random = ChaCha12Rng::seed_from_u64(5);
    let output = config.output();
    let device = Device::flex();
    let recording = device.clone().autodiff();
    let mean = tokens::from_adapter(&initial_adapter(layout, 1)).unwrap();
    let scale = numbers(output[0], 0.1, &mut random);
    let scale: Vec<f32> = scale.iter().map(|value| 0.3 + value).collect();
    let mut learner = Learner {
        generator: nudge(config.init(2, &recording), None, &mut random),
        mean: nudge(MeanTokens::new(mean, output, &recording), None, &mut random),
        scale: Learner::scale(&scale, &device),
    };

    let examples: Vec<Example> = (0..6)
        .map(|index| {
            let tokens = (0..7 + index % 3).map(|_| random.random_range(0..VOCABULARY as u32));
            Example {
                tokens: tokens.collect(),
                answer_start: 4,
            }
        })
        .collect();
    // The second of three tasks is answered with the mean adapter alone.
    let drawn: Vec<Drawn> = examples
        .chunks(2)
        .enumerate()
        .map(|(task, examples)| Drawn {
            condition: (task != 1).then(|| {
                let count = prompts[task / 2];
                let values = numbers(count * 4 * 5, 1.0, &mut random);
                Tensor::from_data(TensorData::new(values, [count, 4, 5]), &device)
            }),
            examples: examples.iter().collect(),
        })
        .collect();
    // Few enough tokens that a task's lines are computed in two parts.
    let objective = TaskLoss::new(model, layout, &settings(8, false));
    let all: Vec<&Drawn> = drawn.iter().collect();
    let conditions = all.iter().filter(|task| task.condition.is_some()).count();
    let compute = |learner: &Learner| {
        let gradients = objective.gradients(learner, &all, (all.len(), conditions));
        gradients.unwrap()
    };
    let gradients = compute(&learner);
    let loss = |learner: &Learner| compute(learner).loss;
    let agrees = |name: &str, exact: f32, higher: f32, lower: f32| {
        let difference = (higher - lower) / (2.0 * STEP);
        let tolerance = 0.03 * exact.abs() + 5e-4;
        assert!(
            (difference - exact).abs() < tolerance,
            "{name}: gradient {exact}, difference {difference}"
        );
    };

    let grad_generator = largest(&learner.generator, &gradients.generator.unwrap());
    let whole = learner.generator.clone();
    for (parameter, (place, exact)) in grad_generator.into_iter().enumerate() {
        let mut moved = |by: f32| {
            let only = Some((parameter, place, by));
            learner.generator = nudge(whole.clone(), only, &mut random);
            loss(&learner)
        };
        let (higher, lower) = (moved(STEP), moved(-STEP));
        agrees(&format!("generator {parameter}"), exact, higher, lower);
    }
    learner.generator = whole;

    let (place, exact) = largest(&learner.mean, &gradients.mean)[0];
    let whole = learner.mean.clone();
    let mut moved = |by: f32| {
        learner.mean = nudge(whole.clone(), Some((0, place, by)), &mut random);
        loss(&learner)
    };
    let (higher, lower) = (moved(STEP), moved(-STEP));
    agrees("mean", exact, higher, lower);
}

#[test]
fn without_conditions_the_mean_alone_has_gradients() {
    let model = language_model(1, 1);
    let layout = small_adapter(&model);
    let output = tokens::shape(&layout).unwrap();
    let config = GeneratorConfig {
        features: vec![[1, 1, 1], output],
        kernel_size: 1,
        prompt_kernel_size: 1,
        pooling: false,
        expansion: None,
    };
    let device = Device::flex();
    let recording = device.clone().autodiff();
    let mean = tokens::from_adapter(&initial_adapter(&layout, 1)).unwrap();
    let learner = Learner {
        generator: config.init(0, &recording),
        mean: MeanTokens::new(mean, output, &recording),
        scale: Learner::scale(&vec![1.0; output[0]], &device),
    };
    let example = Example {
        tokens: vec![1, 2, 3, 4],
        answer_start: 2,
    };
    let drawn = Drawn {
        condition: None,
        examples: vec![&example],
    };
    let objective = TaskLoss::new(&model, &layout, &settings(100, false));
    let gradients = objective.gradients(&learner, &[&drawn], (1, 0)).unwrap();
    assert!(gradients.generator.is_none() && gradients.square == 0.0);
    let (_, largest) = largest(&learner.mean, &gradients.mean)[0];
    assert!(largest.abs() > 1e-4, "{largest}");
}

#[test]
fn recomputed_gradients_are_those_of_one_graph() {
    let model = language_model(3, 1);
    // Not all layers and projections have an adapter.
    let mut layout = small_adapter(&model);
    layout
        .modules
        .retain(|module| module.layer != 1 && module.projection != Projection::Up);
    let output = tokens::shape(&layout).unwrap();
    let mut random = ChaCha12Rng::seed_from_u64(6);
    let device = Device::flex();
    let count = output.iter().product();
    let values = numbers(count, 0.3, &mut random);
    let tokens = Tensor::<3>::from_data(TensorData::new(values, output), &device);
    for prefix in [vec![], vec![5, 6, 7]] {
        let examples: Vec<Example> = [[1, 2, 3, 4], [9, 8, 3, 4]]
            .into_iter()
            .map(|own| Example {
                tokens: prefix.iter().copied().chain(own).collect(),
                answer_start: prefix.len() + 2,
            })
            .collect();
        let work = Work::new(tokens.clone(), &examples.iter().collect::<Vec<_>>(), 1.0);
        let [plain, recomputed] = [false, true].map(|recompute| {
            let objective = TaskLoss::new(&model, &layout, &settings(100, recompute));
            let (loss, gradient) = objective.work_gradient(&work).unwrap();
            (loss, gradient.try_into_vec_as::<f32>().unwrap())
        });
        assert!((plain.0 - recomputed.0).abs() < 1e-6);
        let largest = plain
            .1
            .iter()
            .fold(0f32, |largest, value| largest.max(value.abs()));
        assert!(largest > 1e-3, "{largest}");
        for (plain, recomputed) in plain.1.iter().zip(&recomputed.1) {
            assert!(
                (plain - recomputed).abs() < 1e-5 * largest.max(1.0),
                "{plain} {recomputed}"
            );
        }
    }
}
