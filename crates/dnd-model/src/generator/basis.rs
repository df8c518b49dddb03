//! The basis head: adds a mix of learned tiles, weighted by the mean embedding of the prompts.
//!
//! The hyper-convolutional decoder sees every token of every prompt, but only a small part of
//! that input separates the tasks, and the decoder learns it slowly. The head takes the mean
//! embedding of the prompts, projects it onto the directions in which the training tasks
//! differ, and adds the resulting mix of learned tiles. It covers some of the weight tokens:
//! those of `B`, because tasks that share `A` and have their own `B` lose little (HydraLoRA,
//! arXiv 2404.19245).

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};
use dnd_kernels::{mean_embedding, mixing_coefficients};
use serde::{Deserialize, Serialize};

use crate::{Error, Weights};

/// Sizes of a basis head.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BasisConfig {
    /// Number K of learned tiles that are mixed, for each weight token covered.
    pub count: usize,
    /// Norm of the mixing coefficients. The larger it is, the faster the head learns relative
    /// to the decoder.
    pub gain: f32,
    /// Indices of the weight tokens that the head adds to, ascending.
    pub tokens: Vec<usize>,
}

/// The basis head, from a condition (B, N, L, C) to an addend of the weight tokens
/// (B, T, rows, columns).
#[derive(Module, Debug)]
pub struct Basis {
    /// Mean embedding of the training tasks, C values; not trained.
    pub centre: Param<Tensor<1>>,
    /// Directions (C, K) in which the training tasks' embeddings differ, each divided by the
    /// standard deviation along it; not trained.
    pub directions: Param<Tensor<2>>,
    /// The learned tiles (K, tokens covered, rows * columns).
    pub tiles: Param<Tensor<3>>,
}

impl Basis {
    /// An all-zero head, which adds nothing.
    pub(super) fn zeros(
        config: &BasisConfig,
        width: usize,
        [_, rows, columns]: [usize; 3],
        device: &Device,
    ) -> Self {
        let shape = [config.count, config.tokens.len(), rows * columns];
        Self {
            centre: constant(Tensor::zeros([width], device)),
            directions: constant(Tensor::zeros([width, config.count], device)),
            tiles: Param::from_tensor(Tensor::zeros(shape, device)),
        }
    }

    /// Loads the head of a bundle.
    pub(super) fn load(
        config: &BasisConfig,
        width: usize,
        [_, rows, columns]: [usize; 3],
        weights: &Weights,
        device: &Device,
    ) -> Result<Self, Error> {
        let covered = config.tokens.len();
        let numbers = rows.saturating_mul(columns);
        Ok(Self {
            centre: weights
                .parameter("generator.basis.centre", [width], device)?
                .set_require_grad(false),
            directions: weights
                .parameter("generator.basis.directions", [width, config.count], device)?
                .set_require_grad(false),
            tiles: weights.parameter(
                "generator.basis.tiles",
                [config.count, covered, numbers],
                device,
            )?,
        })
    }

    /// Sets the parameters of the mixing coefficients: `centre` has C values, `directions` is
    /// (C, K), row-major.
    pub fn set_directions(&mut self, centre: Vec<f32>, directions: Vec<f32>) {
        let shape = self.directions.dims();
        let device = self.directions.device();
        self.centre = constant(Tensor::from_data(
            TensorData::new(centre, [shape[0]]),
            &device,
        ));
        self.directions = constant(Tensor::from_data(
            TensorData::new(directions, shape),
            &device,
        ));
    }

    /// Mixing coefficients (B, K) of a condition (B, N, L, C), zero at padding; each row has
    /// norm `gain`.
    fn coefficients(&self, condition: Tensor<4>, gain: f32) -> Tensor<2> {
        let embedding = mean_embedding(condition);
        mixing_coefficients(embedding, self.centre.val(), self.directions.val(), gain)
    }

    /// The addend of the weight tokens (B, T, rows, columns).
    pub fn forward(
        &self,
        condition: Tensor<4>,
        config: &BasisConfig,
        [count, rows, columns]: [usize; 3],
    ) -> Tensor<4> {
        let covered = config.tokens.len();
        let tiles = self.tiles.val();
        let tiles = tiles.reshape([config.count, covered * rows * columns]);
        let mixed = self.coefficients(condition, config.gain).matmul(tiles);
        let [batch, _] = mixed.dims();
        let device = mixed.device();
        let mixed = mixed.reshape([batch, covered, rows, columns]);
        // Tokens that are not covered select the zero tile at the end.
        let zero = Tensor::zeros([batch, 1, rows, columns], &device);
        let mut places = vec![covered as i32; count];
        for (place, &token) in config.tokens.iter().enumerate() {
            places[token] = place as i32;
        }
        let places = Tensor::from_data(places.as_slice(), &device);
        Tensor::cat(vec![mixed, zero], 1).select(1, places)
    }
}

fn constant<const D: usize>(tensor: Tensor<D>) -> Param<Tensor<D>> {
    Param::from_tensor(tensor).set_require_grad(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: [usize; 3] = [3, 1, 2];

    fn head() -> (Basis, BasisConfig) {
        let config = BasisConfig {
            count: 2,
            gain: 5.0,
            tokens: vec![0, 2],
        };
        let device = Device::flex();
        let mut basis = Basis::zeros(&config, 3, OUTPUT, &device);
        // Coefficient k is the projection onto axis k.
        basis.set_directions(vec![0.0, 0.0, 0.6], vec![1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
        let tiles = TensorData::new(
            vec![1.0f32, 2.0, 3.0, 4.0, 10.0, 20.0, 30.0, 40.0],
            [2, 2, 2],
        );
        basis.tiles = Param::from_tensor(Tensor::from_data(tiles, &device));
        (basis, config)
    }

    /// Two prompts of two tokens, one of them padding.
    fn condition(first: [f32; 3], second: [f32; 3]) -> Tensor<4> {
        let values = [first, [0.0; 3], second, [0.0; 3]].concat();
        Tensor::from_data(TensorData::new(values, [1, 2, 2, 3]), &Device::flex())
    }

    fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        let values = tensor.try_into_vec_as::<f32>().unwrap();
        values
            .iter()
            .map(|value| (value * 1e4).round() / 1e4)
            .collect()
    }

    #[test]
    fn coefficients_follow_the_mean_embedding() {
        let (basis, config) = head();
        // Both prompts, and so their mean, point along (0.6, 0.8); the coefficients have norm
        // 5.
        let prompts = condition([3.0, 4.0, 0.0], [0.6, 0.8, 0.0]);
        assert_eq!(values(basis.coefficients(prompts, config.gain)), [3.0, 4.0]);
    }

    #[test]
    fn only_covered_tokens_change() {
        let (basis, config) = head();
        let added = basis.forward(condition([1.0, 0.0, 0.0], [1.0, 0.0, 0.0]), &config, OUTPUT);
        assert_eq!(values(added), [5.0, 10.0, 0.0, 0.0, 15.0, 20.0]);
    }

    #[test]
    fn prompts_at_the_center_add_nothing() {
        let (basis, config) = head();
        let added = basis.forward(condition([0.0, 0.0, 1.0], [0.0, 0.0, 1.0]), &config, OUTPUT);
        assert_eq!(values(added), [0.0; 6]);
    }
}
