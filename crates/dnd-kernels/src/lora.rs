//! Matmul with a packed matrix and its low-rank update (Hu et al., arXiv 2106.09685) as one
//! operation.

use std::sync::Arc;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Flex, backend_extension};

use crate::cpu::{self, Matrix};
use crate::packed_pair::PackedPair;

/// Backend operation: matmul with a packed matrix and its LoRA update, on burn's CPU device.
#[backend_extension(Autodiff: cfg(feature = "autodiff"), Flex)]
pub trait AdaptedProduct: Backend {
    /// See [`FrozenMatrix::adapted`](crate::FrozenMatrix::adapted).
    fn adapted_product(
        input: FloatTensor<Self>,
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
        scaling: f32,
        matrix: Arc<PackedPair>,
    ) -> FloatTensor<Self>;
}

impl AdaptedProduct for Flex {
    fn adapted_product(
        input: FloatTensor<Self>,
        a: FloatTensor<Self>,
        b: FloatTensor<Self>,
        scaling: f32,
        matrix: Arc<PackedPair>,
    ) -> FloatTensor<Self> {
        Inputs::new(&input, &a, &b).forward(scaling, &matrix).0
    }
}

/// Contiguous input and factors.
#[derive(Debug, Clone)]
struct Inputs {
    /// (rows, input).
    input: FloatTensor<Flex>,
    /// (rank, input).
    a: FloatTensor<Flex>,
    /// (output, rank).
    b: FloatTensor<Flex>,
}

impl Inputs {
    fn new(input: &FloatTensor<Flex>, a: &FloatTensor<Flex>, b: &FloatTensor<Flex>) -> Self {
        Self {
            input: input.to_contiguous(),
            a: a.to_contiguous(),
            b: b.to_contiguous(),
        }
    }

    /// Returns the output (rows, output) and `scaling` times input times `a` transposed
    /// (rows, rank).
    fn forward(&self, scaling: f32, matrix: &PackedPair) -> (FloatTensor<Flex>, Vec<f32>) {
        let (input, a, b) = (
            as_matrix(&self.input),
            as_matrix(&self.a),
            as_matrix(&self.b),
        );
        let (depth, width) = (matrix.forward.depth(), matrix.forward.width());
        cpu::expect("input", [input.columns], [depth]);
        cpu::expect("a", [a.columns], [depth]);
        cpu::expect("b", [b.rows, b.columns], [width, a.rows]);
        let mut low = vec![0.0; input.rows * a.rows];
        cpu::multiply(&mut low, a.rows, 0.0, scaling, input, a.transposed());
        let mut output = matrix.forward.product(input.values);
        let low_matrix = Matrix::new(&low, input.rows, a.rows);
        cpu::multiply(&mut output, b.rows, 1.0, 1.0, low_matrix, b.transposed());
        (cpu::tensor(output, [input.rows, b.rows]), low)
    }
}

fn as_matrix(tensor: &FloatTensor<Flex>) -> Matrix<'_> {
    let [rows, columns] = cpu::shape(tensor);
    Matrix::new(cpu::numbers(tensor), rows, columns)
}

#[cfg(feature = "autodiff")]
mod gradient {
    use burn::backend::Autodiff;
    use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
    use burn::backend::autodiff::grads::Gradients;
    use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};

    use super::*;

    #[derive(Debug)]
    struct AdaptedProductBackward;

    #[derive(Debug, Clone)]
    struct State {
        inputs: Inputs,
        low: Vec<f32>,
        scaling: f32,
        matrix: Arc<PackedPair>,
    }

    impl Backward<Flex, 3> for AdaptedProductBackward {
        type State = State;

        fn backward(
            self,
            ops: Ops<Self::State, 3>,
            gradients: &mut Gradients,
            _checkpointer: &mut Checkpointer,
        ) {
            let gradient = gradients.consume::<Flex>(&ops.node).to_contiguous();
            let State {
                inputs,
                low,
                scaling,
                matrix,
            } = &ops.state;
            let gradient = as_matrix(&gradient);
            let (input, a, b) = (
                as_matrix(&inputs.input),
                as_matrix(&inputs.a),
                as_matrix(&inputs.b),
            );
            let (rows, rank) = (input.rows, a.rows);
            let mut grad_low = vec![0.0; rows * rank];
            cpu::multiply(&mut grad_low, rank, 0.0, *scaling, gradient, b);
            let grad_low = Matrix::new(&grad_low, rows, rank);
            let [input_node, a_node, b_node] = ops.parents;
            if let Some(node) = input_node {
                let mut output = matrix.backward().product(gradient.values);
                cpu::multiply(&mut output, input.columns, 1.0, 1.0, grad_low, a);
                gradients.register::<Flex>(node.id, cpu::tensor(output, [rows, input.columns]));
            }
            if let Some(node) = a_node {
                let mut output = vec![0.0; rank * input.columns];
                cpu::multiply(
                    &mut output,
                    input.columns,
                    0.0,
                    1.0,
                    grad_low.transposed(),
                    input,
                );
                gradients.register::<Flex>(node.id, cpu::tensor(output, [rank, input.columns]));
            }
            if let Some(node) = b_node {
                let mut output = vec![0.0; b.rows * rank];
                let low = Matrix::new(low, rows, rank);
                cpu::multiply(&mut output, rank, 0.0, 1.0, gradient.transposed(), low);
                gradients.register::<Flex>(node.id, cpu::tensor(output, [b.rows, rank]));
            }
        }
    }

    impl<C: CheckpointStrategy> AdaptedProduct for Autodiff<Flex, C> {
        fn adapted_product(
            input: FloatTensor<Self>,
            a: FloatTensor<Self>,
            b: FloatTensor<Self>,
            scaling: f32,
            matrix: Arc<PackedPair>,
        ) -> FloatTensor<Self> {
            let inputs = Inputs::new(input.primitive(), a.primitive(), b.primitive());
            let (output, low) = inputs.forward(scaling, &matrix);
            match AdaptedProductBackward
                .prepare::<C>([input.node(), a.node(), b.node()])
                .compute_bound()
                .stateful()
            {
                OpsKind::Tracked(step) => {
                    let state = State {
                        inputs,
                        low,
                        scaling,
                        matrix,
                    };
                    step.finish(state, output)
                }
                OpsKind::UnTracked(step) => step.finish(output),
            }
        }
    }
}
