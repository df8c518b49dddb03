//! The expansion: features of every module of every layer to differences of `B`.
//!
//! One matrix per module type is shared by all layers, so that what a step teaches one layer moves
//! all (as in HyperFormer++, arXiv 2106.04489, and Text-to-LoRA, arXiv 2506.06105). `A` keeps the
//! mean adapter's values: tasks that share `A` and have their own `B` lose little (HydraLoRA,
//! arXiv 2404.19245).

use std::collections::BTreeMap;

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};
use rand::Rng;
use rand_chacha::ChaCha12Rng;
use serde::{Deserialize, Serialize};

use crate::{Error, Weights};

/// Largest difference of the initial gains from 1, and of the initial shifts from 0.
const SPREAD: f32 = 0.5;
/// Added to the variance of features.
const EPSILON: f32 = 1e-5;

/// What the expansion writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExpansionConfig {
    /// For each module type, for each module of it, layer by layer, its weight tokens of `B`. The
    /// features are in the same order.
    pub tokens: Vec<Vec<Vec<usize>>>,
    /// Shape (weight tokens, rows, columns) of the output.
    pub output: [usize; 3],
}

impl ExpansionConfig {
    /// Modules of all types.
    pub fn modules(&self) -> usize {
        self.tokens.iter().map(Vec::len).sum()
    }

    /// Weight tokens of a module of each type.
    fn lengths(&self) -> impl Iterator<Item = usize> {
        let types = self.tokens.iter();
        types.map(|modules| modules.first().map_or(0, Vec::len))
    }

    /// Number of trained parameters for blocks of `width` features.
    pub(super) fn parameter_count(&self, width: usize) -> usize {
        let [_, rows, columns] = self.output;
        let tiles: usize = self.lengths().fold(0, usize::saturating_add);
        let product = |sizes: [usize; 4]| sizes.into_iter().fold(1, usize::saturating_mul);
        product([tiles, rows, columns, width]).saturating_add(product([
            2,
            self.modules(),
            width,
            1,
        ]))
    }

    /// Checks the sizes against blocks of features.
    ///
    /// # Errors
    /// [`Error::Field`] for the first that does not fit.
    pub(super) fn validate(&self, features: [usize; 3], source_name: &str) -> Result<(), Error> {
        if features[0] != self.modules() || self.output.contains(&0) {
            return Err(Error::field(
                source_name,
                "expansion",
                &format!("{} modules and a positive output", features[0]),
                format!("{} modules and {:?}", self.modules(), self.output),
            ));
        }
        let is_even = |modules: &Vec<Vec<usize>>| {
            let mut pairs = modules.windows(2);
            !modules.is_empty() && pairs.all(|pair| pair[0].len() == pair[1].len())
        };
        let mut all: Vec<usize> = self.tokens.iter().flatten().flatten().copied().collect();
        all.sort_unstable();
        let is_distinct = all.windows(2).all(|pair| pair[0] < pair[1]);
        let is_inside = all.last().is_some_and(|&token| token < self.output[0]);
        if !(self.tokens.iter().all(is_even) && is_distinct && is_inside) {
            return Err(Error::field(
                source_name,
                "expansion.tokens",
                &format!(
                    "distinct numbers below {}, equally many for each module of a type",
                    self.output[0]
                ),
                format!("{} numbers", all.len()),
            ));
        }
        Ok(())
    }
}

