//! Inputs of a generator's basis head: the mean embedding of the prompts and the mixing
//! coefficients.

use burn::tensor::Tensor;

/// Added to norms to avoid division by zero.
const EPSILON: f32 = 1e-6;

/// The mean embedding of prompts as unit vectors (B, C), from their hidden states (B, N, L, C),
/// which are zero at padding.
///
/// A prompt's embedding is the mean over its tokens, as the encoder's authors compute it,
/// normalized so that every prompt has the same weight in the mean. The WGSL kernel requires a
/// batch of one and a width that is a multiple of four.
pub fn mean_embedding(states: Tensor<4>) -> Tensor<2> {
    #[cfg(feature = "wgpu")]
    if let Some(output) = gpu::mean_embedding(&states) {
        return output;
    }
    mean_embedding_reference(states)
}

/// Reference implementation of [`mean_embedding`] in plain burn.
pub fn mean_embedding_reference(states: Tensor<4>) -> Tensor<2> {
    let [batch, prompts, _, width] = states.dims();
    let sums = states.sum_dim(2).reshape([batch, prompts, width]);
    unit(unit(sums).mean_dim(1).reshape([batch, width]))
}

/// Mixing coefficients (B, K): `embedding` (B, C) minus `centre` (C), projected onto
/// `directions` (C, K) and scaled to norm `gain`. The WGSL kernel requires a batch of one.
pub fn mixing_coefficients(
    embedding: Tensor<2>,
    centre: Tensor<1>,
    directions: Tensor<2>,
    gain: f32,
) -> Tensor<2> {
    #[cfg(feature = "wgpu")]
    if let Some(output) = gpu::mixing_coefficients(&embedding, &centre, &directions, gain) {
        return output;
    }
    mixing_coefficients_reference(embedding, centre, directions, gain)
}

/// Reference implementation of [`mixing_coefficients`] in plain burn.
pub fn mixing_coefficients_reference(
    embedding: Tensor<2>,
    centre: Tensor<1>,
    directions: Tensor<2>,
    gain: f32,
) -> Tensor<2> {
    let [width] = centre.dims();
    let centred = embedding - centre.reshape([1, width]);
    unit(centred.matmul(directions)) * gain
}

/// Normalizes vectors along the last axis to unit norm.
fn unit<const D: usize>(vectors: Tensor<D>) -> Tensor<D> {
    let lengths = vectors.clone().square().sum_dim(D - 1).sqrt() + EPSILON;
    vectors / lengths
}

#[cfg(feature = "wgpu")]
mod gpu {
    use burn::tensor::Tensor;

    use super::EPSILON;
    use crate::cpu;
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

    pub(super) fn mixing_coefficients(
        embedding: &Tensor<2>,
        centre: &Tensor<1>,
        directions: &Tensor<2>,
        gain: f32,
    ) -> Option<Tensor<2>> {
        let [batch, width] = embedding.dims();
        let [_, count] = directions.dims();
        cpu::expect("centre", centre.dims(), [width]);
        cpu::expect("directions", directions.dims(), [width, count]);
        if batch != 1 {
            return None;
        }
        let inputs = [buffer(embedding)?, buffer(centre)?, buffer(directions)?];
        Some(launch(
            Shader::mixing(),
            &inputs.each_ref().map(Some),
            [1, count],
            &[
                width as u32,
                count as u32,
                gain.to_bits(),
                EPSILON.to_bits(),
            ],
            [1; 3],
        ))
    }
}
