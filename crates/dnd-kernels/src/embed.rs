//! What a BERT's layers begin with.

use burn::tensor::{Int, Tensor};

use crate::FrozenMatrix;
use crate::layer_norm;

/// The layer norm of the rows of `words` (vocabulary, width) that `ids` (N, L) name, plus the rows of `places` (at least L,
/// width): (N * L, width). The WGSL kernel is for widths that four divides.
pub fn embed(
    ids: Tensor<2, Int>,
    words: &FrozenMatrix,
    places: Tensor<2>,
    scale: Tensor<1>,
    shift: Tensor<1>,
    epsilon: f64,
) -> Tensor<2> {
    #[cfg(feature = "wgpu")]
    if let Some(output) = launch(&ids, words, &places, &scale, &shift, epsilon) {
        return output;
    }
    twin(ids, words, places, scale, shift, epsilon)
}

/// The same in plain burn.
pub fn twin(
    ids: Tensor<2, Int>,
    words: &FrozenMatrix,
    places: Tensor<2>,
    scale: Tensor<1>,
    shift: Tensor<1>,
    epsilon: f64,
) -> Tensor<2> {
    let [prompts, length] = ids.dims();
    let [_, width] = places.dims();
    let places = places.narrow(0, 0, length).reshape([1, length, width]);
    let embedded = words.select(ids.reshape([prompts * length]));
    let embedded = embedded.reshape([prompts, length, width]) + places;
    let rows = embedded.reshape([prompts * length, width]);
    layer_norm::twin(rows, scale, shift, epsilon)
}

#[cfg(feature = "wgpu")]
fn launch(
    ids: &Tensor<2, Int>,
    words: &FrozenMatrix,
    places: &Tensor<2>,
    scale: &Tensor<1>,
    shift: &Tensor<1>,
    epsilon: f64,
) -> Option<Tensor<2>> {
    use crate::shaders::Shader;
    use crate::{cpu, gpu};

    let [prompts, length] = ids.dims();
    let [longest, width] = places.dims();
    assert!(length <= longest, "{length} tokens in {longest} places");
    let [vocabulary, _] = words.shape();
    cpu::expect("words", words.shape(), [vocabulary, width]);
    cpu::expect("scale", scale.dims(), [width]);
    cpu::expect("shift", shift.dims(), [width]);
    if !width.is_multiple_of(4) {
        return None;
    }
    let (table, storage) = words.buffer()?;
    let [scale, shift] = [gpu::buffer(scale)?, gpu::buffer(shift)?];
    let (ids, places) = (gpu::integers(ids)?, gpu::buffer(places)?);
    Some(gpu::launch(
        Shader::embed(storage),
        &[
            Some(&ids),
            Some(&table),
            Some(&places),
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
