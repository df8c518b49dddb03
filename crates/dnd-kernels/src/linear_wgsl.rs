//! The WGSL kernel of a linear layer.

use burn::backend::wgpu::CubeTensor;
use burn::tensor::Tensor;

use crate::epilogue::LinearEpilogue;
use crate::shaders::{Shader, Storage, Tiling};
use crate::{cpu, gpu};

/// Runs [`linear`](crate::linear()) with the buffer of a matrix of `shape` (output, input).
/// Returns `None` if the kernel does not support the inputs.
pub(crate) fn launch(
    input: &Tensor<2>,
    (weights, storage): (CubeTensor, Storage),
    shape: [usize; 2],
    bias: &Tensor<2>,
    epilogue: &LinearEpilogue,
) -> Option<Tensor<2>> {
    let [rows, depth] = input.dims();
    let [columns, _] = shape;
    cpu::expect("weight", shape, [columns, depth]);
    cpu::expect("bias", bias.dims(), [1, columns]);
    if !columns.is_multiple_of(4) || !depth.is_multiple_of(4) {
        return None;
    }
    let residual = match epilogue {
        LinearEpilogue::Identity | LinearEpilogue::Gelu => None,
        LinearEpilogue::Residual(residual) => {
            cpu::expect("residual", residual.dims(), [rows, columns]);
            Some(gpu::buffer(residual)?)
        }
    };
    let (input, bias) = (gpu::buffer(input)?, gpu::buffer(bias)?);
    let tiling = Tiling::new(columns);
    Some(gpu::launch(
        Shader::linear(storage, epilogue, tiling),
        &[Some(&input), Some(&weights), Some(&bias), residual.as_ref()],
        [rows, columns],
        &[rows, columns / 4, depth / 4].map(|size| size as u32),
        tiling.groups(rows, columns),
    ))
}
