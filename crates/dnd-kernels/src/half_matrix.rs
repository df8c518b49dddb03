//! Matrices that stay in 16 bits, as files have them: products have the precision of f32 with the
//! stored weights. The bytes may be mapped from a file, so that a model is in memory once.

use std::fmt;
use std::sync::Arc;

use rayon::prelude::*;

use crate::quantized::finite_f16;
use crate::widened::{self, Widen};

/// Input rows from which on parts of the matrix are widened for all of them.
const PANEL_ROWS: usize = 4;
/// Sums that are added up side by side.
const LANES: usize = 16;
/// Fewest matrix rows of a task.
const TASK_ROWS: usize = 64;

/// Bytes that are shared, such as a mapped file.
pub type Bytes = Arc<dyn AsRef<[u8]> + Send + Sync>;

/// How the numbers are stored, little endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HalfFormat {
    /// The upper half of an f32.
    Bf16,
    /// Half precision.
    F16,
}

/// A matrix (output, input) in 16 bits, the right operand of products as linear layers store it.
#[derive(Clone)]
pub struct HalfMatrix {
    format: HalfFormat,
    shape: [usize; 2],
    bytes: Bytes,
    /// Where the matrix begins in the bytes.
    start: usize,
}

impl HalfMatrix {
    /// The matrix that begins at byte `start`. `None` if the bytes end before it does.
    pub fn new(format: HalfFormat, bytes: Bytes, start: usize, shape: [usize; 2]) -> Option<Self> {
        let length = shape[0].checked_mul(shape[1])?.checked_mul(2)?;
        let end = start.checked_add(length)?;
        let fits = end <= (*bytes).as_ref().len();
        fits.then_some(Self {
            format,
            shape,
            bytes,
            start,
        })
    }

    /// (output, input).
    pub fn shape(&self) -> [usize; 2] {
        self.shape
    }

    /// Appends the values of a row.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn push_row(&self, row: usize, values: &mut Vec<f32>) {
        let start = values.len();
        values.resize(start + self.shape[1], 0.0);
        self.widen(row, 0, &mut values[start..]);
    }

    /// Row-major `input` (rows, input) times the transposed matrix: (rows, output).
    pub(crate) fn product(&self, input: &[f32]) -> Vec<f32> {
        let [width, depth] = self.shape;
        if input.len() / depth.max(1) >= PANEL_ROWS {
            return widened::product(self, input);
        }
        let mut output = vec![0.0; input.len() / depth.max(1) * width];
        let inputs = input.chunks_exact(depth.max(1));
        for (input, output) in inputs.zip(output.chunks_exact_mut(width.max(1))) {
            let tasks = output.par_chunks_mut(TASK_ROWS).enumerate();
            tasks.for_each(|(task, output)| {
                for (row, output) in output.iter_mut().enumerate() {
                    *output = self.dot(task * TASK_ROWS + row, input);
                }
            });
        }
        output
    }

    /// Row-major `input` (rows, output) times the matrix: (rows, input).
    #[cfg(feature = "autodiff")]
    pub(crate) fn transposed_product(&self, input: &[f32]) -> Vec<f32> {
        widened::transposed_product(self, input)
    }

    fn dot(&self, row: usize, input: &[f32]) -> f32 {
        match self.format {
            HalfFormat::Bf16 => dot(self.row(row), input, bf16_value),
            HalfFormat::F16 => dot(self.row(row), input, f16_value),
        }
    }

    /// The numbers of a row.
    fn row(&self, row: usize) -> &[[u8; 2]] {
        let length = 2 * self.shape[1];
        let bytes = &(*self.bytes).as_ref()[self.start + row * length..][..length];
        bytes.as_chunks().0
    }
}

impl Widen for HalfMatrix {
    fn shape(&self) -> [usize; 2] {
        self.shape
    }

    fn widen(&self, row: usize, start: usize, values: &mut [f32]) {
        let numbers = self.row(row)[start..].iter().zip(values);
        match self.format {
            HalfFormat::Bf16 => numbers.for_each(|(half, value)| *value = bf16_value(*half)),
            HalfFormat::F16 => numbers.for_each(|(half, value)| *value = f16_value(*half)),
        }
    }
}

fn bf16_value(bytes: [u8; 2]) -> f32 {
    f32::from_bits(u32::from(u16::from_le_bytes(bytes)) << 16)
}

fn f16_value(bytes: [u8; 2]) -> f32 {
    finite_f16(u16::from_le_bytes(bytes))
}

/// Sum of products, in lanes so that the compiler uses vectors.
fn dot(row: &[[u8; 2]], input: &[f32], value: impl Fn([u8; 2]) -> f32) -> f32 {
    let (row, row_rest) = row.as_chunks::<LANES>();
    let (input, input_rest) = input.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (row, input) in row.iter().zip(input) {
        for lane in 0..LANES {
            sums[lane] += value(row[lane]) * input[lane];
        }
    }
    let rest = row_rest.iter().zip(input_rest);
    sums.iter().sum::<f32>() + rest.map(|(half, input)| value(*half) * input).sum::<f32>()
}

impl fmt::Debug for HalfMatrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HalfMatrix({:?}, {:?})", self.format, self.shape)
    }
}

#[cfg(test)]
mod tests {
    use half::{bf16, f16};

    use super::*;
    use crate::blocked::{Blocked, Epilogue};

    /// Reproducible numbers from -1 to 1 that both formats hold.
    fn numbers(count: usize) -> Vec<f32> {
        let number = |index: usize| ((index * 7919 + 13) % 255) as f32 / 128.0 - 1.0;
        (0..count).map(number).collect()
    }

    fn matrix(format: HalfFormat, shape: [usize; 2]) -> (HalfMatrix, Vec<f32>) {
        let values = numbers(shape[0] * shape[1]);
        let mut bytes = vec![7; 3];
        for value in &values {
            bytes.extend(match format {
                HalfFormat::Bf16 => bf16::from_f32(*value).to_le_bytes(),
                HalfFormat::F16 => f16::from_f32(*value).to_le_bytes(),
            });
        }
        assert!(HalfMatrix::new(format, Arc::new(bytes.clone()), 4, shape).is_none());
        (
            HalfMatrix::new(format, Arc::new(bytes), 3, shape).unwrap(),
            values,
        )
    }

    fn agree(found: &[f32], expected: &[f32]) {
        assert_eq!(found.len(), expected.len());
        let largest = expected.iter().fold(0.0f32, |most, x| most.max(x.abs()));
        for (found, expected) in found.iter().zip(expected) {
            let difference = (found - expected).abs();
            assert!(difference <= 1e-5 * largest, "{found} {expected}");
        }
    }

    #[test]
    fn products_are_those_of_the_f32_matrix() {
        for format in [HalfFormat::Bf16, HalfFormat::F16] {
            for (rows, width, depth) in [(1, 70, 40), (3, 130, 33), (4, 33, 64), (50, 1100, 70)] {
                let (matrix, values) = matrix(format, [width, depth]);
                let expected = Blocked::new(&values, [width, depth]);
                let input = numbers(rows * depth);
                let found = matrix.product(&input);
                agree(&found, &expected.product(&input, Epilogue::Identity));
                #[cfg(feature = "autodiff")]
                {
                    let input = numbers(rows * width);
                    let expected = expected.transposed();
                    let found = matrix.transposed_product(&input);
                    agree(&found, &expected.product(&input, Epilogue::Identity));
                }
                let mut row = Vec::new();
                matrix.push_row(width - 1, &mut row);
                assert_eq!(row, values[(width - 1) * depth..]);
            }
        }
    }
}
