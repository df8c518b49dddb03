//! 2-D convolutions over any axes of a tensor, for the hyper-convolution
//! (arXiv 2506.16406, section 3.5).

use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor, TensorData, module};

use crate::epilogue::ConvolutionEpilogue;

/// Which of the three axes after the batch, 0 to 2, are height, width and channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Axes {
    /// Axis that the kernel's height slides along.
    pub height: usize,
    /// Axis that the kernel's width slides along.
    pub width: usize,
    /// Axis that holds the channels.
    pub channels: usize,
}

/// Convolves `input` (batch, three axes) with `kernel` (output channels, input channels,
/// height, width), whose height and width are odd, with 'same' padding and stride 1. The result
/// keeps the order of the axes.
///
/// The WGSL kernel requires a batch of one, input channels that are a multiple of four, and a
/// last axis that is channels or width and a multiple of four in input and output. Kernels from
/// [`to_kernel_layout`] are faster there.
pub fn convolve(
    input: Tensor<4>,
    kernel: Tensor<4>,
    axes: Axes,
    epilogue: ConvolutionEpilogue,
) -> Tensor<4> {
    #[cfg(feature = "wgpu")]
    if let Some(output) = launch(&input, &kernel, axes, &epilogue) {
        return output;
    }
    reference(input, kernel, axes, epilogue)
}

/// Reference implementation in plain burn.
pub fn reference(
    input: Tensor<4>,
    kernel: Tensor<4>,
    axes: Axes,
    epilogue: ConvolutionEpilogue,
) -> Tensor<4> {
    let order = [0, axes.channels + 1, axes.height + 1, axes.width + 1];
    let mut back = [0; 4];
    for (place, axis) in order.into_iter().enumerate() {
        back[axis] = place as isize;
    }
    let planes = input.permute(order.map(|axis| axis as isize));
    let product = |bias| convolve_planes(planes, kernel, bias).permute(back);
    match epilogue {
        ConvolutionEpilogue::Identity => product(None),
        ConvolutionEpilogue::Combine { other, bias } => {
            let [rows, columns] = bias.dims();
            (product(None).tanh() + other + bias.reshape([1, 1, rows, columns])) / 3.0
        }
        ConvolutionEpilogue::Bias { bias, residual } => match residual {
            Some(residual) => product(Some(bias)) + residual,
            None => product(Some(bias)),
        },
    }
}

/// Convolves (batch, channels, height, width); for a 1 x 1 kernel, this is a matmul.
fn convolve_planes(planes: Tensor<4>, kernel: Tensor<4>, bias: Option<Tensor<1>>) -> Tensor<4> {
    let [outputs, inputs, height, width] = kernel.dims();
    if height != 1 || width != 1 {
        let options = ConvOptions::new([1, 1], [height / 2, width / 2], [1, 1], 1);
        return module::conv2d(planes, kernel, bias, options);
    }
    let [batch, _, rows, columns] = planes.dims();
    let product = kernel
        .reshape([1, outputs, inputs])
        .matmul(planes.reshape([batch, inputs, rows * columns]))
        .reshape([batch, outputs, rows, columns]);
    match bias {
        Some(bias) => product + bias.reshape([1, outputs, 1, 1]),
        None => product,
    }
}

/// A kernel (output channels, input channels, height, width) on `device`. On devices that run
/// WGSL it is stored in the order in which [`convolve`] reads it.
///
/// # Panics
/// If the number of values does not match the shape.
pub fn to_kernel_layout(values: Vec<f32>, shape: [usize; 4], device: &Device) -> Tensor<4> {
    let data = TensorData::new(values, shape);
    #[cfg(feature = "wgpu")]
    if crate::gpu::is_device(device) {
        let taps_first = Tensor::<4>::from_data(data, &Device::flex()).permute(TAPS_FIRST);
        return Tensor::from_data(taps_first.into_data(), device).permute(TAPS_FIRST);
    }
    Tensor::from_data(data, device)
}

/// Permutes (outputs, inputs, height, width) to (height, width, outputs, inputs), and back.
#[cfg(feature = "wgpu")]
const TAPS_FIRST: [isize; 4] = [2, 3, 0, 1];

#[cfg(feature = "wgpu")]
fn launch(
    input: &Tensor<4>,
    kernel: &Tensor<4>,
    axes: Axes,
    epilogue: &ConvolutionEpilogue,
) -> Option<Tensor<4>> {
    use crate::shaders::{Plane, Shader, Tiling};
    use crate::{cpu, gpu};

    let [batch, shape @ ..] = input.dims();
    let [outputs, inputs, kernel_height, kernel_width] = kernel.dims();
    let mut result = shape;
    result[axes.channels] = outputs;
    if batch != 1
        || ![inputs, shape[2], result[2]]
            .into_iter()
            .all(|size| size.is_multiple_of(4))
    {
        return None;
    }
    let plane = match [axes.channels, axes.width] {
        [2, _] => Plane::Channels,
        [_, 2] if kernel_width == 1 => Plane::Columns,
        [_, 2] => Plane::ShiftedColumns,
        _ => return None,
    };
    cpu::expect("kernel", [inputs], [shape[axes.channels]]);
    assert!(
        inputs > 0 && kernel_height % 2 == 1 && kernel_width % 2 == 1,
        "kernel height and width must be odd, and channels not zero: \
         {kernel_height} x {kernel_width} over {inputs} channels"
    );
    let (bias, other) = match epilogue {
        ConvolutionEpilogue::Identity => (None, None),
        ConvolutionEpilogue::Combine { other, bias } => {
            cpu::expect("bias", bias.dims(), [result[1], result[2]]);
            (Some(gpu::buffer(bias)?), Some(other))
        }
        ConvolutionEpilogue::Bias { bias, residual } => {
            cpu::expect("bias", bias.dims(), [outputs]);
            (Some(gpu::buffer(bias)?), residual.as_ref())
        }
    };
    let other = match other {
        Some(other) => {
            cpu::expect("other", other.dims(), [1, result[0], result[1], result[2]]);
            Some(gpu::buffer(other)?)
        }
        None => None,
    };
    let kernel = kernel.clone().permute(TAPS_FIRST);
    let (input, kernel) = (gpu::buffer(input)?, gpu::buffer(&kernel)?);
    let (height, width) = (shape[axes.height], shape[axes.width]);
    let apart = |shape: [usize; 3]| [shape[1] * shape[2], shape[2], 1];
    let (from, to) = (apart(shape), apart(result));
    let sizes = [
        height,
        width,
        inputs / 4,
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
        Shader::convolve(plane, epilogue, tiling),
        &[Some(&input), Some(&kernel), bias.as_ref(), other.as_ref()],
        [1, result[0], result[1], result[2]],
        &sizes.map(|size| size as u32),
        tiling.groups(height * width, outputs),
    ))
}
