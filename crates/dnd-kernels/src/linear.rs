//! A linear layer with what follows it.

use burn::tensor::Tensor;

use crate::blocked::{self, Blocked, Follows};
use crate::{FrozenMatrix, biased_gelu, cpu};

/// What follows a linear layer.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "it lives no longer than a call")]
pub enum After {
    /// Nothing.
    Nothing,
    /// GELU, with the exact error function.
    Gelu,
    /// A residual connection: these (rows, output) are added.
    Add(Tensor<2>),
}

/// `input` (rows, input) times the transposed `weight` (output, input), plus `bias` (1, output), and what follows:
/// (rows, output). The WGSL kernel is for sizes that four divides.
///
/// # Panics
/// When a weight that is packed for the CPU meets tensors that carry gradients or live elsewhere.
pub fn linear(input: Tensor<2>, weight: &FrozenMatrix, bias: Tensor<2>, after: After) -> Tensor<2> {
    #[cfg(feature = "wgpu")]
    if let Some(output) = launch(&input, weight, &bias, &after) {
        return output;
    }
    if let FrozenMatrix::Blocked(matrix) = weight {
        return on_cpu(input, matrix, bias, after);
    }
    twin(input, weight, bias, after)
}

fn on_cpu(input: Tensor<2>, matrix: &Blocked, bias: Tensor<2>, after: After) -> Tensor<2> {
    let [width, _] = matrix.shape();
    cpu::expect("bias", bias.dims(), [1, width]);
    let read =
        |tensor: &Tensor<2>| cpu::read(tensor).expect("a tensor on the CPU, without gradients");
    let bias = read(&bias);
    let bias = cpu::numbers(&bias);
    match after {
        After::Nothing => blocked::product(input, matrix, Follows::Bias(bias)),
        After::Gelu => blocked::product(input, matrix, Follows::Gelu(bias)),
        After::Add(residual) => {
            cpu::expect("residual", residual.dims(), [input.dims()[0], width]);
            let residual = read(&residual);
            let follows = Follows::Add(bias, cpu::numbers(&residual));
            blocked::product(input, matrix, follows)
        }
    }
}

/// The same in plain burn, save for kernels of the CPU.
pub fn twin(input: Tensor<2>, weight: &FrozenMatrix, bias: Tensor<2>, after: After) -> Tensor<2> {
    let product = weight.product(input);
    match after {
        After::Nothing => product + bias,
        After::Gelu => biased_gelu(product, bias),
        After::Add(residual) => product + bias + residual,
    }
}

#[cfg(feature = "wgpu")]
pub(crate) fn launch(
    input: &Tensor<2>,
    weight: &FrozenMatrix,
    bias: &Tensor<2>,
    after: &After,
) -> Option<Tensor<2>> {
    use crate::gpu;
    use crate::shaders::{Shader, Tiling};

    let [rows, depth] = input.dims();
    let [columns, _] = weight.shape();
    cpu::expect("weight", weight.shape(), [columns, depth]);
    cpu::expect("bias", bias.dims(), [1, columns]);
    if !columns.is_multiple_of(4) || !depth.is_multiple_of(4) {
        return None;
    }
    let (weights, storage) = weight.buffer()?;
    let residual = match after {
        After::Nothing | After::Gelu => None,
        After::Add(residual) => {
            cpu::expect("residual", residual.dims(), [rows, columns]);
            Some(gpu::buffer(residual)?)
        }
    };
    let (input, bias) = (gpu::buffer(input)?, gpu::buffer(bias)?);
    let tiling = Tiling::new(columns);
    Some(gpu::launch(
        Shader::product(storage, after, tiling),
        &[Some(&input), Some(&weights), Some(&bias), residual.as_ref()],
        [rows, columns],
        &[rows, columns / 4, depth / 4].map(|size| size as u32),
        tiling.groups(rows, columns),
    ))
}
