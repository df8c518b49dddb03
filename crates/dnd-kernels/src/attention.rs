//! Masked attention for short sequences: scores, softmax and weighted sum without intermediate
//! tensors.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, Flex, backend_extension};
use burn::tensor::Tensor;
use burn::tensor::activation::softmax;

use multiversion::multiversion;
use rayon::prelude::*;

use crate::cpu::{self, Matrix};

/// Attention of `query` (B, heads, T, D) over `keys` and `values` (B, key heads, S, D):
/// (B * T, heads * D).
///
/// Consecutive query heads share a key head, as in grouped-query attention. Scores are scaled
/// by one over the square root of D. `mask`, (B, 1, T, S) or (B, 1, 1, S), is added to them; no
/// gradient flows to it.
pub fn attend(query: Tensor<4>, keys: Tensor<4>, values: Tensor<4>, mask: Tensor<4>) -> Tensor<2> {
    if !cpu::is_here(&query) {
        return reference(query, keys, values, mask);
    }
    let output = Dispatch::attend(
        query.into_dispatch(),
        keys.into_dispatch(),
        values.into_dispatch(),
        mask.into_dispatch(),
    );
    Tensor::from_dispatch(output)
}

/// Reference implementation in plain burn.
pub fn reference(
    query: Tensor<4>,
    keys: Tensor<4>,
    values: Tensor<4>,
    mask: Tensor<4>,
) -> Tensor<2> {
    let [batch, heads, length, head_dim] = query.dims();
    let [_, key_heads, total, _] = keys.dims();
    // One matmul covers all query heads that share a key head.
    let grouped = [batch, key_heads, heads / key_heads * length, head_dim];
    let query = (query / (head_dim as f32).sqrt()).reshape(grouped);
    let scores = query
        .matmul(keys.transpose())
        .reshape([batch, heads, length, total])
        + mask;
    softmax(scores, 3)
        .reshape([batch, key_heads, heads / key_heads * length, total])
        .matmul(values)
        .reshape([batch, heads, length, head_dim])
        .swap_dims(1, 2)
        .reshape([batch * length, heads * head_dim])
}

/// Backend operation behind [`attend`].
#[backend_extension(Autodiff: cfg(feature = "autodiff"), Flex)]
pub trait Attention: Backend {
    /// See [`attend`].
    fn attend(
        query: FloatTensor<Self>,
        keys: FloatTensor<Self>,
        values: FloatTensor<Self>,
        mask: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
}

impl Attention for Flex {
    fn attend(
        query: FloatTensor<Self>,
        keys: FloatTensor<Self>,
        values: FloatTensor<Self>,
        mask: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let inputs = Inputs::new(query, keys, values, mask);
        let sizes = inputs.sizes();
        let width = sizes.heads * sizes.head_dim;
        let mut output = vec![0.0; sizes.batch * sizes.length * width];
        let sequences = output.par_chunks_mut((sizes.length * width).max(1));
        let sequences = sequences.enumerate();
        sequences.for_each(|(index, output)| {
            let sequence = inputs.sequence(index, sizes);
            let mut weights = vec![0.0; sizes.length * sizes.total];
            for head in 0..sizes.heads {
                sequence.weights(head, &mut weights);
                sequence.mix(head, &weights, output);
            }
        });
        cpu::tensor(output, [sizes.batch * sizes.length, width])
    }
}

/// Contiguous inputs.
#[derive(Debug, Clone)]
struct Inputs {
    query: FloatTensor<Flex>,
    keys: FloatTensor<Flex>,
    values: FloatTensor<Flex>,
    mask: FloatTensor<Flex>,
}

#[derive(Clone, Copy)]
struct Sizes {
    batch: usize,
    heads: usize,
    key_heads: usize,
    /// Number of queries, T.
    length: usize,
    /// Number of keys, S.
    total: usize,
    head_dim: usize,
}

impl Inputs {
    fn new(
        query: FloatTensor<Flex>,
        keys: FloatTensor<Flex>,
        values: FloatTensor<Flex>,
        mask: FloatTensor<Flex>,
    ) -> Self {
        let [batch, heads, length, head_dim] = cpu::shape(&query);
        let [_, key_heads, total, _] = cpu::shape(&keys);
        let shared = [batch, key_heads, total, head_dim];
        cpu::expect("keys", cpu::shape(&keys), shared);
        cpu::expect("values", cpu::shape(&values), shared);
        let [_, _, lines, _] = cpu::shape(&mask);
        let lines = if lines == 1 { 1 } else { length };
        cpu::expect("mask", cpu::shape(&mask), [batch, 1, lines, total]);
        assert!(
            key_heads > 0 && heads.is_multiple_of(key_heads),
            "{heads} query heads are not a multiple of {key_heads} key heads"
        );
        assert!(
            total > 0 && head_dim > 0,
            "number of keys and head dimension must not be zero"
        );
        Self {
            query: query.to_contiguous(),
            keys: keys.to_contiguous(),
            values: values.to_contiguous(),
            mask: mask.to_contiguous(),
        }
    }

