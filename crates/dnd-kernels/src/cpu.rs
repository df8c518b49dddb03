//! Helpers of the kernels for burn's CPU device.

use burn::backend::Flex;
use burn::backend::tensor::FloatTensor;
use burn::tensor::{Device, Tensor, TensorData};

/// Whether the CPU kernels support a tensor: it is on burn's CPU device, and tracked only if this
/// build has autodiff.
pub(crate) fn is_here<const D: usize>(tensor: &Tensor<D>) -> bool {
    let device = tensor.device();
    device == Device::flex() || cfg!(feature = "autodiff") && device.inner() == Device::flex()
}

/// Checks a shape, as burn's own operations do.
///
/// # Panics
/// If `found` is not `expected`.
pub(crate) fn expect<const D: usize>(name: &str, found: [usize; D], expected: [usize; D]) {
    assert_eq!(
        found, expected,
        "shape of {name}: found (left), expected (right)"
    );
}

/// The contiguous primitive of a tensor; `None` if the tensor is not on burn's CPU device or
/// tracks gradients.
pub(crate) fn read<const D: usize>(tensor: &Tensor<D>) -> Option<FloatTensor<Flex>> {
    let tensor = tensor.clone().try_into_primitive::<Flex>().ok()?;
    Some(tensor.to_contiguous())
}

/// The elements of a contiguous tensor.
pub(crate) fn numbers(tensor: &FloatTensor<Flex>) -> &[f32] {
    let start = tensor.layout().start_offset();
    let count = tensor.layout().num_elements();
    &tensor.storage::<f32>()[start..start + count]
}

/// The shape of a tensor of rank `D`.
pub(crate) fn shape<const D: usize>(tensor: &FloatTensor<Flex>) -> [usize; D] {
    tensor.layout().shape().dims()
}

/// A tensor of `values`.
pub(crate) fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> FloatTensor<Flex> {
    FloatTensor::<Flex>::from_data(TensorData::new(values, shape))
}

/// A strided view of a matrix.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// A row-major matrix.
    pub(crate) fn new(values: &'a [f32], rows: usize, columns: usize) -> Self {
        Self {
            values,
            rows,
            columns,
            row_stride: columns,
            column_stride: 1,
        }
    }

    /// The transposed view.
    pub(crate) fn transposed(self) -> Self {
        Self {
            values: self.values,
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
        }
    }

    /// The same view, with rows `stride` elements apart.
    pub(crate) fn with_stride(self, stride: usize) -> Self {
        Self {
            row_stride: stride,
            ..self
        }
    }

    fn fits(&self) -> bool {
        self.rows == 0
            || self.columns == 0
            || (self.rows - 1) * self.row_stride + (self.columns - 1) * self.column_stride
                < self.values.len()
    }
}

/// `output = keep * output + factor * left * right`, on one thread. Rows of `output` are
/// `stride` elements apart.
pub(crate) fn multiply(
    output: &mut [f32],
    stride: usize,
    keep: f32,
    factor: f32,
    left: Matrix,
    right: Matrix,
) {
    assert_eq!(left.columns, right.rows, "inner dimensions");
    let target = Matrix {
        values: output,
        rows: left.rows,
        columns: right.columns,
        row_stride: stride,
        column_stride: 1,
    };
    assert!(
        left.fits() && right.fits() && target.fits(),
        "matrix too large"
    );
    #[allow(unsafe_code, reason = "`gemm` takes pointers")]
    // SAFETY: all three matrices lie inside their slices.
    unsafe {
        gemm::gemm(
            left.rows,
            right.columns,
            left.columns,
            output.as_mut_ptr(),
            1,
            stride as isize,
            keep != 0.0,
            left.values.as_ptr(),
            left.column_stride as isize,
            left.row_stride as isize,
            right.values.as_ptr(),
            right.column_stride as isize,
            right.row_stride as isize,
            keep,
            factor,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

/// Dot product, in 16 partial sums so that it vectorizes.
#[inline(always)]
pub(crate) fn dot(left: &[f32], right: &[f32]) -> f32 {
    let mut sums = [0.0f32; 16];
    let (left_vectors, right_vectors) = (left.chunks_exact(16), right.chunks_exact(16));
    let rest = left_vectors
        .remainder()
        .iter()
        .zip(right_vectors.remainder());
    let rest: f32 = rest.map(|(a, b)| a * b).sum();
    for (a, b) in left_vectors.zip(right_vectors) {
        for lane in 0..16 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum::<f32>() + rest
}

/// Evaluates a polynomial, highest coefficient first.
#[inline(always)]
pub(crate) fn polynomial<const N: usize>(x: f32, coefficients: [f32; N]) -> f32 {
    let mut sum = coefficients[0];
    for coefficient in &coefficients[1..] {
        sum = sum * x + coefficient;
    }
    sum
}

/// Reduces `of(number)` over `numbers` with `join`, in 16 partial results so that it
/// vectorizes. `start` must be the identity of `join`.
#[inline(always)]
pub(crate) fn fold(
    numbers: &[f32],
    start: f32,
    join: impl Fn(f32, f32) -> f32,
    of: impl Fn(f32) -> f32,
) -> f32 {
    let mut parts = [start; 16];
    let vectors = numbers.chunks_exact(16);
    let rest = vectors.remainder();
    for vector in vectors {
        for (part, number) in parts.iter_mut().zip(vector) {
            *part = join(*part, of(*number));
        }
    }
    let rest = rest.iter().map(|number| of(*number));
    parts.into_iter().chain(rest).fold(start, join)
}

/// e to the power of `x`, to a few units in the last place (Cody and Waite's reduction,
/// polynomial from Cephes). Below -87 the result is zero, as subnormal numbers would be slow to
/// multiply.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    const SMALLEST: f32 = -87.0;
    // Adding this rounds to an integer, which is then in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    let within = x.clamp(SMALLEST, 88.0);
    let rounded = within * std::f32::consts::LOG2_E + ROUND;
    let power = rounded - ROUND;
    let rest = within - power * 0.693_359_4 + power * 2.121_944_4e-4;
    let sum = polynomial(
        rest,
        [
            1.987_569_1e-4,
            1.398_199_9e-3,
            8.333_452e-3,
            4.166_579_6e-2,
            0.166_666_65,
            0.5,
            1.0,
            1.0,
        ],
    );
    let value = sum * f32::from_bits(rounded.to_bits().wrapping_add(127) << 23);
    if x < SMALLEST { 0.0 } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_are_as_the_library_has_them() {
        for step in -8700..=8800 {
            let x = step as f32 / 100.0;
            let (found, expected) = (exp(x), x.exp());
            assert!(
                (found / expected - 1.0).abs() < 1e-6,
                "{x}: {found}, {expected}"
            );
        }
        assert_eq!(exp(-1e9), 0.0);
    }

    #[test]
    fn products_of_any_order() {
        // (1 2 3) times its transpose, scaled and added to the output.
        let values = [1.0, 2.0, 3.0];
        let row = Matrix::new(&values, 1, 3);
        let mut output = [10.0];
        multiply(&mut output, 1, 1.0, 0.5, row, row.transposed());
        assert_eq!(output, [17.0]);
        assert_eq!(dot(&values, &values), 14.0);
    }
}
