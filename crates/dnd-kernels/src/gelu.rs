//! A layer's bias and its GELU (Hendrycks and Gimpel, arXiv 1606.08415) in one pass.

use burn::backend::Flex;
use burn::tensor::{Device, Tensor, activation};
use multiversion::multiversion;

use crate::cpu;

/// `gelu(input + bias)` for `input` (rows, width) and `bias` (1, width), with the exact error function. Gradients are
/// the twin's.
pub fn biased_gelu(input: Tensor<2>, bias: Tensor<2>) -> Tensor<2> {
    if input.device() != Device::flex() {
        return twin(input, bias);
    }
    let shape = input.dims();
    cpu::expect("bias", bias.dims(), [1, shape[1]]);
    assert!(shape[1] > 0, "rows of nothing");
    let (Some(values), Some(biases)) = (cpu::read(&input), cpu::read(&bias)) else {
        return twin(input, bias);
    };
    let mut output = cpu::numbers(&values).to_vec();
    activate(&mut output, cpu::numbers(&biases));
    Tensor::from_primitive::<Flex>(cpu::tensor(output, shape))
}

/// The same in plain burn.
pub fn twin(input: Tensor<2>, bias: Tensor<2>) -> Tensor<2> {
    activation::gelu(input + bias)
}

/// The GELU of rows of numbers with a bias each, in their place.
#[multiversion(targets(
    "x86_64+avx512f+avx512vl+avx512bw+avx512dq+avx2+fma",
    "x86_64+avx2+fma"
))]
pub(crate) fn activate(values: &mut [f32], bias: &[f32]) {
    for row in values.chunks_exact_mut(bias.len()) {
        for (value, bias) in row.iter_mut().zip(bias) {
            let x = *value + bias;
            *value = 0.5 * x * (1.0 + error_function(x * std::f32::consts::FRAC_1_SQRT_2));
        }
    }
}

/// The error function to 2e-7 (Abramowitz and Stegun, 7.1.26).
#[inline(always)]
fn error_function(x: f32) -> f32 {
    let size = x.abs();
    let t = 1.0 / (1.0 + 0.327_591_1 * size);
    let mut sum = 1.061_405_4_f32;
    for coefficient in [-1.453_152, 1.421_413_7, -0.284_496_74, 0.254_829_6] {
        sum = sum * t + coefficient;
    }
    (1.0 - sum * t * cpu::exp(-size * size)).copysign(x)
}
