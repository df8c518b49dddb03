//! What the kernels for burn's CPU device share.

use burn::backend::Flex;
use burn::backend::tensor::FloatTensor;
use burn::tensor::{Device, Tensor, TensorData};

/// Whether a kernel runs for a tensor: on burn's CPU device, natively, and tracked only where this
/// build has gradients.
pub(crate) fn is_here<const D: usize>(tensor: &Tensor<D>) -> bool {
    let device = tensor.device();
    let is_cpu =
        device == Device::flex() || cfg!(feature = "autodiff") && device.inner() == Device::flex();
    cfg!(not(target_arch = "wasm32")) && is_cpu
}

/// Checks a shape, as burn's own operations do.
///
/// # Panics
/// When it is another one.
pub(crate) fn expect<const D: usize>(name: &str, found: [usize; D], expected: [usize; D]) {
    assert_eq!(found, expected, "shape of {name}, found and expected");
}

/// A tensor's numbers row after row, if it lives on burn's CPU device and carries no gradients.
pub(crate) fn read<const D: usize>(tensor: &Tensor<D>) -> Option<FloatTensor<Flex>> {
    let tensor = tensor.clone().try_into_primitive::<Flex>().ok()?;
    Some(tensor.to_contiguous())
}

/// The numbers of a contiguous tensor.
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

/// A matrix of numbers with any order of its elements.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// Row after row.
    pub(crate) fn new(values: &'a [f32], rows: usize, columns: usize) -> Self {
        Self {
            values,
            rows,
            columns,
            row_stride: columns,
            column_stride: 1,
        }
    }

    /// The same numbers, rows and columns exchanged.
    pub(crate) fn transposed(self) -> Self {
        Self {
            values: self.values,
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
        }
    }

    /// The same with rows that start `stride` numbers apart.
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

/// `output` = `keep` * `output` + `factor` * `left` * `right` on one thread; rows of `output` are
/// `stride` apart.
pub(crate) fn multiply(
    output: &mut [f32],
    stride: usize,
    keep: f32,
    factor: f32,
    left: Matrix,
    right: Matrix,
) {
    assert_eq!(left.columns, right.rows, "inner sizes");
    let target = Matrix {
        values: output,
        rows: left.rows,
        columns: right.columns,
        row_stride: stride,
        column_stride: 1,
    };
    assert!(left.fits() && right.fits() && target.fits(), "sizes");
    #[allow(unsafe_code, reason = "the library takes pointers")]
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

/// Sum of products, in 16 sums that a vector holds.
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

/// A polynomial, its highest coefficient first.
#[inline(always)]
pub(crate) fn polynomial<const N: usize>(x: f32, coefficients: [f32; N]) -> f32 {
    let mut sum = coefficients[0];
    for coefficient in &coefficients[1..] {
        sum = sum * x + coefficient;
    }
    sum
}

/// The largest of many numbers, or the sum of what `of` makes of them, in 16 parts that a vector
/// holds.
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

/// e to the power of `x`, to a few units in the last place (Cody and Waite's reduction, Cephes'
/// polynomial). What would be smaller than normal numbers, which are slow to multiply, is zero.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    const SMALLEST: f32 = -87.0;
    // Adding this rounds to a whole number, which is then in the lowest bits.
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
        // (1 2 3) times its transpose, scaled and added to what was there.
        let values = [1.0, 2.0, 3.0];
        let row = Matrix::new(&values, 1, 3);
        let mut output = [10.0];
        multiply(&mut output, 1, 1.0, 0.5, row, row.transposed());
        assert_eq!(output, [17.0]);
        assert_eq!(dot(&values, &values), 14.0);
    }
}
