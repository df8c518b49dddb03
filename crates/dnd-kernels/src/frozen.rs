//! Matrices that are multiplied with many times and never change.

use std::sync::{Arc, OnceLock};

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, Flex, backend_extension};
use burn::tensor::{Tensor, TensorData};

use crate::bf16::{self, Packed};

/// A frozen matrix (output, input), as linear layers store it.
#[derive(Clone)]
pub enum FrozenMatrix {
    /// As a tensor of any device.
    Plain(Tensor<2>),
    /// Rounded to bfloat16 and packed for this CPU.
    Packed(Arc<PackedPair>),
}

impl FrozenMatrix {
    /// The matrix as it is.
    pub fn new(weight: Tensor<2>) -> Self {
        Self::Plain(weight)
    }

    /// The matrix rounded to bfloat16, or `None` where this CPU has no [instructions](bf16::is_available) for it.
    pub fn packed(values: &[f32], [output, input]: [usize; 2]) -> Option<Self> {
        bf16::is_available().then(|| Self::Packed(Arc::new(PackedPair::new(values, output, input))))
    }

    /// `input` (rows, input) times the transposed matrix: (rows, output).
    pub fn product(&self, input: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Plain(weight) => input.matmul(weight.clone().transpose()),
            Self::Packed(pair) => {
                let output = Dispatch::frozen_product(input.into_dispatch(), Arc::clone(pair));
                Tensor::from_dispatch(output)
            }
        }
    }
}

/// A matrix packed for the product forwards and, once gradients are asked for, for the one backwards.
#[derive(Debug)]
pub struct PackedPair {
    /// (input, output).
    forward: Packed,
    /// (output, input).
    backward: OnceLock<Packed>,
}

impl PackedPair {
    fn new(values: &[f32], output: usize, input: usize) -> Self {
        Self {
            forward: Packed::new(input, output, |row, column| values[column * input + row]),
            backward: OnceLock::new(),
        }
    }

    #[cfg(feature = "autodiff")]
    fn backward(&self) -> &Packed {
        self.backward.get_or_init(|| self.forward.transposed())
    }
}

/// Products with packed matrices on burn's CPU device.
#[backend_extension(Autodiff: cfg(feature = "autodiff"), Flex)]
pub trait FrozenProduct: Backend {
    /// `input` (rows, input) times the transposed matrix: (rows, output).
    fn frozen_product(input: FloatTensor<Self>, matrix: Arc<PackedPair>) -> FloatTensor<Self>;
}

impl FrozenProduct for Flex {
    fn frozen_product(input: FloatTensor<Self>, matrix: Arc<PackedPair>) -> FloatTensor<Self> {
        product(&input, &matrix.forward)
    }
}

fn product(left: &FloatTensor<Flex>, right: &Packed) -> FloatTensor<Flex> {
    let left = left.to_contiguous();
    let start = left.layout().start_offset();
    let count = left.layout().num_elements();
    let values = right.product(&left.storage::<f32>()[start..start + count]);
    let shape = [count / right.depth(), right.width()];
    FloatTensor::<Flex>::from_data(TensorData::new(values, shape))
}

#[cfg(feature = "autodiff")]
mod gradient {
    use burn::backend::Autodiff;
    use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
    use burn::backend::autodiff::grads::Gradients;
    use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};

    use super::*;

    /// The gradient of the product's input is the gradient of its output times the matrix.
    #[derive(Debug)]
    struct FrozenProductBackward;

    impl Backward<Flex, 1> for FrozenProductBackward {
        type State = Arc<PackedPair>;

        fn backward(
            self,
            ops: Ops<Self::State, 1>,
            gradients: &mut Gradients,
            _checkpointer: &mut Checkpointer,
        ) {
            let [input] = ops.parents;
            let gradient = gradients.consume::<Flex>(&ops.node);
            if let Some(input) = input {
                gradients.register::<Flex>(input.id, product(&gradient, ops.state.backward()));
            }
        }
    }

    impl<C: CheckpointStrategy> FrozenProduct for Autodiff<Flex, C> {
        fn frozen_product(input: FloatTensor<Self>, matrix: Arc<PackedPair>) -> FloatTensor<Self> {
            let output = product(input.primitive(), &matrix.forward);
            match FrozenProductBackward
                .prepare::<C>([input.node()])
                .compute_bound()
                .stateful()
            {
                OpsKind::Tracked(step) => step.finish(matrix, output),
                OpsKind::UnTracked(step) => step.finish(output),
            }
        }
    }
}
