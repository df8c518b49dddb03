//! One hyper-convolutional layer.
//!
//! The published layer (arXiv 2506.16406, section 3.5; the reference code's `HyperConvLayer`),
//! checked against tensors that the reference code computed.

use burn::module::{Module, Param};
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor, TensorData, module};
use dnd_kernels::convolve::{Axes, Ending, convolve};
use dnd_kernels::layer_norm;
use rand::Rng;
use rand::rngs::StdRng;

use super::GeneratorConfig;
use super::decoder::Stored;
use crate::Error;

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

/// The plane (L, N), where C is mixed.
const OVER_LENGTH_AND_PROMPTS: Axes = Axes {
    height: 1,
    width: 0,
    channels: 2,
};
/// The plane (N, C), where L is mixed.
const OVER_PROMPTS_AND_WIDTH: Axes = Axes {
    height: 0,
    width: 2,
    channels: 1,
};
/// The plane (L, C), where N is mixed.
const OVER_LENGTH_AND_WIDTH: Axes = Axes {
    height: 1,
    width: 2,
    channels: 0,
};

/// Added to the variance of the layer norm, as in PyTorch.
const EPSILON: f64 = 1e-5;

impl HyperConvolution {
    /// A layer with seeded random weights: uniform within 1 / sqrt(fan-in), as PyTorch starts its
    /// convolutions. With `zero_output` the prompt mixing starts at zero and so does the output.
    pub fn random(
        [n, l, c]: [usize; 3],
        [n_out, l_out, c_out]: [usize; 3],
        config: &GeneratorConfig,
        zero_output: bool,
        random: &mut StdRng,
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

    /// A layer with the weights of a bundle.
    ///
    /// # Errors
    /// When a tensor is missing or has another shape.
    pub(super) fn load(
        [n, l, c]: [usize; 3],
        [n_out, l_out, c_out]: [usize; 3],
        config: &GeneratorConfig,
        stored: &Stored,
        device: &Device,
    ) -> Result<Self, Error> {
        let size = config.kernel_size;
        let kernel = |name: &str, output, input, size| {
            stored.parameter(name, [output, input, size, size], device)
        };
        Ok(Self {
            norm_weight: stored.parameter("norm_weight", [l, c], device)?,
            norm_bias: stored.parameter("norm_bias", [l, c], device)?,
            width_first_width: kernel("width_first_width", c_out, c, size)?,
            width_first_height: kernel("width_first_height", l_out, l, size)?,
            height_first_height: kernel("height_first_height", l_out, l, size)?,
            height_first_width: kernel("height_first_width", c_out, c, size)?,
            bias: stored.parameter("bias", [l_out, c_out], device)?,
            mix_weight: kernel("mix_weight", n_out, n, config.prompt_kernel_size)?,
            mix_bias: stored.parameter("mix_bias", [n_out], device)?,
        })
    }

    /// (N, L, C) to (N', L', C') as [`forward`](Self::forward), without gradients, in kernels that permute nothing where the
    /// device has them.
    pub fn infer(&self, input: Tensor<3>) -> Tensor<3> {
        let [prompts, length, width] = input.dims();
        let flat = |parameter: &Param<Tensor<2>>| parameter.val().reshape([length * width]);
        let normed = layer_norm(
            input.clone().reshape([prompts, length * width]),
            flat(&self.norm_weight),
            flat(&self.norm_bias),
            EPSILON,
        )
        .reshape([prompts, length, width]);

        // Axes are N, L and C, or what has become of them.
        let width_first = convolve(
            normed.clone(),
            self.width_first_width.val(),
            OVER_LENGTH_AND_PROMPTS,
            Ending::Plain,
        );
        let width_first = convolve(
            width_first,
            self.width_first_height.val(),
            OVER_PROMPTS_AND_WIDTH,
            Ending::Plain,
        );
        let height_first = convolve(
            normed,
            self.height_first_height.val(),
            OVER_PROMPTS_AND_WIDTH,
            Ending::Plain,
        );
        let join = Ending::Join {
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
        [output[0]] = self.mix_bias.dims();
        let shift = Ending::Shift {
            bias: self.mix_bias.val(),
            residual: (output == input.dims()).then_some(input),
        };
        convolve(mixed, self.mix_weight.val(), OVER_LENGTH_AND_WIDTH, shift)
    }

    /// (B, N, L, C) to (B, N', L', C').
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let normed = self.normalise(input.clone());

        // (B, C, L, N) -> (B, C', L, N) -> (B, L, N, C') -> (B, L', N, C') -> (B, N, L', C')
        let width_first = convolution(
            normed.clone().permute([0, 3, 2, 1]),
            &self.width_first_width,
        );
        let width_first = convolution(width_first.permute([0, 2, 3, 1]), &self.width_first_height)
            .permute([0, 2, 1, 3]);

        // (B, L, N, C) -> (B, L', N, C) -> (B, C, L', N) -> (B, C', L', N) -> (B, N, L', C')
        let height_first = convolution(normed.permute([0, 2, 1, 3]), &self.height_first_height);
        let height_first =
            convolution(height_first.permute([0, 3, 1, 2]), &self.height_first_width)
                .permute([0, 3, 2, 1])
                .tanh();

        let bias = self.bias.val();
        let [rows, columns] = bias.dims();
        let mixed = (width_first + height_first + bias.reshape([1, 1, rows, columns])) / 3.0;
        let output = convolution_with_bias(mixed, &self.mix_weight, Some(self.mix_bias.val()));
        if output.dims() == input.dims() {
            output + input
        } else {
            output
        }
    }

    /// Layer norm over the last two axes.
    fn normalise(&self, input: Tensor<4>) -> Tensor<4> {
        let [batch, prompts, length, width] = input.dims();
        let flat = input.reshape([batch * prompts, length * width]);
        let centred = flat.clone() - flat.mean_dim(1);
        let deviation = (centred.clone().square().mean_dim(1) + EPSILON).sqrt();
        let scaled = (centred / deviation).reshape([batch, prompts, length, width]);
        scaled * self.norm_weight.val().reshape([1, 1, length, width])
            + self.norm_bias.val().reshape([1, 1, length, width])
    }
}

fn parameter<const D: usize>(tensor: Tensor<D>) -> Param<Tensor<D>> {
    Param::from_tensor(tensor)
}

fn convolution(input: Tensor<4>, kernel: &Param<Tensor<4>>) -> Tensor<4> {
    convolution_with_bias(input, kernel, None)
}

/// A 2-D convolution with 'same' padding; a kernel of one is a matrix product.
fn convolution_with_bias(
    input: Tensor<4>,
    kernel: &Param<Tensor<4>>,
    bias: Option<Tensor<1>>,
) -> Tensor<4> {
    let kernel = kernel.val();
    let [output, channels, height, width] = kernel.dims();
    if height == 1 && width == 1 {
        let [batch, _, rows, columns] = input.dims();
        let product = kernel
            .reshape([1, output, channels])
            .matmul(input.reshape([batch, channels, rows * columns]))
            .reshape([batch, output, rows, columns]);
        return match bias {
            Some(bias) => product + bias.reshape([1, output, 1, 1]),
            None => product,
        };
    }
    let options = ConvOptions::new([1, 1], [height / 2, width / 2], [1, 1], 1);
    module::conv2d(input, kernel, bias, options)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn inference_is_the_forward_pass() {
        for (output, kernel, mixing) in [([5, 4, 6], 3, 1), ([4, 6, 8], 3, 3)] {
            let config = GeneratorConfig {
                features: vec![[4, 6, 8], output],
                kernel_size: kernel,
                prompt_kernel_size: mixing,
                basis: None,
            };
            let device = Device::flex();
            let mut random = StdRng::seed_from_u64(3);
            let layer =
                HyperConvolution::random([4, 6, 8], output, &config, false, &mut random, &device);
            let numbers: Vec<f32> = (0..4 * 6 * 8).map(|i| (i as f32 * 0.7).sin()).collect();
            let input: Tensor<3> = Tensor::from_data(TensorData::new(numbers, [4, 6, 8]), &device);
            let expected: Tensor<3> = layer.forward(input.clone().unsqueeze_dim(0)).squeeze_dim(0);
            let found = layer.infer(input);
            assert_eq!(found.dims(), expected.dims());
            let difference = (found - expected).abs().max().into_scalar::<f32>();
            assert!(difference < 1e-5, "{difference}");
        }
    }
}
