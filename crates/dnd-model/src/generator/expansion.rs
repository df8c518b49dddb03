//! The expansion: features of every module of every layer to differences of `B`.
//!
//! One matrix per module type is shared by all layers, so that what a step teaches one layer moves
//! all (as in HyperFormer++, arXiv 2106.04489, and Text-to-LoRA, arXiv 2506.06105). `A` keeps the
//! mean adapter's values: tasks that share `A` and have their own `B` lose little (HydraLoRA,
//! arXiv 2404.19245).

use burn::module::{Module as BurnModule, Param};
use burn::tensor::{Device, Tensor, TensorData};
use dnd_adapter::Layout;
use dnd_adapter::layout::Module;
use dnd_adapter::tokens::spans;
use dnd_kernels::layer_norm;
use rand::Rng;
use rand_chacha::ChaCha12Rng;
use serde::{Deserialize, Serialize};

use crate::{Error, Weights};

/// Bundle names of the matrices begin with this.
pub(crate) const MATRICES: &str = "generator.expansion.matrices";
/// Largest difference of the initial gains from 1, and of the initial shifts from 0.
const SPREAD: f32 = 0.5;
/// Added to the variance of features.
const EPSILON: f64 = 1e-5;

/// What the expansion writes: the same weight tokens of every layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpansionConfig {
    /// Layers of the base model.
    pub layers: usize,
    /// For each module type, the first of its weight tokens of `B` among those of a layer, and how
    /// many they are, in ascending order. The features are in this order, each type layer by layer.
    pub modules: Vec<[usize; 2]>,
    /// Shape (weight tokens, rows, columns) of the output.
    pub output: [usize; 3],
}

impl ExpansionConfig {
    /// What a layout's modules need.
    ///
    /// # Errors
    /// When the layout has no weight tokens, or its layers have different modules.
    pub fn new(layout: &Layout) -> Result<Self, Error> {
        let spans = spans(layout)?;
        let layers = layout.modules.iter().map(|module| module.layer).max();
        let layers = layers.map_or(0, |last| last + 1);
        let types = layout.modules.len() / layers.max(1);
        let (first, rest) = layout.modules.split_at(types);
        let like_first = |(index, module): (usize, &Module)| {
            let model = &first[index % types];
            module.projection == model.projection
                && (module.in_features, module.out_features)
                    == (model.in_features, model.out_features)
        };
        if !rest.len().is_multiple_of(types.max(1)) || !rest.iter().enumerate().all(like_first) {
            return Err(Error::field(
                "layout",
                "modules",
                "the same modules in every layer",
                "others",
            ));
        }
        let width = layout.tile_width();
        let mut start = 0;
        let modules = first.iter().map(|module| {
            let [of_a, of_b] =
                [module.in_features, module.out_features].map(|length| length.div_ceil(width));
            let tokens = [start + of_a, of_b];
            start += of_a + of_b;
            tokens
        });
        Ok(Self {
            modules: modules.collect(),
            layers,
            output: [spans.len(), layout.uniform_rank()?, width],
        })
    }

    /// Blocks of features: modules of all types and layers.
    pub fn blocks(&self) -> usize {
        self.layers.saturating_mul(self.modules.len())
    }

    /// Numbers of all matrices for blocks of `width` features.
    pub fn matrix_count(&self, width: usize) -> usize {
        let [_, rows, columns] = self.output;
        let tokens = self.modules.iter().map(|[_, count]| *count);
        let tokens = tokens.fold(0, usize::saturating_add);
        let sizes = [tokens, rows, columns, width];
        sizes.into_iter().fold(1, usize::saturating_mul)
    }

    /// Number of trained parameters for blocks of `width` features.
    pub(super) fn parameter_count(&self, width: usize) -> usize {
        let sizes = [2, self.blocks(), width];
        let gains_and_shifts = sizes.into_iter().fold(1, usize::saturating_mul);
        self.matrix_count(width).saturating_add(gains_and_shifts)
    }

    /// Multiplications and additions for blocks of `width` features.
    pub(super) fn flops(&self, width: usize) -> u64 {
        let [_, rows, columns] = self.output;
        let tokens: usize = self.modules.iter().map(|[_, count]| *count).sum();
        // In a browser, usize has only 32 bits.
        let sizes = [2, self.layers, tokens, rows, columns, width];
        sizes.into_iter().map(|size| size as u64).product()
    }

