//! One hyper-convolutional layer.
//!
//! This is the published layer (arXiv 2506.16406, section 3.5; `HyperConvLayer` in the
//! reference code), tested against tensors computed by the reference code.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};
use dnd_kernels::convolve::{Axes, convolve, to_kernel_layout};
use dnd_kernels::epilogue::ConvolutionEpilogue;
use dnd_kernels::layer_norm;
use rand::Rng;
use rand_chacha::ChaCha12Rng;

use super::GeneratorConfig;
use crate::{Error, Weights};

/// Maps (B, N, L, C) to (B, N', L', C'), with 'same' padding and stride 1 everywhere.
#[derive(Module, Debug)]
pub struct HyperConvolution {
    /// Scale of the layer norm over (L, C).
    pub norm_weight: Param<Tensor<2>>,
    /// Shift of the layer norm over (L, C).
    pub norm_bias: Param<Tensor<2>>,
    /// Width first, step one: C to C' over the plane (L, N).
    pub width_first_width: Param<Tensor<4>>,
    /// Width first, step two: L to L' over the plane (N, C').
    pub width_first_height: Param<Tensor<4>>,
    /// Height first, step one: L to L' over the plane (N, C).
    pub height_first_height: Param<Tensor<4>>,
    /// Height first, step two: C to C' over the plane (L', N).
    pub height_first_width: Param<Tensor<4>>,
    /// Bias of shape (L', C').
    pub bias: Param<Tensor<2>>,
    /// Prompt mixing: N to N' over the plane (L', C').
    pub mix_weight: Param<Tensor<4>>,
    /// Bias of the prompt mixing, N' values.
    pub mix_bias: Param<Tensor<1>>,
}

/// Convolves over the plane (L, N) and mixes C.
const OVER_LENGTH_AND_PROMPTS: Axes = Axes {
    height: 1,
    width: 0,
    channels: 2,
};
/// Convolves over the plane (N, C) and mixes L.
const OVER_PROMPTS_AND_WIDTH: Axes = Axes {
    height: 0,
    width: 2,
    channels: 1,
};
/// Convolves over the plane (L, C) and mixes N.
const OVER_LENGTH_AND_WIDTH: Axes = Axes {
    height: 1,
    width: 2,
    channels: 0,
};

/// Added to the variance of the layer norm, as in PyTorch.
const EPSILON: f64 = 1e-5;

impl HyperConvolution {
    /// A layer with seeded random weights, uniform within ±1 / sqrt(fan-in) as in PyTorch
    /// convolutions. With `zero_output`, the prompt mixing starts at zero, and so does the
    /// output.
    pub fn random(
        [n, l, c]: [usize; 3],
        [n_out, l_out, c_out]: [usize; 3],
        config: &GeneratorConfig,
        zero_output: bool,
        random: &mut ChaCha12Rng,
        device: &Device,
    ) -> Self {
        let mut kernel = |output, input, size: usize, zero: bool| {
            let shape = [output, input, size, size];
            let limit = 1.0 / ((input * size * size) as f32).sqrt();
            let values: Vec<f32> = (0..shape.iter().product())
                .map(|_| random.random_range(-limit..limit))
                .map(|value| if zero { 0.0 } else { value })
                .collect();
            parameter(Tensor::from_data(TensorData::new(values, shape), device))
        };
        let size = config.kernel_size;
        Self {
            norm_weight: parameter(Tensor::ones([l, c], device)),
            norm_bias: parameter(Tensor::zeros([l, c], device)),
            width_first_width: kernel(c_out, c, size, false),
            width_first_height: kernel(l_out, l, size, false),
            height_first_height: kernel(l_out, l, size, false),
            height_first_width: kernel(c_out, c, size, false),
            bias: parameter(Tensor::zeros([l_out, c_out], device)),
            mix_weight: kernel(n_out, n, config.prompt_kernel_size, zero_output),
            mix_bias: parameter(Tensor::zeros([n_out], device)),
        }
    }

    /// Loads the layer `part` of a bundle.
    ///
    /// # Errors
    /// When a tensor is missing or has another shape.
    pub(super) fn load(
        [n, l, c]: [usize; 3],
        [n_out, l_out, c_out]: [usize; 3],
        config: &GeneratorConfig,
        weights: &Weights,
        part: &str,
        device: &Device,
    ) -> Result<Self, Error> {
        let size = config.kernel_size;
        let kernel = |name: &str, output, input, size| -> Result<_, Error> {
            let shape = [output, input, size, size];
            let values = weights.values(&format!("{part}.{name}"), &shape)?;
            Ok(parameter(to_kernel_layout(values, shape, device)))
        };
        Ok(Self {
            norm_weight: weights.parameter(&format!("{part}.norm_weight"), [l, c], device)?,
            norm_bias: weights.parameter(&format!("{part}.norm_bias"), [l, c], device)?,
            width_first_width: kernel("width_first_width", c_out, c, size)?,
            width_first_height: kernel("width_first_height", l_out, l, size)?,
            height_first_height: kernel("height_first_height", l_out, l, size)?,
            height_first_width: kernel("height_first_width", c_out, c, size)?,
            bias: weights.parameter(&format!("{part}.bias"), [l_out, c_out], device)?,
            mix_weight: kernel("mix_weight", n_out, n, config.prompt_kernel_size)?,
            mix_bias: weights.parameter(&format!("{part}.mix_bias"), [n_out], device)?,
        })
    }

    /// (B, N, L, C) to (B, N', L', C').
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let [batch, prompts, length, width] = input.dims();
        let flat = |parameter: &Param<Tensor<2>>| parameter.val().reshape([length * width]);
        let normed = layer_norm(
            input.clone().reshape([batch * prompts, length * width]),
            flat(&self.norm_weight),
            flat(&self.norm_bias),
            EPSILON,
        )
        .reshape([batch, prompts, length, width]);

        let width_first = convolve(
            normed.clone(),
            self.width_first_width.val(),
            OVER_LENGTH_AND_PROMPTS,
            ConvolutionEpilogue::Identity,
        );
        let width_first = convolve(
            width_first,
            self.width_first_height.val(),
            OVER_PROMPTS_AND_WIDTH,
            ConvolutionEpilogue::Identity,
        );
        let height_first = convolve(
            normed,
            self.height_first_height.val(),
            OVER_PROMPTS_AND_WIDTH,
            ConvolutionEpilogue::Identity,
        );
        let join = ConvolutionEpilogue::Combine {
            other: width_first,
            bias: self.bias.val(),
        };
        let mixed = convolve(
            height_first,
            self.height_first_width.val(),
            OVER_LENGTH_AND_PROMPTS,
            join,
        );
        let mut output = mixed.dims();
        [output[1]] = self.mix_bias.dims();
        let shift = ConvolutionEpilogue::Bias {
            bias: self.mix_bias.val(),
            residual: (output == input.dims()).then_some(input),
        };
        convolve(mixed, self.mix_weight.val(), OVER_LENGTH_AND_WIDTH, shift)
    }
}

fn parameter<const D: usize>(tensor: Tensor<D>) -> Param<Tensor<D>> {
    Param::from_tensor(tensor)
}