    fn sizes(&self) -> Sizes {
        let [batch, heads, length, head_dim] = cpu::shape(&self.query);
        let [_, key_heads, total, _] = cpu::shape(&self.keys);
        Sizes {
            batch,
            heads,
            key_heads,
            length,
            total,
            head_dim,
        }
    }

    /// One sequence of the batch.
    fn sequence(&self, index: usize, sizes: Sizes) -> Sequence<'_> {
        let part = |tensor| {
            let numbers = cpu::numbers(tensor);
            let count = numbers.len() / sizes.batch;
            &numbers[index * count..][..count]
        };
        Sequence {
            query: part(&self.query),
            keys: part(&self.keys),
            values: part(&self.values),
            mask: part(&self.mask),
            sizes,
        }
    }
}

/// The inputs of one sequence: query (heads, T, D), keys and values (key heads, S, D), and mask
/// (T or 1, S).
struct Sequence<'a> {
    query: &'a [f32],
    keys: &'a [f32],
    values: &'a [f32],
    mask: &'a [f32],
    sizes: Sizes,
}

impl<'a> Sequence<'a> {
    /// The query (T, D) of a head.
    fn query(&self, head: usize) -> Matrix<'a> {
        let Sizes {
            length, head_dim, ..
        } = self.sizes;
        let numbers = &self.query[head * length * head_dim..][..length * head_dim];
        Matrix::new(numbers, length, head_dim)
    }

    /// The keys or values (S, D) for a query head.
    fn shared(&self, numbers: &'a [f32], head: usize) -> Matrix<'a> {
        let Sizes {
            total, head_dim, ..
        } = self.sizes;
        let start = self.sizes.key_head(head) * total * head_dim;
        Matrix::new(&numbers[start..][..total * head_dim], total, head_dim)
    }

    /// Writes the attention weights (T, S) of a head.
    fn weights(&self, head: usize, weights: &mut [f32]) {
        let total = self.sizes.total;
        let (query, keys) = (self.query(head), self.shared(self.keys, head).transposed());
        cpu::multiply(weights, total, 0.0, self.sizes.scale(), query, keys);
        softmax_rows(weights, self.mask, total);
    }

    /// Writes a head's columns of the output (T, heads * D).
    fn mix(&self, head: usize, weights: &[f32], output: &mut [f32]) {
        let Sizes {
            length,
            total,
            heads,
            head_dim,
            ..
        } = self.sizes;
        let weights = Matrix::new(weights, length, total);
        let columns = &mut output[head * head_dim..];
        let values = self.shared(self.values, head);
        cpu::multiply(columns, heads * head_dim, 0.0, 1.0, weights, values);
    }
}

impl Sizes {
    fn key_head(self, head: usize) -> usize {
        head / (self.heads / self.key_heads)
    }

    fn scale(self) -> f32 {
        1.0 / (self.head_dim as f32).sqrt()
    }
}

#[multiversion(targets(
    "x86_64+avx512f+avx512vl+avx512bw+avx512dq+avx2+fma",
    "x86_64+avx2+fma"
))]
pub(crate) fn softmax_rows(scores: &mut [f32], mask: &[f32], total: usize) {
    let lines = mask.chunks_exact(total).cycle();
    for (row, mask) in scores.chunks_exact_mut(total).zip(lines) {
        softmax_row(row, mask);
    }
}

#[inline(always)]
fn softmax_row(row: &mut [f32], mask: &[f32]) {
    for (score, mask) in row.iter_mut().zip(mask) {
        *score += mask;
    }
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    let largest = cpu::fold(row, f32::NEG_INFINITY, larger, |score| score);
    for score in row.iter_mut() {
        *score = cpu::exp(*score - largest);
    }
    let factor = 1.0 / cpu::fold(row, 0.0, |a, b| a + b, |weight| weight);
    for score in row {
        *score *= factor;
    }
}

