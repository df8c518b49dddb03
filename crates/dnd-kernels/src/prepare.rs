//! Having kernels compiled before they are needed.

use burn::tensor::{Device, Tensor};

use crate::convolve::Ending;
use crate::gpu;
use crate::linear::After;
use crate::shaders::{Shader, Tiling};

/// Starts to compile the kernels that most generations run on a device that runs WGSL, with heads and widths of MiniLM-L6.
/// Browsers compile beside the program, so that it can read files meanwhile.
pub fn prepare(device: &Device) {
    for shader in usual(device) {
        gpu::run_empty(shader, device);
    }
}

fn usual(device: &Device) -> Vec<Shader> {
    let storage = gpu::half_storage(device);
    let wide = Tiling::new(64);
    let matrix: Tensor<2> = Tensor::zeros([1, 1], device);
    let afters = [After::Nothing, After::Gelu, After::Add(matrix.clone())];
    let endings = [
        Ending::Plain,
        Ending::Join {
            other: Tensor::zeros([1; 4], device),
            bias: matrix,
        },
        Ending::Shift {
            bias: Tensor::zeros([1], device),
            residual: None,
        },
    ];
    let encoder = [
        Shader::embed(storage),
        Shader::attention(32),
        Shader::layer_norm(),
    ];
    let head = [
        Shader::mean_embedding(384),
        Shader::mixing(),
        Shader::assemble(),
    ];
    let products = afters.map(|after| Shader::product(storage, &after, wide));
    let convolutions = endings.map(|ending| Shader::convolve(&ending, wide));
    [encoder, products, convolutions, head].concat()
}
