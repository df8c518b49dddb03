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
    let read = |tensor: &Tensor<2>| tensor.clone().try_into_primitive::<Flex>();
    let (Ok(values), Ok(biases)) = (read(&input), read(&bias)) else {
        return twin(input, bias);
    };
    let (values, biases) = (values.to_contiguous(), biases.to_contiguous());
    let mut output = vec![0.0; shape[0] * shape[1]];
    activate(cpu::numbers(&values), cpu::numbers(&biases), &mut output);
    Tensor::from_primitive::<Flex>(cpu::tensor(output, shape))
}

/// The same in plain burn.
pub fn twin(input: Tensor<2>, bias: Tensor<2>) -> Tensor<2> {
    activation::gelu(input + bias)
}

#[multiversion(targets(
    "x86_64+avx512f+avx512vl+avx512bw+avx512dq+avx2+fma",
    "x86_64+avx2+fma"
))]
fn activate(input: &[f32], bias: &[f32], output: &mut [f32]) {
    let width = bias.len();
    for (row, output) in input
        .chunks_exact(width)
        .zip(output.chunks_exact_mut(width))
    {
        for ((value, bias), output) in row.iter().zip(bias).zip(output) {
            *output = of(value + bias);
        }
    }
}

/// `activate` where the input is.
#[multiversion(targets(
    "x86_64+avx512f+avx512vl+avx512bw+avx512dq+avx2+fma",
    "x86_64+avx2+fma"
))]
pub(crate) fn activate_in_place(values: &mut [f32], bias: &[f32]) {
    for row in values.chunks_exact_mut(bias.len()) {
        for (value, bias) in row.iter_mut().zip(bias) {
            *value = of(*value + bias);
        }
    }
}

#[inline(always)]
fn of(x: f32) -> f32 {
    0.5 * x * (1.0 + error_function(x * std::f32::consts::FRAC_1_SQRT_2))
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