#[cfg(feature = "autodiff")]
mod gradient {
    use burn::backend::Autodiff;
    use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
    use burn::backend::autodiff::grads::Gradients;
    use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};

    use super::*;

    #[derive(Debug)]
    struct AttentionBackward;

    impl Backward<Flex, 3> for AttentionBackward {
        type State = Inputs;

        fn backward(
            self,
            ops: Ops<Self::State, 3>,
            gradients: &mut Gradients,
            _checkpointer: &mut Checkpointer,
        ) {
            let gradient = gradients.consume::<Flex>(&ops.node).to_contiguous();
            let gradients_of_inputs = backward(&ops.state, &gradient);
            for (parent, gradient) in ops.parents.into_iter().zip(gradients_of_inputs) {
                if let Some(parent) = parent {
                    gradients.register::<Flex>(parent.id, gradient);
                }
            }
        }
    }

    /// Gradients of query, keys and values. Attention weights are recomputed, which is cheaper
    /// than keeping them.
    fn backward(inputs: &Inputs, gradient: &FloatTensor<Flex>) -> [FloatTensor<Flex>; 3] {
        let sizes = inputs.sizes();
        let [query, keys, values] =
            [&inputs.query, &inputs.keys, &inputs.values].map(cpu::shape::<4>);
        let zeros = |shape: [usize; 4]| vec![0.0f32; shape.iter().product()];
        let (mut grad_query, mut grad_keys, mut grad_values) =
            (zeros(query), zeros(keys), zeros(values));
        let part = |numbers: &[f32]| (numbers.len() / sizes.batch.max(1)).max(1);
        let grad_output = cpu::numbers(gradient);
        let query_parts = grad_query.par_chunks_mut(part(cpu::numbers(&inputs.query)));
        let shared = part(cpu::numbers(&inputs.keys));
        query_parts
            .zip(grad_keys.par_chunks_mut(shared))
            .zip(grad_values.par_chunks_mut(shared))
            .zip(grad_output.par_chunks(part(grad_output)))
            .enumerate()
            .for_each(
                |(index, (((grad_query, grad_keys), grad_values), grad_output))| {
                    inputs.sequence(index, sizes).backward(
                        grad_output,
                        grad_query,
                        grad_keys,
                        grad_values,
                    );
                },
            );
        [
            cpu::tensor(grad_query, query),
            cpu::tensor(grad_keys, keys),
            cpu::tensor(grad_values, values),
        ]
    }

    impl Sequence<'_> {
        fn backward(
            &self,
            grad_output: &[f32],
            grad_query: &mut [f32],
            grad_keys: &mut [f32],
            grad_values: &mut [f32],
        ) {
            let Sizes {
                heads,
                length,
                total,
                head_dim,
                ..
            } = self.sizes;
            let mut weights = vec![0.0; length * total];
            let mut grad_weights = vec![0.0; length * total];
            for head in 0..heads {
                self.weights(head, &mut weights);
                let columns = &grad_output[head * head_dim..];
                let grad_output =
                    Matrix::new(columns, length, head_dim).with_stride(heads * head_dim);
                let start = self.sizes.key_head(head) * total * head_dim;
                let grad_values = &mut grad_values[start..][..total * head_dim];
                let weights_matrix = Matrix::new(&weights, length, total);
                let transposed = weights_matrix.transposed();
                cpu::multiply(grad_values, head_dim, 1.0, 1.0, transposed, grad_output);

                let values = self.shared(self.values, head).transposed();
                cpu::multiply(&mut grad_weights, total, 0.0, 1.0, grad_output, values);
                through_softmax(&weights, &mut grad_weights, total);

                let grad_scores = Matrix::new(&grad_weights, length, total);
                let scale = self.sizes.scale();
                let grad_head = &mut grad_query[head * length * head_dim..][..length * head_dim];
                let keys = self.shared(self.keys, head);
                cpu::multiply(grad_head, head_dim, 0.0, scale, grad_scores, keys);
                let grad_keys = &mut grad_keys[start..][..total * head_dim];
                let (grad_scores, query) = (grad_scores.transposed(), self.query(head));
                cpu::multiply(grad_keys, head_dim, 1.0, scale, grad_scores, query);
            }
        }
    }

    /// Turns the gradient of the attention weights into the gradient of the scores, in place.
    #[multiversion(targets(
        "x86_64+avx512f+avx512vl+avx512bw+avx512dq+avx2+fma",
        "x86_64+avx2+fma"
    ))]
    fn through_softmax(weights: &[f32], gradient: &mut [f32], total: usize) {
        let rows = weights.chunks_exact(total);
        for (weights, gradient) in rows.zip(gradient.chunks_exact_mut(total)) {
            let along = cpu::dot(weights, gradient);
            for (weight, gradient) in weights.iter().zip(gradient) {
                *gradient = weight * (*gradient - along);
            }
        }
    }

    impl<C: CheckpointStrategy> Attention for Autodiff<Flex, C> {
        fn attend(
            query: FloatTensor<Self>,
            keys: FloatTensor<Self>,
            values: FloatTensor<Self>,
            mask: FloatTensor<Self>,
        ) -> FloatTensor<Self> {
            let nodes = [query.node(), keys.node(), values.node()];
            let [query, keys, values, mask] =
                [query, keys, values, mask].map(|tensor| tensor.primitive().clone());
            let inputs = Inputs::new(query, keys, values, mask);
            let output = Flex::attend(
                inputs.query.clone(),
                inputs.keys.clone(),
                inputs.values.clone(),
                inputs.mask.clone(),
            );
            match AttentionBackward
                .prepare::<C>(nodes)
                .compute_bound()
                .stateful()
            {
                OpsKind::Tracked(step) => step.finish(inputs, output),
                OpsKind::UnTracked(step) => step.finish(output),
            }
        }
    }
}
