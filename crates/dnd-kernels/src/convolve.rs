//! 2-D convolutions between any axes of a tensor, as the hyper-convolution has them (arXiv 2506.16406, section 3.5).

use burn::tensor::ops::ConvOptions;
use burn::tensor::{Tensor, module};

/// Which axes of a tensor of three are the height and the width of the plane, and which one is the channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Axes {
    /// Along which kernels are moved by their first axis.
    pub height: usize,
    /// Along which kernels are moved by their second axis.
    pub width: usize,
    /// Whose numbers are mixed.
    pub channels: usize,
}

/// What becomes of the products of a convolution.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "it lives no longer than a call")]
pub enum Ending {
    /// They are the result.
    Plain,
    /// (tanh(product) + other + bias) / 3; `bias` has the last two axes of the result.
    Join {
        /// As the result.
        other: Tensor<3>,
        /// (second axis, third axis).
        bias: Tensor<2>,
    },
    /// A bias for each channel is added, and a residual if there is one.
    Shift {
        /// (channels).
        bias: Tensor<1>,
        /// As the result.
        residual: Option<Tensor<3>>,
    },
}

/// Convolves with `kernel` (output channels, input channels, height, width), both sizes odd, with 'same' padding and stride
/// 1. The result has its axes where the input has them.
pub fn convolve(input: Tensor<3>, kernel: Tensor<4>, axes: Axes, ending: Ending) -> Tensor<3> {
    #[cfg(feature = "wgpu")]
    if let Some(output) = launch(&input, &kernel, axes, &ending) {
        return output;
    }
    twin(input, kernel, axes, ending)
}

/// The same in plain burn.
pub fn twin(input: Tensor<3>, kernel: Tensor<4>, axes: Axes, ending: Ending) -> Tensor<3> {
    let [_, _, height, width] = kernel.dims();
    let order = [axes.channels, axes.height, axes.width];
    let mut back = [0; 3];
    for (place, axis) in order.into_iter().enumerate() {
        back[axis] = place as isize;
    }
    let options = ConvOptions::new([1, 1], [height / 2, width / 2], [1, 1], 1);
    let planes = input.permute(order.map(|axis| axis as isize));
    let bias = match &ending {
        Ending::Shift { bias, .. } => Some(bias.clone()),
        _ => None,
    };
    let product = module::conv2d(planes.unsqueeze(), kernel, bias, options);
    let product: Tensor<3> = product.squeeze_dim(0);
    let product = product.permute(back);
    match ending {
        Ending::Plain | Ending::Shift { residual: None, .. } => product,
        Ending::Join { other, bias } => {
            let [rows, columns] = bias.dims();
            (product.tanh() + other + bias.reshape([1, rows, columns])) / 3.0
        }
        Ending::Shift {
            residual: Some(residual),
            ..
        } => product + residual,
    }
}

#[cfg(feature = "wgpu")]
fn launch(input: &Tensor<3>, kernel: &Tensor<4>, axes: Axes, ending: &Ending) -> Option<Tensor<3>> {
    use crate::gpu;
    use crate::shaders::{self, Shader, Tiling};

    let shape = input.dims();
    let [outputs, inputs, kernel_height, kernel_width] = kernel.dims();
    crate::cpu::expect("kernel", [inputs], [shape[axes.channels]]);
    assert!(
        inputs > 0 && kernel_height % 2 == 1 && kernel_width % 2 == 1,
        "a kernel of {kernel_height} x {kernel_width} over {inputs} channels"
    );
    let mut result = shape;
    result[axes.channels] = outputs;
    let (name, bias, other) = match ending {
        Ending::Plain => (shaders::Ending::Plain, None, None),
        Ending::Join { other, bias } => {
            crate::cpu::expect("bias", bias.dims(), [result[1], result[2]]);
            let bias = gpu::buffer(bias)?;
            (shaders::Ending::Join, Some(bias), Some(other))
        }
        Ending::Shift { bias, residual } => {
            crate::cpu::expect("bias", bias.dims(), [outputs]);
            let bias = gpu::buffer(bias)?;
            let name = match residual {
                Some(_) => shaders::Ending::Add,
                None => shaders::Ending::Shift,
            };
            (name, Some(bias), residual.as_ref())
        }
    };
    let other = match other {
        Some(other) => {
            crate::cpu::expect("other", other.dims(), result);
            Some(gpu::buffer(other)?)
        }
        None => None,
    };
    let (input, kernel) = (gpu::buffer(input)?, gpu::buffer(kernel)?);
    let (height, width) = (shape[axes.height], shape[axes.width]);
    let apart = |shape: [usize; 3]| [shape[1] * shape[2], shape[2], 1];
    let (from, to) = (apart(shape), apart(result));
    let sizes = [
        height,
        width,
        inputs,
        outputs,
        kernel_height,
        kernel_width,
        from[axes.height],
        from[axes.width],
        from[axes.channels],
        to[axes.height],
        to[axes.width],
        to[axes.channels],
        (result[1] * result[2]).max(1),
    ];
    let tiling = Tiling::new(outputs);
    Some(gpu::launch(
        Shader::convolve(name, tiling),
        &[Some(&input), Some(&kernel), bias.as_ref(), other.as_ref()],
        result,
        &sizes.map(|size| size as u32),
        tiling.groups(height * width, outputs),
    ))
}
