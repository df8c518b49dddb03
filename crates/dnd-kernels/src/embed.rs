//! The embedding layer of BERT.

use burn::tensor::{Int, Tensor};

use crate::FrozenMatrix;
use crate::layer_norm;

/// Layer norm of the sum of `word_embeddings` (vocabulary, width), selected by `ids` (N, L),
/// and `position_embeddings` (at least L, width): (N * L, width). The WGSL kernel requires a
/// width that is a multiple of four.
pub fn embed(
    ids: Tensor<2, Int>,
    word_embeddings: &FrozenMatrix,
    position_embeddings: Tensor<2>,
    scale: Tensor<1>,
    shift: Tensor<1>,
    epsilon: f64,
) -> Tensor<2> {
    #[cfg(feature = "wgpu")]
    if let Some(output) = launch(
        &ids,
        word_embeddings,
        &position_embeddings,
        &scale,
        &shift,
        epsilon,
    ) {
        return output;
    }
    reference(
        ids,
        word_embeddings,
        position_embeddings,
        scale,
        shift,
        epsilon,
    )
}

/// Reference implementation in plain burn.
pub fn reference(
    ids: Tensor<2, Int>,
    word_embeddings: &FrozenMatrix,
    position_embeddings: Tensor<2>,
    scale: Tensor<1>,
    shift: Tensor<1>,
    epsilon: f64,
) -> Tensor<2> {
    let [prompts, length] = ids.dims();
    let [_, width] = position_embeddings.dims();
    let position_embeddings = position_embeddings
        .narrow(0, 0, length)
        .reshape([1, length, width]);
    let embedded = word_embeddings.select(ids.reshape([prompts * length]));
    let embedded = embedded.reshape([prompts, length, width]) + position_embeddings;
    let rows = embedded.reshape([prompts * length, width]);
    layer_norm::reference(rows, scale, shift, epsilon)
}

#[cfg(feature = "wgpu")]
fn launch(
    ids: &Tensor<2, Int>,
    word_embeddings: &FrozenMatrix,
    position_embeddings: &Tensor<2>,
    scale: &Tensor<1>,
    shift: &Tensor<1>,
    epsilon: f64,
) -> Option<Tensor<2>> {
    use crate::shaders::Shader;
    use crate::{cpu, gpu};

    let [prompts, length] = ids.dims();
    let [longest, width] = position_embeddings.dims();
    assert!(
        length <= longest,
        "{length} tokens exceed the {longest} position embeddings"
    );
    let [vocabulary, _] = word_embeddings.shape();
    cpu::expect(
        "word_embeddings",
        word_embeddings.shape(),
        [vocabulary, width],
    );
    cpu::expect("scale", scale.dims(), [width]);
    cpu::expect("shift", shift.dims(), [width]);
    if !width.is_multiple_of(4) {
        return None;
    }
    let (table, storage) = word_embeddings.buffer()?;
    let [scale, shift] = [gpu::buffer(scale)?, gpu::buffer(shift)?];
    let (ids, position_embeddings) = (gpu::integers(ids)?, gpu::buffer(position_embeddings)?);
    Some(gpu::launch(
        Shader::embed(storage),
        &[
            Some(&ids),
            Some(&table),
            Some(&position_embeddings),
            Some(&scale),
            Some(&shift),
        ],
        [prompts * length, width],
        &[
            (prompts * length) as u32,
            vocabulary as u32,
            (width / 4) as u32,
            length as u32,
            (epsilon as f32).to_bits(),
        ],
        gpu::a_group_each(prompts * length),
    ))
}
