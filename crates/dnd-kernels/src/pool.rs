//! Attention pooling: learned queries read the tokens of all prompts.

use burn::tensor::Tensor;
use burn::tensor::activation::softmax;

/// Score of padding, so that its attention weight is zero.
const MASKED: f32 = -1e9;
/// Far smaller than the square of any token.
const SMALLEST: f32 = 1e-30;

/// Tokens pooled by queries (P, C) to (B, P, C), from prompts (B, N, L, C), which are zero at
/// padding.
///
/// A query attends over all tokens of all prompts of a batch entry. Tokens are normalized by
/// `mean` and `deviation` (C each), and scores divided by the root of C. The WGSL kernel requires a
/// batch of one and a width that is a multiple of four, at most 2048.
pub fn pool(
    prompts: Tensor<4>,
    queries: Tensor<2>,
    mean: Tensor<1>,
    deviation: Tensor<1>,
) -> Tensor<3> {
    #[cfg(feature = "wgpu")]
    if let Some(output) = launch(&prompts, &queries, &mean, &deviation) {
        return output;
    }
    reference(prompts, queries, mean, deviation)
}

/// Reference implementation in plain burn.
pub fn reference(
    prompts: Tensor<4>,
    queries: Tensor<2>,
    mean: Tensor<1>,
    deviation: Tensor<1>,
) -> Tensor<3> {
    let [batch, count, length, width] = prompts.dims();
    let tokens = prompts.reshape([batch, count * length, width]);
    // One for padding and almost zero for tokens, with operations that the page has anyway.
    let sizes = tokens.clone().square().sum_dim(2) + SMALLEST;
    let padding = (sizes.zeros_like() + SMALLEST) / sizes;
    let row = |values: Tensor<1>| values.reshape([1, 1, width]);
    let tokens = (tokens - row(mean)) / row(deviation);
    let queries = queries.transpose() / (width as f32).sqrt();
    let scores = tokens.clone().matmul(queries.unsqueeze_dim(0));
    let weights = softmax(scores + padding * MASKED, 1);
    weights.swap_dims(1, 2).matmul(tokens)
}

#[cfg(feature = "wgpu")]
fn launch(
    prompts: &Tensor<4>,
    queries: &Tensor<2>,
    mean: &Tensor<1>,
    deviation: &Tensor<1>,
) -> Option<Tensor<3>> {
    use crate::shaders::{Shader, WIDEST_POOL};
    use crate::{cpu, gpu};

    let [batch, count, length, width] = prompts.dims();
    let [queries_count, _] = queries.dims();
    cpu::expect("queries", queries.dims(), [queries_count, width]);
    cpu::expect("mean", mean.dims(), [width]);
    cpu::expect("deviation", deviation.dims(), [width]);
    if batch != 1 || !width.is_multiple_of(4) || width > WIDEST_POOL {
        return None;
    }
    let inputs = [
        gpu::buffer(prompts)?,
        gpu::buffer(queries)?,
        gpu::buffer(mean)?,
        gpu::buffer(deviation)?,
    ];
    Some(gpu::launch(
        Shader::pool(width),
        &inputs.each_ref().map(Some),
        [1, queries_count, width],
        &[
            (count * length) as u32,
            (width / 4) as u32,
            (1.0 / (width as f32).sqrt()).to_bits(),
            MASKED.to_bits(),
        ],
        [queries_count, 1, 1],
    ))
}
