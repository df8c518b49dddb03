//! Layer norm (arXiv 1607.06450).

use burn::backend::Flex;
use burn::tensor::{Tensor, module};
use multiversion::multiversion;
use rayon::prelude::*;

use crate::cpu;

/// Layer norm of each row of `input` (rows, width), with `scale` and `shift` (width). The WGSL
/// kernel requires a width that is a multiple of four.
pub fn layer_norm(input: Tensor<2>, scale: Tensor<1>, shift: Tensor<1>, epsilon: f64) -> Tensor<2> {
    #[cfg(feature = "wgpu")]
    if let Some(output) = launch(&input, &scale, &shift, epsilon) {
        return output;
    }
    if let Some(output) = on_cpu(&input, &scale, &shift, epsilon) {
        return output;
    }
    reference(input, scale, shift, epsilon)
}

/// The kernel for burn's CPU device; `None` on other devices or with gradients.
fn on_cpu(
    input: &Tensor<2>,
    scale: &Tensor<1>,
    shift: &Tensor<1>,
    epsilon: f64,
) -> Option<Tensor<2>> {
    let shape = input.dims();
    cpu::expect("scale", scale.dims(), [shape[1]]);
    cpu::expect("shift", shift.dims(), [shape[1]]);
    let (input, scale, shift) = (cpu::read(input)?, cpu::read(scale)?, cpu::read(shift)?);
    let (scale, shift) = (cpu::numbers(&scale), cpu::numbers(&shift));
    let mut output = cpu::numbers(&input).to_vec();
    let rows = (TASK / shape[1].max(1)).max(1);
    let rows = output.par_chunks_mut((rows * shape[1]).max(1));
    rows.for_each(|rows| normalize(rows, scale, shift, epsilon as f32));
    Some(Tensor::from_primitive::<Flex>(cpu::tensor(output, shape)))
}

/// Approximate number of elements per task.
const TASK: usize = 1 << 15;

#[multiversion(targets(
    "x86_64+avx512f+avx512vl+avx512bw+avx512dq+avx2+fma",
    "x86_64+avx2+fma"
))]
fn normalize(rows: &mut [f32], scale: &[f32], shift: &[f32], epsilon: f32) {
    let width = scale.len();
    for row in rows.chunks_exact_mut(width) {
        let add = |a, b| a + b;
        let mean = cpu::fold(row, 0.0, add, |value| value) / width as f32;
        let square = |value: f32| (value - mean) * (value - mean);
        let variance = cpu::fold(row, 0.0, add, square) / width as f32;
        let factor = 1.0 / (variance + epsilon).sqrt();
        for ((value, scale), shift) in row.iter_mut().zip(scale).zip(shift) {
            *value = (*value - mean) * factor * scale + shift;
        }
    }
}

/// Reference implementation in plain burn.
pub fn reference(input: Tensor<2>, scale: Tensor<1>, shift: Tensor<1>, epsilon: f64) -> Tensor<2> {
    module::layer_norm(input, scale, Some(shift), epsilon)
}

#[cfg(feature = "wgpu")]
fn launch(
    input: &Tensor<2>,
    scale: &Tensor<1>,
    shift: &Tensor<1>,
    epsilon: f64,
) -> Option<Tensor<2>> {
    use crate::gpu;
    use crate::shaders::Shader;

    let [rows, width] = input.dims();
    cpu::expect("scale", scale.dims(), [width]);
    cpu::expect("shift", shift.dims(), [width]);
    if !width.is_multiple_of(4) {
        return None;
    }
    let [scale, shift] = [gpu::buffer(scale)?, gpu::buffer(shift)?];
    Some(gpu::launch(
        Shader::layer_norm(),
        &[Some(&gpu::buffer(input)?), Some(&scale), Some(&shift)],
        [rows, width],
        &[rows as u32, (width / 4) as u32, (epsilon as f32).to_bits()],
        gpu::a_group_each(rows),
    ))
}
