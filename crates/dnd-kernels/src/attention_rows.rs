//! Masked attention between rows as linear layers give them, with heads read where they lie.

use burn::backend::Flex;
use burn::tensor::Tensor;
use rayon::prelude::*;

use crate::attend;
use crate::attention::softmax_rows;
use crate::cpu::{self, Matrix};

/// Attention between rows as linear layers give them: `query`, `keys` and `values` (N * L, heads * D), where `mask` (N, L)
/// is added to the scores of each key: (N * L, heads * D).
pub fn attend_rows(
    query: Tensor<2>,
    keys: Tensor<2>,
    values: Tensor<2>,
    mask: Tensor<2>,
    heads: usize,
) -> Tensor<2> {
    #[cfg(feature = "wgpu")]
    if let Some(output) = launch(&query, &keys, &values, &mask, heads) {
        return output;
    }
    if let Some(output) = on_cpu(&query, &keys, &values, &mask, heads) {
        return output;
    }
    twin(query, keys, values, mask, heads)
}

/// The same by [`attend`].
pub fn twin(
    query: Tensor<2>,
    keys: Tensor<2>,
    values: Tensor<2>,
    mask: Tensor<2>,
    heads: usize,
) -> Tensor<2> {
    let [_, width] = query.dims();
    let [prompts, length] = mask.dims();
    let split = |rows: Tensor<2>| {
        rows.reshape([prompts, length, heads, width / heads])
            .swap_dims(1, 2)
    };
    let mask = mask.reshape([prompts, 1, 1, length]);
    attend(split(query), split(keys), split(values), mask)
}

/// On burn's CPU device, without gradients: heads are read where they lie.
fn on_cpu(
    query: &Tensor<2>,
    keys: &Tensor<2>,
    values: &Tensor<2>,
    mask: &Tensor<2>,
    heads: usize,
) -> Option<Tensor<2>> {
    let [rows, width] = query.dims();
    let [prompts, length] = mask.dims();
    cpu::expect("query", [rows], [prompts * length]);
    cpu::expect("keys", keys.dims(), [rows, width]);
    cpu::expect("values", values.dims(), [rows, width]);
    assert!(
        heads > 0 && width.is_multiple_of(heads),
        "{width} numbers of {heads} heads"
    );
    let head_dim = width / heads;
    let (query, keys, values, mask) = (
        cpu::read(query)?,
        cpu::read(keys)?,
        cpu::read(values)?,
        cpu::read(mask)?,
    );
    let [query, keys, values, mask] = [&query, &keys, &values, &mask].map(cpu::numbers);
    let scale = 1.0 / (head_dim as f32).sqrt();
    let mut output = vec![0.0; rows * width];
    let sequences = output.par_chunks_mut((length * width).max(1)).enumerate();
    sequences.for_each(|(index, output)| {
        let start = index * length * width;
        let mask = &mask[index * length..][..length];
        let mut shares = vec![0.0; length * length];
        for head in 0..heads {
            let column = head * head_dim;
            let part = |numbers| {
                let numbers: &[f32] = numbers;
                let numbers = &numbers[start + column..start + length * width];
                Matrix::new(numbers, length, head_dim).with_stride(width)
            };
            let transposed = part(keys).transposed();
            cpu::multiply(&mut shares, length, 0.0, scale, part(query), transposed);
            softmax_rows(&mut shares, mask, length);
            let shares = Matrix::new(&shares, length, length);
            cpu::multiply(&mut output[column..], width, 0.0, 1.0, shares, part(values));
        }
    });
    Some(Tensor::from_primitive::<Flex>(cpu::tensor(
        output,
        [rows, width],
    )))
}

#[cfg(feature = "wgpu")]
fn launch(
    query: &Tensor<2>,
    keys: &Tensor<2>,
    values: &Tensor<2>,
    mask: &Tensor<2>,
    heads: usize,
) -> Option<Tensor<2>> {
    use crate::gpu;
    use crate::shaders::{QUERIES, Shader, WIDEST_HEAD};

    let [rows, width] = query.dims();
    let [prompts, length] = mask.dims();
    assert!(
        heads > 0 && width.is_multiple_of(heads),
        "{width} numbers of {heads} heads"
    );
    let head_dim = width / heads;
    if !head_dim.is_multiple_of(4)
        || head_dim > WIDEST_HEAD
        || prompts.max(heads) > gpu::MOST_GROUPS
    {
        return None;
    }
    cpu::expect("query", [rows], [prompts * length]);
    cpu::expect("keys", keys.dims(), [rows, width]);
    cpu::expect("values", values.dims(), [rows, width]);
    let (query, keys) = (gpu::buffer(query)?, gpu::buffer(keys)?);
    let (values, mask) = (gpu::buffer(values)?, gpu::buffer(mask)?);
    let scale = 1.0 / (head_dim as f32).sqrt();
    Some(gpu::launch(
        Shader::attention(head_dim),
        &[Some(&query), Some(&keys), Some(&values), Some(&mask)],
        [rows, width],
        &[length as u32, heads as u32, scale.to_bits()],
        [length.div_ceil(QUERIES), heads, prompts],
    ))
}
