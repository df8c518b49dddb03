//! SwiGLU gating of a feed-forward layer: SiLU of the gate times `up`
//! (Shazeer, arXiv 2002.05202).

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, Flex, backend_extension};
use burn::tensor::Tensor;
use burn::tensor::activation::silu;
use multiversion::multiversion;

use crate::cpu;

/// `silu(gate) * up`, both (rows, width).
pub fn silu_mul(gate: Tensor<2>, up: Tensor<2>) -> Tensor<2> {
    if !cpu::is_here(&gate) {
        return reference(gate, up);
    }
    Tensor::from_dispatch(Dispatch::silu_mul(gate.into_dispatch(), up.into_dispatch()))
}

/// Reference implementation in plain burn.
pub fn reference(gate: Tensor<2>, up: Tensor<2>) -> Tensor<2> {
    silu(gate) * up
}

/// Backend operation behind [`silu_mul`].
#[backend_extension(Autodiff: cfg(feature = "autodiff"), Flex)]
pub trait SiluMul: Backend {
    /// See [`silu_mul`].
    fn silu_mul(gate: FloatTensor<Self>, up: FloatTensor<Self>) -> FloatTensor<Self>;
}

#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + cpu::exp(-x))
}

impl SiluMul for Flex {
    fn silu_mul(gate: FloatTensor<Self>, up: FloatTensor<Self>) -> FloatTensor<Self> {
        cpu::expect::<2>("up", cpu::shape(&up), cpu::shape(&gate));
        let (gate, up) = (gate.to_contiguous(), up.to_contiguous());
        let mut output = vec![0.0; cpu::numbers(&gate).len()];
        multiply(cpu::numbers(&gate), cpu::numbers(&up), &mut output);
        cpu::tensor::<2>(output, cpu::shape(&gate))
    }
}

#[multiversion(targets(
    "x86_64+avx512f+avx512vl+avx512bw+avx512dq+avx2+fma",
    "x86_64+avx2+fma"
))]
fn multiply(gate: &[f32], up: &[f32], output: &mut [f32]) {
    for ((x, up), output) in gate.iter().zip(up).zip(output) {
        *output = x * sigmoid(*x) * up;
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
    struct SiluMulBackward;

    impl Backward<Flex, 2> for SiluMulBackward {
        type State = (FloatTensor<Flex>, FloatTensor<Flex>);

        fn backward(
            self,
            ops: Ops<Self::State, 2>,
            gradients: &mut Gradients,
            _checkpointer: &mut Checkpointer,
        ) {
            let gradient = gradients.consume::<Flex>(&ops.node).to_contiguous();
            let [gate_node, up_node] = ops.parents;
            let (gate, up) = ops.state;
            let shape = cpu::shape::<2>(&gate);
            let (gate, up) = (cpu::numbers(&gate), cpu::numbers(&up));
            let mut grad_gate = vec![0.0; gate.len()];
            let mut grad_up = vec![0.0; gate.len()];
            let gradient = cpu::numbers(&gradient);
            differentiate(gradient, gate, up, &mut grad_gate, &mut grad_up);
            if let Some(node) = gate_node {
                gradients.register::<Flex>(node.id, cpu::tensor(grad_gate, shape));
            }
            if let Some(node) = up_node {
                gradients.register::<Flex>(node.id, cpu::tensor(grad_up, shape));
            }
        }
    }

    #[multiversion(targets(
        "x86_64+avx512f+avx512vl+avx512bw+avx512dq+avx2+fma",
        "x86_64+avx2+fma"
    ))]
    fn differentiate(
        gradient: &[f32],
        gate: &[f32],
        up: &[f32],
        grad_gate: &mut [f32],
        grad_up: &mut [f32],
    ) {
        let inputs = gate.iter().zip(up).zip(gradient);
        for (((&x, up), gradient), (grad_gate, grad_up)) in
            inputs.zip(grad_gate.iter_mut().zip(grad_up))
        {
            let share = sigmoid(x);
            *grad_up = gradient * x * share;
            *grad_gate = gradient * up * share * (1.0 + x * (1.0 - share));
        }
    }

    impl<C: CheckpointStrategy> SiluMul for Autodiff<Flex, C> {
        fn silu_mul(gate: FloatTensor<Self>, up: FloatTensor<Self>) -> FloatTensor<Self> {
            let values = (
                gate.primitive().to_contiguous(),
                up.primitive().to_contiguous(),
            );
            let output = Flex::silu_mul(values.0.clone(), values.1.clone());
            match SiluMulBackward
                .prepare::<C>([gate.node(), up.node()])
                .compute_bound()
                .stateful()
            {
                OpsKind::Tracked(step) => step.finish(values, output),
                OpsKind::UnTracked(step) => step.finish(output),
            }
        }
    }
}
