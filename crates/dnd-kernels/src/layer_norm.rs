//! Layer norm (Ba et al., arXiv 1607.06450).

use burn::tensor::{Tensor, module};

/// Layer norm of each row of `input` (rows, width), scaled and shifted by (width) numbers.
pub fn layer_norm(input: Tensor<2>, scale: Tensor<1>, shift: Tensor<1>, epsilon: f64) -> Tensor<2> {
    #[cfg(feature = "wgpu")]
    if let Some(output) = launch(&input, &scale, &shift, epsilon) {
        return output;
    }
    twin(input, scale, shift, epsilon)
}

/// The same in plain burn.
pub fn twin(input: Tensor<2>, scale: Tensor<1>, shift: Tensor<1>, epsilon: f64) -> Tensor<2> {
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
    crate::cpu::expect("scale", scale.dims(), [width]);
    crate::cpu::expect("shift", shift.dims(), [width]);
    let [scale, shift] = [gpu::buffer(scale)?, gpu::buffer(shift)?];
    Some(gpu::launch(
        Shader::layer_norm(),
        &[Some(&gpu::buffer(input)?), Some(&scale), Some(&shift)],
        [rows, width],
        &[width as u32, (epsilon as f32).to_bits()],
        [rows, 1, 1],
    ))
}
