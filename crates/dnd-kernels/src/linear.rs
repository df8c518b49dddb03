//! Linear layer with a fused epilogue.

use burn::tensor::Tensor;

use crate::blocked::{self, Blocked};
use crate::epilogue::LinearEpilogue;
#[cfg(feature = "wgpu")]
use crate::linear_wgsl::launch;
use crate::{FrozenMatrix, biased_gelu, cpu};

/// `input` (rows, input) times the transposed `weight` (output, input), plus `bias`
/// (1, output), followed by the epilogue: (rows, output). The WGSL kernel requires input and
/// output sizes that are multiples of four.
///
/// # Panics
/// If a weight packed for the CPU is used with tensors that track gradients or are on another
/// device.
pub fn linear(
    input: Tensor<2>,
    weight: &FrozenMatrix,
    bias: Tensor<2>,
    epilogue: LinearEpilogue,
) -> Tensor<2> {
    #[cfg(feature = "wgpu")]
    if let Some(output) = weight
        .buffer()
        .and_then(|weights| launch(&input, weights, weight.shape(), &bias, &epilogue))
    {
        return output;
    }
    if let FrozenMatrix::Blocked(matrix) = weight {
        return on_cpu(input, matrix, bias, epilogue);
    }
    reference(input, weight, bias, epilogue)
}

fn on_cpu(
    input: Tensor<2>,
    matrix: &Blocked,
    bias: Tensor<2>,
    epilogue: LinearEpilogue,
) -> Tensor<2> {
    let [width, _] = matrix.shape();
    cpu::expect("bias", bias.dims(), [1, width]);
    let read = |tensor: &Tensor<2>| {
        cpu::read(tensor).expect("bias and residual must be on the CPU, without gradients")
    };
    let bias = read(&bias);
    let bias = cpu::numbers(&bias);
    match epilogue {
        LinearEpilogue::Identity => blocked::product(input, matrix, blocked::Epilogue::Bias(bias)),
        LinearEpilogue::Gelu => blocked::product(input, matrix, blocked::Epilogue::Gelu(bias)),
        LinearEpilogue::Residual(residual) => {
            cpu::expect("residual", residual.dims(), [input.dims()[0], width]);
            let residual = read(&residual);
            let epilogue = blocked::Epilogue::Residual(bias, cpu::numbers(&residual));
            blocked::product(input, matrix, epilogue)
        }
    }
}

/// Reference implementation in plain burn, except for packed weights and GELU on the CPU.
pub fn reference(
    input: Tensor<2>,
    weight: &FrozenMatrix,
    bias: Tensor<2>,
    epilogue: LinearEpilogue,
) -> Tensor<2> {
    let product = weight.product(input);
    match epilogue {
        LinearEpilogue::Identity => product + bias,
        LinearEpilogue::Gelu => biased_gelu(product, bias),
        LinearEpilogue::Residual(residual) => product + bias + residual,
    }
}
