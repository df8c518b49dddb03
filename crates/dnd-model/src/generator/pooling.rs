//! Attention pooling: learned queries read the tokens of all prompts.
//!
//! The queries attend over all tokens of all prompts together, so that the order of the prompts
//! does not matter, any number of them can be read, and a query can find a single word such as
//! "first". The tokens are normalized by their mean and deviation over the training prompts,
//! because what all prompts share is large beside what tells tasks apart.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};
use dnd_kernels::pool;
use rand::Rng;
use rand_chacha::ChaCha12Rng;

use crate::{Error, Weights};

/// Smallest deviation that tokens are divided by; some channels of MiniLM are constant.
const SMALLEST_DEVIATION: f32 = 0.02;
/// Initial queries are uniform within this limit, with a deviation of 1.
const LIMIT: f32 = 1.732;

/// Attention pooling, from a condition (B, N, L, C) to a block (B, queries, positions, C).
#[derive(Module, Debug)]
pub struct Pooling {
    /// Mean of the tokens of the training prompts, C values; not trained.
    pub mean: Param<Tensor<1>>,
    /// Their deviation, C values; not trained.
    pub deviation: Param<Tensor<1>>,
    /// The queries (queries * positions, C).
    pub queries: Param<Tensor<2>>,
}

impl Pooling {
    /// Random queries for a block of `shape` (queries, positions, C), and no normalization.
    pub(super) fn random(
        [queries, positions, width]: [usize; 3],
        random: &mut ChaCha12Rng,
        device: &Device,
    ) -> Self {
        let shape = [queries * positions, width];
        let values: Vec<f32> = (0..shape[0] * shape[1])
            .map(|_| random.random_range(-LIMIT..LIMIT))
            .collect();
        Self {
            mean: constant(Tensor::zeros([width], device)),
            deviation: constant(Tensor::ones([width], device)),
            queries: Param::from_tensor(Tensor::from_data(TensorData::new(values, shape), device)),
        }
    }

    /// Loads the pooling of a bundle.
    pub(super) fn load(
        [queries, positions, width]: [usize; 3],
        weights: &Weights,
        device: &Device,
    ) -> Result<Self, Error> {
        let constant = |name: &str| {
            let name = format!("generator.pooling.{name}");
            let parameter = weights.parameter(&name, [width], device)?;
            Ok::<_, Error>(parameter.set_require_grad(false))
        };
        let shape = [queries.saturating_mul(positions), width];
        let name = "generator.pooling.deviation";
        let values = weights.values(name, &[width])?;
        if let Some(value) = values.iter().find(|value| value.is_nan() || **value <= 0.0) {
            let (source_name, expected) = (weights.source_name(), "positive numbers");
            return Err(Error::field(source_name, name, expected, value));
        }
        Ok(Self {
            mean: constant("mean")?,
            deviation: constant("deviation")?,
            queries: weights.parameter("generator.pooling.queries", shape, device)?,
        })
    }

    /// Sets mean and deviation (C values each) of the training prompts' tokens.
    pub fn set_statistics(&mut self, mean: Vec<f32>, deviation: Vec<f32>) {
        let device = self.mean.device();
        let width = mean.len();
        let deviation: Vec<f32> = deviation
            .into_iter()
            .map(|deviation| deviation.max(SMALLEST_DEVIATION))
            .collect();
        let tensor = |values| Tensor::from_data(TensorData::new(values, [width]), &device);
        self.mean = constant(tensor(mean));
        self.deviation = constant(tensor(deviation));
    }

    /// The block (B, queries, positions, C) of a condition (B, N, L, C), which is zero at padding.
    pub fn forward(&self, condition: Tensor<4>, [queries, positions, _]: [usize; 3]) -> Tensor<4> {
        let (mean, deviation) = (self.mean.val(), self.deviation.val());
        let pooled = pool(condition, self.queries.val(), mean, deviation);
        let [batch, _, width] = pooled.dims();
        pooled.reshape([batch, queries, positions, width])
    }
}

fn constant<const D: usize>(tensor: Tensor<D>) -> Param<Tensor<D>> {
    Param::from_tensor(tensor).set_require_grad(false)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    const BLOCK: [usize; 3] = [2, 1, 3];

    fn pooling() -> Pooling {
        let mut random = ChaCha12Rng::seed_from_u64(1);
        let mut pooling = Pooling::random(BLOCK, &mut random, &Device::flex());
        pooling.set_statistics(vec![0.5, 0.0, -0.5], vec![2.0, 1.0, 0.0]);
        pooling
    }

    fn pool(prompts: &[[f32; 6]]) -> Vec<f32> {
        let values: Vec<f32> = prompts.concat();
        let shape = [1, prompts.len(), 2, 3];
        let condition = Tensor::from_data(TensorData::new(values, shape), &Device::flex());
        pooling()
            .forward(condition, BLOCK)
            .try_into_vec_as::<f32>()
            .unwrap()
    }

    const FIRST: [f32; 6] = [1.0, 2.0, -0.4, 0.5, -1.0, -0.6];
    const SECOND: [f32; 6] = [-2.0, 0.3, -0.5, 0.0, 0.0, 0.0];

    fn agree(left: &[f32], right: &[f32]) {
        for (left, right) in left.iter().zip(right) {
            assert!((left - right).abs() < 1e-5, "{left} {right}");
        }
    }

    #[test]
    fn the_order_of_prompts_and_padding_do_not_matter() {
        let expected = pool(&[FIRST, SECOND]);
        agree(&pool(&[SECOND, FIRST]), &expected);
        agree(&pool(&[FIRST, [0.0; 6], SECOND]), &expected);
    }

    #[test]
    fn deviations_that_cannot_be_divided_by_are_refused() {
        let config = crate::GeneratorConfig {
            features: vec![BLOCK, [1, 1, 2]],
            kernel_size: 1,
            prompt_kernel_size: 1,
            pooling: true,
            expansion: None,
        };
        let device = Device::flex();
        let generator = config.init(0, &device);
        let mut tensors = generator.to_tensors(dnd_adapter::Precision::F32).unwrap();
        config.load(&tensors, "my.bundle", &device).unwrap();
        for value in [0.0, -1.0, f32::NAN] {
            let deviation = tensors.get_mut("generator.pooling.deviation").unwrap();
            deviation.data[1] = value;
            let error = config.load(&tensors, "my.bundle", &device).unwrap_err();
            let message = error.to_string();
            assert!(message.contains("my.bundle") && message.contains("deviation"));
        }
    }

    #[test]
    fn one_token_is_pooled_to_itself() {
        // (token - mean) / deviation, the last deviation raised to 0.02.
        let expected = [-1.25, 0.3, 0.0];
        agree(&pool(&[SECOND]), &[expected, expected].concat());
    }
}
