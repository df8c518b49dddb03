//! Cross-entropies of answers without the logits of all of them at once.
//!
//! A large vocabulary makes the logits of a few hundred tokens the largest tensor of a training
//! step. They are computed for a few rows at a time; where gradients are tracked, the gradient of
//! those rows' hidden states is taken before the next rows are computed.

use std::sync::Arc;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Flex, backend_extension};

use crate::cpu;
use crate::packed_pair::PackedPair;

/// Rows whose logits are in memory at once.
const ROWS: usize = 32;

/// Backend operation: cross-entropies by a packed output matrix, on burn's CPU device.
#[backend_extension(Autodiff: cfg(feature = "autodiff"), Flex)]
pub trait CrossEntropy: Backend {
    /// See [`FrozenMatrix::cross_entropy`](crate::FrozenMatrix::cross_entropy).
    fn cross_entropy(
        hidden: FloatTensor<Self>,
        matrix: Arc<PackedPair>,
        answers: Arc<Vec<u32>>,
    ) -> FloatTensor<Self>;
}

impl CrossEntropy for Flex {
    fn cross_entropy(
        hidden: FloatTensor<Self>,
        matrix: Arc<PackedPair>,
        answers: Arc<Vec<u32>>,
    ) -> FloatTensor<Self> {
        let hidden = hidden.to_contiguous();
        let losses = losses(&hidden, &matrix, &answers, |_, _, _| ());
        let count = losses.len();
        cpu::tensor(losses, [count])
    }
}

/// The loss of each row. `then` gets the rows of a part, the exponentials of their logits and the
/// sums of these.
fn losses(
    hidden: &FloatTensor<Flex>,
    matrix: &PackedPair,
    answers: &[u32],
    mut then: impl FnMut(&[u32], &mut [f32], &[f32]),
) -> Vec<f32> {
    let [rows, depth] = cpu::shape(hidden);
    let width = matrix.forward.width();
    cpu::expect(
        "hidden",
        [rows, depth],
        [answers.len(), matrix.forward.depth()],
    );
    let mut losses = Vec::with_capacity(rows);
    let parts = cpu::numbers(hidden).chunks(ROWS * depth.max(1));
    for (part, answers) in parts.zip(answers.chunks(ROWS)) {
        let mut logits = matrix.forward.product(part);
        let mut sums = Vec::with_capacity(answers.len());
        for (row, &answer) in logits.chunks_exact_mut(width).zip(answers) {
            let largest = row.iter().fold(f32::NEG_INFINITY, |most, x| most.max(*x));
            let own = row[answer as usize] - largest;
            let mut sum = 0.0f64;
            for value in row.iter_mut() {
                *value = (*value - largest).exp();
                sum += f64::from(*value);
            }
            losses.push(sum.ln() as f32 - own);
            sums.push(sum as f32);
        }
        then(answers, &mut logits, &sums);
    }
    losses
}

#[cfg(feature = "autodiff")]
mod gradient {
    use burn::backend::Autodiff;
    use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
    use burn::backend::autodiff::grads::Gradients;
    use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};

    use super::*;

    /// The gradient of a row's hidden state is that of its loss times what the forward pass kept.
    #[derive(Debug)]
    struct CrossEntropyBackward;

    #[derive(Debug, Clone)]
    struct State {
        /// (rows, hidden), by the loss of each row.
        by_loss: Arc<Vec<f32>>,
        shape: [usize; 2],
    }

    impl Backward<Flex, 1> for CrossEntropyBackward {
        type State = State;

        fn backward(
            self,
            ops: Ops<Self::State, 1>,
            gradients: &mut Gradients,
            _checkpointer: &mut Checkpointer,
        ) {
            let [hidden] = ops.parents;
            let gradient = gradients.consume::<Flex>(&ops.node).to_contiguous();
            let Some(hidden) = hidden else {
                return;
            };
            let State { by_loss, shape } = ops.state;
            let mut values = by_loss.to_vec();
            let rows = values.chunks_exact_mut(shape[1].max(1));
            for (row, factor) in rows.zip(cpu::numbers(&gradient)) {
                row.iter_mut().for_each(|value| *value *= factor);
            }
            gradients.register::<Flex>(hidden.id, cpu::tensor(values, shape));
        }
    }

    impl<C: CheckpointStrategy> CrossEntropy for Autodiff<Flex, C> {
        fn cross_entropy(
            hidden: FloatTensor<Self>,
            matrix: Arc<PackedPair>,
            answers: Arc<Vec<u32>>,
        ) -> FloatTensor<Self> {
            let input = hidden.primitive().to_contiguous();
            match CrossEntropyBackward
                .prepare::<C>([hidden.node()])
                .compute_bound()
                .stateful()
            {
                OpsKind::Tracked(step) => {
                    let shape = cpu::shape(&input);
                    let width = matrix.forward.width();
                    let mut by_loss = Vec::with_capacity(shape[0] * shape[1]);
                    // Softmax, less one at the answer, times the matrix.
                    let keep = |answers: &[u32], exponentials: &mut [f32], sums: &[f32]| {
                        let rows = exponentials.chunks_exact_mut(width);
                        for ((row, answer), sum) in rows.zip(answers).zip(sums) {
                            row.iter_mut().for_each(|value| *value /= sum);
                            row[*answer as usize] -= 1.0;
                        }
                        by_loss.extend(matrix.backward().product(exponentials));
                    };
                    let losses = losses(&input, &matrix, &answers, keep);
                    let count = losses.len();
                    let state = State {
                        by_loss: Arc::new(by_loss),
                        shape,
                    };
                    step.finish(state, cpu::tensor(losses, [count]))
                }
                OpsKind::UnTracked(step) => {
                    step.finish(Flex::cross_entropy(input, matrix, answers))
                }
            }
        }
    }
}
