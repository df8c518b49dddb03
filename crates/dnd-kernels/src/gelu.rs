//! Bias and GELU (Hendrycks and Gimpel, arXiv 1606.08415) in one pass.

use burn::backend::Flex;
use burn::tensor::{Device, Tensor, activation};
use multiversion::multiversion;

use crate::cpu;

/// `gelu(input + bias)` for `input` (rows, width) and `bias` (1, width), with the exact error
/// function. Tensors that track gradients use the reference.
pub fn biased_gelu(input: Tensor<2>, bias: Tensor<2>) -> Tensor<2> {
    if input.device() != Device::flex() {
        return reference(input, bias);
    }
    let shape = input.dims();
    cpu::expect("bias", bias.dims(), [1, shape[1]]);
    assert!(shape[1] > 0, "rows must not be empty");
    let (Some(values), Some(biases)) = (cpu::read(&input), cpu::read(&bias)) else {
        return reference(input, bias);
    };
    let mut output = cpu::numbers(&values).to_vec();
    activate(&mut output, cpu::numbers(&biases));
    Tensor::from_primitive::<Flex>(cpu::tensor(output, shape))
}

/// Reference implementation in plain burn.
pub fn reference(input: Tensor<2>, bias: Tensor<2>) -> Tensor<2> {
    activation::gelu(input + bias)
}

/// Adds the bias to each row and applies GELU, in place.
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

/// The error function to 4e-7, as a quotient of two polynomials, which is faster on the CPU
/// than the approximation in the WGSL kernel. The coefficients are from Eigen
/// (`Eigen/src/Core/MathFunctionsImpl.h`).
#[inline(always)]
fn error_function(x: f32) -> f32 {
    /// From here on, the result is 1 to within rounding.
    const LARGEST: f32 = 3.9;
    let square = x * x;
    let above = cpu::polynomial(
        square,
        [
            -2.726_142_3e-10,
            2.770_681_4e-8,
            -2.101_024e-6,
            -5.692_506_4e-5,
            -7.349_906_3e-4,
            -2.954_6e-3,
            -1.609_603_3e-2,
        ],
    );
    let below = cpu::polynomial(
        square,
        [
            -1.456_607_2e-5,
            -2.133_740_6e-4,
            -1.682_827e-3,
            -7.373_329e-3,
            -1.426_473_9e-2,
        ],
    );
    if x.abs() < LARGEST {
        x * above / below
    } else {
        1.0f32.copysign(x)
    }
}
