//! RMSNorm (Zhang and Sennrich, arXiv 1910.07467) in one pass.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, Flex, backend_extension};
use burn::tensor::Tensor;
use multiversion::multiversion;

use crate::cpu;

/// RMSNorm of each row of `input` (rows, width), scaled by `weight` (1, width), which is
/// frozen.
pub fn rms_norm(input: Tensor<2>, weight: Tensor<2>, epsilon: f32) -> Tensor<2> {
    if !cpu::is_here(&input) {
        return reference(input, weight, epsilon);
    }
    let output = Dispatch::rms_norm(input.into_dispatch(), weight.into_dispatch(), epsilon);
    Tensor::from_dispatch(output)
}

/// Reference implementation in plain burn.
pub fn reference(input: Tensor<2>, weight: Tensor<2>, epsilon: f32) -> Tensor<2> {
    let scale = (input.clone().square().mean_dim(1) + epsilon).sqrt();
    input / scale * weight
}

/// Backend operation behind [`rms_norm`].
#[backend_extension(Autodiff: cfg(feature = "autodiff"), Flex)]
pub trait RmsNorm: Backend {
    /// See [`rms_norm`].
    fn rms_norm(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        epsilon: f32,
    ) -> FloatTensor<Self>;
}

impl RmsNorm for Flex {
    fn rms_norm(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        epsilon: f32,
    ) -> FloatTensor<Self> {
        let (input, weight) = (input.to_contiguous(), weight.to_contiguous());
        let [rows, width] = cpu::shape(&input);
        cpu::expect("weight", cpu::shape(&weight), [1, width]);
        assert!(width > 0, "rows must not be empty");
        let (values, weight) = (cpu::numbers(&input), cpu::numbers(&weight));
        let mut output = vec![0.0; rows * width];
        normalize(values, weight, epsilon, &mut output);
        cpu::tensor(output, [rows, width])
    }
}

#[multiversion(targets(
    "x86_64+avx512f+avx512vl+avx512bw+avx512dq+avx2+fma",
    "x86_64+avx2+fma"
))]
fn normalize(values: &[f32], weight: &[f32], epsilon: f32, output: &mut [f32]) {
    let width = weight.len();
    for (row, output) in values
        .chunks_exact(width)
        .zip(output.chunks_exact_mut(width))
    {
        let scale = scale(row, epsilon);
        for ((value, weight), output) in row.iter().zip(weight).zip(output) {
            *output = value * scale * weight;
        }
    }
}

/// Reciprocal of a row's root mean square.
#[inline(always)]
fn scale(row: &[f32], epsilon: f32) -> f32 {
    1.0 / (cpu::dot(row, row) / row.len() as f32 + epsilon).sqrt()
}

#[cfg(feature = "autodiff")]
mod gradient {
    use burn::backend::Autodiff;
    use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
    use burn::backend::autodiff::grads::Gradients;
    use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};

    use super::*;

    #[derive(Debug)]
    struct RmsNormBackward;

    impl Backward<Flex, 1> for RmsNormBackward {
        type State = (FloatTensor<Flex>, FloatTensor<Flex>, f32);

        fn backward(
            self,
            ops: Ops<Self::State, 1>,
            gradients: &mut Gradients,
            _checkpointer: &mut Checkpointer,
        ) {
            let gradient = gradients.consume::<Flex>(&ops.node);
            let ([Some(parent)], (input, weight, epsilon)) = (ops.parents, ops.state) else {
                return;
            };
            gradients.register::<Flex>(parent.id, grad_input(&gradient, &input, &weight, epsilon));
        }
    }

    /// Gradient of the input: r (w g) - r³ x mean(w g x), with r = 1 / rms.
    fn grad_input(
        gradient: &FloatTensor<Flex>,
        input: &FloatTensor<Flex>,
        weight: &FloatTensor<Flex>,
        epsilon: f32,
    ) -> FloatTensor<Flex> {
        let gradient = gradient.to_contiguous();
        let mut output = vec![0.0; cpu::numbers(input).len()];
        differentiate(
            cpu::numbers(&gradient),
            cpu::numbers(input),
            cpu::numbers(weight),
            epsilon,
            &mut output,
        );
        cpu::tensor::<2>(output, cpu::shape(input))
    }

    #[multiversion(targets(
        "x86_64+avx512f+avx512vl+avx512bw+avx512dq+avx2+fma",
        "x86_64+avx2+fma"
    ))]
    fn differentiate(
        gradient: &[f32],
        values: &[f32],
        weight: &[f32],
        epsilon: f32,
        output: &mut [f32],
    ) {
        let width = weight.len();
        let rows = values.chunks_exact(width).zip(gradient.chunks_exact(width));
        for ((row, gradient), output) in rows.zip(output.chunks_exact_mut(width)) {
            let scale = scale(row, epsilon);
            for ((gradient, weight), output) in gradient.iter().zip(weight).zip(&mut *output) {
                *output = gradient * weight;
            }
            let along = cpu::dot(output, row) / width as f32 * scale * scale;
            for (value, output) in row.iter().zip(output) {
                *output = scale * (*output - value * along);
            }
        }
    }

    impl<C: CheckpointStrategy> RmsNorm for Autodiff<Flex, C> {
        fn rms_norm(
            input: FloatTensor<Self>,
            weight: FloatTensor<Self>,
            epsilon: f32,
        ) -> FloatTensor<Self> {
            let values = input.primitive().to_contiguous();
            let weight = weight.primitive().to_contiguous();
            let output = Flex::rms_norm(values.clone(), weight.clone(), epsilon);
            match RmsNormBackward
                .prepare::<C>([input.node()])
                .compute_bound()
                .stateful()
            {
                OpsKind::Tracked(step) => step.finish((values, weight, epsilon), output),
                OpsKind::UnTracked(step) => step.finish(output),
            }
        }
    }
}
