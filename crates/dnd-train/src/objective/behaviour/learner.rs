//! What is trained: the mean adapter, and the generator of differences from it.

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use dnd_model::Generator;

use crate::Error;
use crate::average::average;

/// The mean adapter as weight tokens, a parameter.
#[derive(Module, Debug)]
pub struct MeanTokens {
    tokens: Param<Tensor<3>>,
}

impl MeanTokens {
    /// Tokens of `shape` (T, rank, tile width) on an autodiff device.
    pub fn new(values: Vec<f32>, shape: [usize; 3], device: &Device) -> Self {
        let tokens = Tensor::from_data(TensorData::new(values, shape), device);
        Self {
            tokens: Param::from_tensor(tokens),
        }
    }

    /// The present values (T, rank, tile width), as constants.
    pub fn values(&self) -> Tensor<3> {
        self.tokens.val().inner()
    }

    /// The present values, row-major.
    ///
    /// # Errors
    /// When they cannot be read back from the device.
    pub fn to_vec(&self) -> Result<Vec<f32>, Error> {
        let values = self.values().try_into_vec_as::<f32>();
        Ok(values.map_err(dnd_model::Error::device)?)
    }

    /// A gradient that was computed elsewhere, for the optimizer.
    pub fn gradients(&self, gradient: Tensor<3>) -> GradientsParams {
        let mut gradients = GradientsParams::new();
        gradients.register(self.tokens.id, gradient);
        gradients
    }
}

/// An adapter is `mean + scale * generator(condition)`.
#[derive(Clone)]
pub struct Learner {
    /// Makes differences from the mean, in units of the scale.
    pub generator: Generator,
    /// The mean adapter.
    pub mean: MeanTokens,
    /// The unit of each weight token: (1, T, 1, 1), constant.
    pub scale: Tensor<4>,
}

impl Learner {
    /// Moves a running average of the weights, which keeps the part `keep`, towards `current`.
    pub fn average(self, current: &Self, keep: f32) -> Self {
        Self {
            generator: average(self.generator, &current.generator, keep),
            mean: average(self.mean, &current.mean, keep),
            scale: self.scale,
        }
    }

    /// The scale as a tensor on `device`, which does not record gradients.
    pub fn scale(values: &[f32], device: &Device) -> Tensor<4> {
        let shape = [1, values.len(), 1, 1];
        Tensor::from_data(TensorData::new(values.to_vec(), shape), device)
    }
}