/// The expansion, from features (B, modules, rows, columns) to differences of weight tokens
/// (B, T, rows, columns), zero where no module of the config writes.
#[derive(Module, Debug)]
pub struct Expansion {
    /// Gain of each feature (modules, F).
    pub gain: Param<Tensor<2>>,
    /// Shift of each feature (modules, F).
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
        let shape = [config.modules(), width];
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
            matrices: config.lengths().map(matrix).collect(),
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
        let matrices = config.lengths().enumerate().map(|(number, length)| {
            let numbers = length.saturating_mul(rows).saturating_mul(columns);
            let name = format!("generator.expansion.matrices.{number}");
            weights.parameter(&name, [width, numbers], device)
        });
        let shape = [config.modules(), width];
        Ok(Self {
            gain: weights.parameter("generator.expansion.gain", shape, device)?,
            shift: weights.parameter("generator.expansion.shift", shape, device)?,
            matrices: matrices.collect::<Result<_, _>>()?,
        })
    }

    /// Differences of the weight tokens (B, T, rows, columns) for features of any shape
    /// (B, modules, ...).
    pub fn forward(&self, features: Tensor<4>, config: &ExpansionConfig) -> Tensor<4> {
        let [batch, modules, rows, columns] = features.dims();
        let width = rows * columns;
        let features = features.reshape([batch, modules, width]);
        let centred = features.clone() - features.mean_dim(2);
        let deviation = (centred.clone().square().mean_dim(2) + EPSILON).sqrt();
        let parameter = |parameter: &Param<Tensor<2>>| parameter.val().unsqueeze_dim(0);
        let features = centred / deviation * parameter(&self.gain) + parameter(&self.shift);
        let features = features / (width as f32).sqrt();

        let [count, rows, columns] = config.output;
        let mut places = vec![0; count];
        let mut written = 0;
        let mut start = 0;
        let mut tiles = Vec::with_capacity(config.tokens.len() + 1);
        for (matrix, modules) in self.matrices.iter().zip(&config.tokens) {
            let layers = modules.len();
            let of_type = features.clone().narrow(1, start, layers);
            start += layers;
            let of_type = of_type.reshape([batch * layers, width]);
            let length = modules.first().map_or(0, Vec::len);
            let differences = of_type.matmul(matrix.val());
            tiles.push(differences.reshape([batch, layers * length, rows, columns]));
            for &token in modules.iter().flatten() {
                places[token] = written + 1;
                written += 1;
            }
        }
        // Tokens that no module writes select the zero tile in front.
        let zero = Tensor::zeros([batch, 1, rows, columns], &features.device());
        tiles.insert(0, zero);
        let places: Vec<i32> = places.into_iter().map(|place| place as i32).collect();
        let places = Tensor::from_data(places.as_slice(), &features.device());
        Tensor::cat(tiles, 1).select(1, places)
    }
}

/// Groups a layout's modules by type: for each projection, layer by layer, the tokens of `B`.
///
/// # Errors
/// When the layout has no weight tokens.
pub fn tokens_of_b(layout: &dnd_adapter::Layout) -> Result<Vec<Vec<Vec<usize>>>, Error> {
    use dnd_adapter::tokens::{Factor, spans};

    let spans = spans(layout)?;
    let mut types: BTreeMap<_, Vec<Vec<usize>>> = BTreeMap::new();
    let mut next = spans.iter().enumerate().peekable();
    for module in &layout.modules {
        while next.next_if(|(_, span)| span.factor == Factor::A).is_some() {}
        let mut of_b = Vec::new();
        let tiles = module.out_features.div_ceil(layout.tile_width());
        for (token, _) in next.by_ref().take(tiles) {
            of_b.push(token);
        }
        types.entry(module.projection).or_default().push(of_b);
    }
    Ok(types.into_values().collect())
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn each_module_writes_its_own_tokens() {
        // Two types of two layers; token 2 belongs to an `A`.
        let config = ExpansionConfig {
            tokens: vec![vec![vec![0], vec![4]], vec![vec![1], vec![3]]],
            output: [5, 1, 2],
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
        let expected = [1.0, -1.0, 10.0, -10.0, 0.0, 0.0, -10.0, 10.0, -1.0, 1.0];
        for (value, expected) in values.iter().zip(expected) {
            assert!((value * 2f32.sqrt() - expected).abs() < 1e-3, "{values:?}");
        }
    }

    #[test]
    fn tokens_that_cannot_be_written_are_refused() {
        let config = |tokens| ExpansionConfig {
            tokens,
            output: [3, 1, 2],
        };
        let refused = |tokens, modules| {
            let message = config(tokens).validate([modules, 1, 2], "b").unwrap_err();
            assert!(message.to_string().contains("expansion"), "{message}");
        };
        config(vec![vec![vec![0, 2]]])
            .validate([1, 1, 2], "b")
            .unwrap();
        refused(vec![vec![vec![0, 2]]], 2);
        refused(vec![vec![vec![0, 3]]], 1);
        refused(vec![vec![vec![0], vec![0]]], 2);
        refused(vec![vec![vec![0], vec![1, 2]]], 2);
    }
}