    /// Checks the sizes against blocks of features.
    ///
    /// # Errors
    /// [`Error::Field`] for the first that does not fit.
    pub(super) fn validate(&self, features: [usize; 3], source_name: &str) -> Result<(), Error> {
        if features[0] != self.blocks() || self.layers == 0 || self.output.contains(&0) {
            return Err(Error::field(
                source_name,
                "expansion",
                &format!("{} blocks and a positive output", features[0]),
                format!("{} blocks and {:?}", self.blocks(), self.output),
            ));
        }
        let of_layer = self.output[0] / self.layers;
        let mut free = 0;
        for &[first, count] in &self.modules {
            let end = first.checked_add(count).filter(|&end| end <= of_layer);
            if first < free || count == 0 || end.is_none() {
                return Err(Error::field(
                    source_name,
                    "expansion.modules",
                    &format!("ascending tokens below {of_layer}, each once"),
                    format!("{:?}", self.modules),
                ));
            }
            free = first + count;
        }
        if !self.output[0].is_multiple_of(self.layers) {
            let expected = format!("a multiple of the {} layers", self.layers);
            let found = self.output[0];
            return Err(Error::field(
                source_name,
                "expansion.output",
                &expected,
                found,
            ));
        }
        Ok(())
    }
}

/// Gain and shift of each feature (blocks, F).
pub(crate) struct FeatureScaling {
    gain: Tensor<2>,
    shift: Tensor<2>,
}

impl FeatureScaling {
    /// Loads those of a bundle, for features of `shape` (blocks, F).
    pub(crate) fn load(
        shape: [usize; 2],
        weights: &Weights,
        device: &Device,
    ) -> Result<Self, Error> {
        Ok(Self {
            gain: weights.tensor("generator.expansion.gain", shape, device)?,
            shift: weights.tensor("generator.expansion.shift", shape, device)?,
        })
    }

    /// Features of any shape (B, blocks, ...) as the matrices take them, (B, blocks, F): layer norm
    /// of each block, gain and shift, over the root of F.
    pub(crate) fn scale(&self, features: Tensor<4>) -> Tensor<3> {
        let [batch, blocks, rows, columns] = features.dims();
        let (width, device) = (rows * columns, features.device());
        let features = features.reshape([batch * blocks, width]);
        let (ones, zeros) = (
            Tensor::ones([width], &device),
            Tensor::zeros([width], &device),
        );
        let features = layer_norm(features, ones, zeros, EPSILON);
        let features = features.reshape([batch, blocks, width]);
        let features = features * self.gain.clone().unsqueeze_dim(0);
        (features + self.shift.clone().unsqueeze_dim(0)) / (width as f32).sqrt()
    }
}

/// The expansion, from features (B, blocks, rows, columns) to differences of weight tokens
/// (B, T, rows, columns), zero for those of `A`.
#[derive(BurnModule, Debug)]
pub struct Expansion {
    /// Gain of each feature (blocks, F).
    pub gain: Param<Tensor<2>>,
    /// Shift of each feature (blocks, F).
    pub shift: Param<Tensor<2>>,
    /// For each module type, the matrix (F, weight tokens of a module * rows * columns).
    pub matrices: Vec<Param<Tensor<2>>>,
}

impl Expansion {
    /// Random gains and shifts, and matrices of zeros, so that the first differences are zero.
    pub(super) fn random(
        config: &ExpansionConfig,
        width: usize,
        random: &mut ChaCha12Rng,
        device: &Device,
    ) -> Self {
        let shape = [config.blocks(), width];
        let mut around = |centre: f32| {
            let values: Vec<f32> = (0..shape[0] * shape[1])
                .map(|_| centre + random.random_range(-SPREAD..SPREAD))
                .collect();
            Param::from_tensor(Tensor::from_data(TensorData::new(values, shape), device))
        };
        let [_, rows, columns] = config.output;
        let matrix = |length: usize| {
            Param::from_tensor(Tensor::zeros([width, length * rows * columns], device))
        };
        Self {
            gain: around(1.0),
            shift: around(0.0),
            matrices: config
                .modules
                .iter()
                .map(|[_, count]| matrix(*count))
                .collect(),
        }
    }

    /// Loads the expansion of a bundle.
    pub(super) fn load(
        config: &ExpansionConfig,
        width: usize,
        weights: &Weights,
        device: &Device,
    ) -> Result<Self, Error> {
        let [_, rows, columns] = config.output;
        let modules = config.modules.iter().enumerate();
        let matrices = modules.map(|(number, [_, count])| {
            let numbers = count.saturating_mul(rows).saturating_mul(columns);
            weights.parameter(&format!("{MATRICES}.{number}"), [width, numbers], device)
        });
        let FeatureScaling { gain, shift } =
            FeatureScaling::load([config.blocks(), width], weights, device)?;
        Ok(Self {
            gain: Param::from_tensor(gain),
            shift: Param::from_tensor(shift),
            matrices: matrices.collect::<Result<_, _>>()?,
        })
    }

