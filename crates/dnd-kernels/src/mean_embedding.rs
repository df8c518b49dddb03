//! The mean embedding of prompts, by which tasks are compared.

use burn::tensor::Tensor;

/// Added to norms to avoid division by zero.
const EPSILON: f32 = 1e-6;

/// The mean embedding (B, C) of prompts, from their hidden states (B, N, L, C), which are zero at
/// padding.
///
/// A prompt's embedding is the mean over its tokens, as the encoder's authors compute it,
/// normalized so that every prompt has the same weight in the mean. So the mean is the longer the
/// more alike the prompts are, of length one if they are equal. The WGSL kernel requires a
/// batch of one and a width that is a multiple of four.
pub fn mean_embedding(states: Tensor<4>) -> Tensor<2> {
    #[cfg(feature = "wgpu")]
    if let Some(output) = gpu::mean_embedding(&states) {
        return output;
    }
    reference(states)
}

/// Reference implementation of [`mean_embedding`] in plain burn.
pub fn reference(states: Tensor<4>) -> Tensor<2> {
    let [batch, prompts, _, width] = states.dims();
    let sums = states.sum_dim(2).reshape([batch, prompts, width]);
    let lengths = sums.clone().square().sum_dim(2).sqrt() + EPSILON;
    (sums / lengths).mean_dim(1).reshape([batch, width])
}

#[cfg(feature = "wgpu")]
mod gpu {
    use burn::tensor::Tensor;

    use super::EPSILON;
    use crate::gpu::{buffer, launch};
    use crate::shaders::Shader;

    pub(super) fn mean_embedding(states: &Tensor<4>) -> Option<Tensor<2>> {
        let [batch, prompts, length, width] = states.dims();
        if batch != 1 || !width.is_multiple_of(4) {
            return None;
        }
        let sizes = [prompts, length, width / 4].map(|size| size as u32);
        let [prompts, length, quads] = sizes;
        Some(launch(
            Shader::mean_embedding(width),
            &[Some(&buffer(states)?)],
            [1, width],
            &[prompts, length, quads, EPSILON.to_bits()],
            [1; 3],
        ))
    }
}
