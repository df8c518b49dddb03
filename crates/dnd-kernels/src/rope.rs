//! Rotary position embedding (Su et al., arXiv 2104.09864), with its output in attention
//! layout.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, Flex, backend_extension};
use burn::tensor::Tensor;

use crate::cpu;

/// Applies RoPE to `input` (B * T, heads * D) with `cosine` and `sine`, each (B, 1, T, D):
/// (B, heads, T, D).
///
/// Element i of a head is paired with element i + D / 2, as in transformers, so both halves of
/// `cosine` and `sine` must be the same. No gradient flows to them.
pub fn apply_rope(input: Tensor<2>, cosine: Tensor<4>, sine: Tensor<4>) -> Tensor<4> {
    if !cpu::is_here(&input) {
        return reference(input, cosine, sine);
    }
    let (cosine, sine) = (cosine.into_dispatch(), sine.into_dispatch());
    Tensor::from_dispatch(Dispatch::apply_rope(input.into_dispatch(), cosine, sine))
}

/// Reference implementation in plain burn.
pub fn reference(input: Tensor<2>, cosine: Tensor<4>, sine: Tensor<4>) -> Tensor<4> {
    let [batch, _, length, head_dim] = cosine.dims();
    let heads = input.dims()[1] / head_dim;
    let half = head_dim / 2;
    let input = input
        .reshape([batch, length, heads, head_dim])
        .swap_dims(1, 2);
    let first = input.clone().narrow(3, 0, half);
    let second = input.clone().narrow(3, half, half);
    let turned = Tensor::cat(vec![-second, first], 3);
    input * cosine + turned * sine
}

/// Backend operation behind [`apply_rope`].
#[backend_extension(Autodiff: cfg(feature = "autodiff"), Flex)]
pub trait Rotary: Backend {
    /// See [`apply_rope`].
    fn apply_rope(
        input: FloatTensor<Self>,
        cosine: FloatTensor<Self>,
        sine: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
}

impl Rotary for Flex {
    fn apply_rope(
        input: FloatTensor<Self>,
        cosine: FloatTensor<Self>,
        sine: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let (input, cosine, sine) = (
            input.to_contiguous(),
            cosine.to_contiguous(),
            sine.to_contiguous(),
        );
        let [batch, _, length, head_dim] = cpu::shape(&cosine);
        let [_, width] = cpu::shape(&input);
        let heads = width / head_dim;
        cpu::expect("sine", cpu::shape(&sine), [batch, 1, length, head_dim]);
        let expected = [batch * length, heads * head_dim];
        cpu::expect("input", cpu::shape(&input), expected);
        assert!(
            head_dim.is_multiple_of(2),
            "head dimension {head_dim} is odd"
        );
        let values = cpu::numbers(&input);
        let (cosine, sine) = (cpu::numbers(&cosine), cpu::numbers(&sine));
        let mut output = vec![0.0; values.len()];
        for (index, output) in output.chunks_exact_mut(head_dim).enumerate() {
            let (row, head) = place(index, heads, length);
            let angles = row * head_dim..(row + 1) * head_dim;
            let from = row * width + head * head_dim;
            turn(
                &values[from..from + head_dim],
                &cosine[angles.clone()],
                &sine[angles],
                1.0,
                output,
            );
        }
        cpu::tensor(output, [batch, heads, length, head_dim])
    }
}

/// Input row (of B * T) and head of vector `index` of (B, heads, T).
#[inline(always)]
fn place(index: usize, heads: usize, length: usize) -> (usize, usize) {
    let (head, token) = (index / length % heads, index % length);
    (index / (length * heads) * length + token, head)
}

/// Rotates one head by its angles, or back if `direction` is -1.
#[inline(always)]
fn turn(input: &[f32], cosine: &[f32], sine: &[f32], direction: f32, output: &mut [f32]) {
    let half = input.len() / 2;
    let (first, second) = input.split_at(half);
    let (low, high) = output.split_at_mut(half);
    for index in 0..half {
        // Both halves have the same angles.
        let (cosine, sine) = (cosine[index], sine[index] * direction);
        low[index] = first[index] * cosine - second[index] * sine;
        high[index] = second[index] * cosine + first[index] * sine;
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
    struct RotaryBackward;

    impl Backward<Flex, 1> for RotaryBackward {
        type State = (FloatTensor<Flex>, FloatTensor<Flex>);

        fn backward(
            self,
            ops: Ops<Self::State, 1>,
            gradients: &mut Gradients,
            _checkpointer: &mut Checkpointer,
        ) {
            let gradient = gradients.consume::<Flex>(&ops.node).to_contiguous();
            let ([Some(parent)], (cosine, sine)) = (ops.parents, ops.state) else {
                return;
            };
            let [batch, heads, length, head_dim] = cpu::shape(&gradient);
            let (cosine, sine) = (cpu::numbers(&cosine), cpu::numbers(&sine));
            let width = heads * head_dim;
            let values = cpu::numbers(&gradient);
            let mut output = vec![0.0; values.len()];
            for (index, gradient) in values.chunks_exact(head_dim).enumerate() {
                let (row, head) = place(index, heads, length);
                let angles = row * head_dim..(row + 1) * head_dim;
                let to = row * width + head * head_dim;
                turn(
                    gradient,
                    &cosine[angles.clone()],
                    &sine[angles],
                    -1.0,
                    &mut output[to..to + head_dim],
                );
            }
            gradients.register::<Flex>(parent.id, cpu::tensor(output, [batch * length, width]));
        }
    }

    impl<C: CheckpointStrategy> Rotary for Autodiff<Flex, C> {
        fn apply_rope(
            input: FloatTensor<Self>,
            cosine: FloatTensor<Self>,
            sine: FloatTensor<Self>,
        ) -> FloatTensor<Self> {
            let angles = (
                cosine.primitive().to_contiguous(),
                sine.primitive().to_contiguous(),
            );
            let values = input.primitive().clone();
            let output = Flex::apply_rope(values, angles.0.clone(), angles.1.clone());
            match RotaryBackward
                .prepare::<C>([input.node()])
                .compute_bound()
                .stateful()
            {
                OpsKind::Tracked(step) => step.finish(angles, output),
                OpsKind::UnTracked(step) => step.finish(output),
            }
        }
    }
}