    /// Differences of the weight tokens (B, T, rows, columns) for features of any shape
    /// (B, blocks, ...).
    pub fn forward(&self, features: Tensor<4>, config: &ExpansionConfig) -> Tensor<4> {
        let scaling = FeatureScaling {
            gain: self.gain.val(),
            shift: self.shift.val(),
        };
        let features = scaling.scale(features);
        let [batch, _, width] = features.dims();

        let [count, rows, columns] = config.output;
        let layers = config.layers;
        let zeros = |tokens: usize| {
            Tensor::zeros([batch, layers, tokens * rows * columns], &features.device())
        };
        // The tokens of all layers, type by type; those in between are of `A`.
        let mut parts = Vec::with_capacity(2 * config.modules.len() + 1);
        let mut written = 0;
        for (number, (matrix, &[first, tokens])) in
            self.matrices.iter().zip(&config.modules).enumerate()
        {
            if first > written {
                parts.push(zeros(first - written));
            }
            let of_type = features.clone().narrow(1, number * layers, layers);
            let differences = of_type
                .reshape([batch * layers, width])
                .matmul(matrix.val());
            parts.push(differences.reshape([batch, layers, tokens * rows * columns]));
            written = first + tokens;
        }
        if count / layers > written {
            parts.push(zeros(count / layers - written));
        }
        Tensor::cat(parts, 2).reshape([batch, count, rows, columns])
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn each_module_writes_its_own_tokens() {
        // Two types in two layers of three tokens; the first of a layer belongs to an `A`.
        let config = ExpansionConfig {
            layers: 2,
            modules: vec![[1, 1], [2, 1]],
            output: [6, 1, 2],
        };
        config.validate([4, 1, 2], "test").unwrap();
        let device = Device::flex();
        let mut random = ChaCha12Rng::seed_from_u64(0);
        let mut expansion = Expansion::random(&config, 2, &mut random, &device);
        let constant = |values: Vec<f32>, shape: [usize; 2]| {
            Param::from_tensor(Tensor::from_data(TensorData::new(values, shape), &device))
        };
        expansion.gain = constant(vec![1.0; 8], [4, 2]);
        expansion.shift = constant(vec![0.0; 8], [4, 2]);
        let matrix = |scale: f32| constant(vec![scale, 0.0, 0.0, scale], [2, 2]);
        expansion.matrices = vec![matrix(1.0), matrix(10.0)];
        // Normalized, the features are (1, -1) or (-1, 1), over the root of 2.
        let features = vec![3.0f32, 1.0, 0.0, 7.0, 2.0, 0.0, 1.0, 5.0];
        let features = Tensor::from_data(TensorData::new(features, [1, 4, 1, 2]), &device);
        let output = expansion.forward(features, &config);
        let values = output.try_into_vec_as::<f32>().unwrap();
        let expected = [
            0.0, 0.0, 1.0, -1.0, 10.0, -10.0, 0.0, 0.0, -1.0, 1.0, -10.0, 10.0,
        ];
        for (value, expected) in values.iter().zip(expected) {
            assert!((value * 2f32.sqrt() - expected).abs() < 1e-3, "{values:?}");
        }
    }

    #[test]
    fn a_layout_decides_the_tokens() {
        let layout = dnd_test_support::small_layout();
        let config = ExpansionConfig::new(&layout).unwrap();
        let spans = spans(&layout).unwrap();
        let of_layer = spans.len() / config.layers;
        let of_b = |token: usize| spans[token].factor == dnd_adapter::tokens::Factor::B;
        for token in 0..spans.len() {
            let place = token % of_layer;
            let mut modules = config.modules.iter();
            let is_written = modules.any(|&[first, count]| (first..first + count).contains(&place));
            assert_eq!(is_written, of_b(token), "{token}");
        }
        let mut uneven = layout;
        let mut further = uneven.modules[0].clone();
        further.layer = uneven.modules.len();
        uneven.modules.push(further);
        assert!(ExpansionConfig::new(&uneven).is_err());
    }

    #[test]
    fn tokens_that_cannot_be_written_are_refused() {
        let check = |modules, blocks| {
            let config = ExpansionConfig {
                layers: 2,
                modules,
                output: [6, 1, 2],
            };
            config.validate([blocks, 1, 2], "b")
        };
        check(vec![[0, 1], [2, 1]], 4).unwrap();
        for (modules, blocks) in [
            (vec![[0, 1]], 4),
            (vec![[2, 2]], 2),
            (vec![[1, 1], [0, 1]], 4),
            (vec![[0, 0]], 2),
        ] {
            let message = check(modules, blocks).unwrap_err().to_string();
            assert!(message.contains("expansion"), "{message}");
        }
    }
}
