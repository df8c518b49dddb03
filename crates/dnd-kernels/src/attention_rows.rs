//! Masked self-attention on fused QKV rows; heads are read in place.

use burn::backend::Flex;
use burn::tensor::Tensor;
use rayon::prelude::*;

use crate::attend;
use crate::attention::softmax_rows;
use crate::cpu::{self, Matrix};

/// Self-attention on `rows` (N * L, 3 * heads * D): queries, keys and values side by side, as
/// one linear layer outputs them. `mask` (N, L) is added to the scores of each key. Returns
/// (N * L, heads * D). The WGSL kernel requires D to be a multiple of four, and at most 128.
///
/// # Panics
/// If shapes do not match.
pub fn attend_rows(rows: Tensor<2>, mask: Tensor<2>, heads: usize) -> Tensor<2> {
    let [count, width] = rows.dims();
    let [prompts, length] = mask.dims();
    cpu::expect("rows", [count], [prompts * length]);
    assert!(
        heads > 0 && width.is_multiple_of(3 * heads),
        "rows of {width} do not split into query, key and value of {heads} heads"
    );
    #[cfg(feature = "wgpu")]
    if let Some(output) = launch(&rows, &mask, heads) {
        return output;
    }
    if let Some(output) = on_cpu(&rows, &mask, heads) {
        return output;
    }
    reference(rows, mask, heads)
}

/// Reference implementation with [`attend`].
pub fn reference(rows: Tensor<2>, mask: Tensor<2>, heads: usize) -> Tensor<2> {
    let [_, width] = rows.dims();
    let [prompts, length] = mask.dims();
    let head_dim = width / 3 / heads;
    let [query, keys, values] = [0, 1, 2].map(|part| {
        rows.clone()
            .narrow(1, part * width / 3, width / 3)
            .reshape([prompts, length, heads, head_dim])
            .swap_dims(1, 2)
    });
    attend(query, keys, values, mask.reshape([prompts, 1, 1, length]))
}

/// The kernel for burn's CPU device; `None` on other devices or with gradients.
fn on_cpu(rows: &Tensor<2>, mask: &Tensor<2>, heads: usize) -> Option<Tensor<2>> {
    let [count, stride] = rows.dims();
    let [_, length] = mask.dims();
    let (width, head_dim) = (stride / 3, stride / 3 / heads);
    let (rows, mask) = (cpu::read(rows)?, cpu::read(mask)?);
    let [rows, mask] = [&rows, &mask].map(cpu::numbers);
    let scale = 1.0 / (head_dim as f32).sqrt();
    let mut output = vec![0.0; count * width];
    let sequences = output.par_chunks_mut((length * width).max(1)).enumerate();
    sequences.for_each(|(index, output)| {
        let rows = &rows[index * length * stride..][..length * stride];
        let mask = &mask[index * length..][..length];
        let mut shares = vec![0.0; length * length];
        for head in 0..heads {
            let column = head * head_dim;
            let part = |part| {
                Matrix::new(&rows[part * width + column..], length, head_dim).with_stride(stride)
            };
            let [query, keys, values] = [0, 1, 2].map(part);
            cpu::multiply(&mut shares, length, 0.0, scale, query, keys.transposed());
            softmax_rows(&mut shares, mask, length);
            let shares = Matrix::new(&shares, length, length);
            cpu::multiply(&mut output[column..], width, 0.0, 1.0, shares, values);
        }
    });
    Some(Tensor::from_primitive::<Flex>(cpu::tensor(
        output,
        [count, width],
    )))
}

#[cfg(feature = "wgpu")]
fn launch(rows: &Tensor<2>, mask: &Tensor<2>, heads: usize) -> Option<Tensor<2>> {
    use crate::gpu;
    use crate::shaders::{MAX_GROUPS, QUERIES, Shader, WIDEST_HEAD};

    let [count, width] = rows.dims();
    let [prompts, length] = mask.dims();
    let head_dim = width / 3 / heads;
    if !head_dim.is_multiple_of(4) || head_dim > WIDEST_HEAD || prompts.max(heads) > MAX_GROUPS {
        return None;
    }
    let inputs = [gpu::buffer(rows)?, gpu::buffer(mask)?];
    let scale = 1.0 / (head_dim as f32).sqrt();
    Some(gpu::launch(
        Shader::attention(head_dim),
        &inputs.each_ref().map(Some),
        [count, width / 3],
        &[length as u32, heads as u32, scale.to_bits()],
        [length.div_ceil(QUERIES), heads, prompts],
    ))
}
