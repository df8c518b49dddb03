//! A frozen matrix packed for products on burn's CPU device, with or without gradients.

use std::sync::Arc;
#[cfg(feature = "autodiff")]
use std::sync::OnceLock;

use crate::bf16::Packed;
use crate::blocked::{Blocked, Epilogue};
use crate::half_matrix::HalfMatrix;
use crate::quantized::Quantized;

/// The right operand of matmuls, packed once in the number format of its products.
#[derive(Debug)]
pub enum PackedMatrix {
    /// Rounded to bfloat16.
    Bf16(Packed),
    /// In f32.
    F32(Blocked),
    /// In 16 bits.
    Half(HalfMatrix),
    /// In blocks of integers.
    Quantized(Arc<Quantized>),
    /// A matrix in 16 bits, transposed.
    #[cfg(feature = "autodiff")]
    HalfTransposed(HalfMatrix),
    /// A matrix in blocks of integers, transposed.
    #[cfg(feature = "autodiff")]
    QuantizedTransposed(Arc<Quantized>),
}

impl PackedMatrix {
    /// Rows of the matrix.
    pub fn depth(&self) -> usize {
        match self {
            Self::Bf16(matrix) => matrix.depth(),
            Self::F32(matrix) => matrix.shape()[1],
            Self::Half(matrix) => matrix.shape()[1],
            Self::Quantized(matrix) => matrix.shape()[1],
            #[cfg(feature = "autodiff")]
            Self::HalfTransposed(matrix) => matrix.shape()[0],
            #[cfg(feature = "autodiff")]
            Self::QuantizedTransposed(matrix) => matrix.shape()[0],
        }
    }

    /// Columns of the matrix.
    pub fn width(&self) -> usize {
        match self {
            Self::Bf16(matrix) => matrix.width(),
            Self::F32(matrix) => matrix.shape()[0],
            Self::Half(matrix) => matrix.shape()[0],
            Self::Quantized(matrix) => matrix.shape()[0],
            #[cfg(feature = "autodiff")]
            Self::HalfTransposed(matrix) => matrix.shape()[1],
            #[cfg(feature = "autodiff")]
            Self::QuantizedTransposed(matrix) => matrix.shape()[1],
        }
    }

    /// Row-major `left` (rows, depth) times the matrix: (rows, width).
    pub fn product(&self, left: &[f32]) -> Vec<f32> {
        match self {
            Self::Bf16(matrix) => matrix.product(left),
            Self::F32(matrix) => matrix.product(left, Epilogue::Identity),
            Self::Half(matrix) => matrix.product(left),
            Self::Quantized(matrix) => matrix.product(left),
            #[cfg(feature = "autodiff")]
            Self::HalfTransposed(matrix) => matrix.transposed_product(left),
            #[cfg(feature = "autodiff")]
            Self::QuantizedTransposed(matrix) => matrix.transposed_product(left),
        }
    }

    #[cfg(feature = "autodiff")]
    fn transposed(&self) -> Self {
        match self {
            Self::Bf16(matrix) => Self::Bf16(matrix.transposed()),
            Self::F32(matrix) => Self::F32(matrix.transposed()),
            Self::Half(matrix) => Self::HalfTransposed(matrix.clone()),
            Self::Quantized(matrix) => Self::QuantizedTransposed(Arc::clone(matrix)),
            Self::HalfTransposed(matrix) => Self::Half(matrix.clone()),
            Self::QuantizedTransposed(matrix) => Self::Quantized(Arc::clone(matrix)),
        }
    }
}

/// A matrix packed for the forward pass and, on first use, for the backward pass.
#[derive(Debug)]
pub struct PackedPair {
    /// (input, output).
    pub(crate) forward: PackedMatrix,
    /// (output, input).
    #[cfg(feature = "autodiff")]
    backward: OnceLock<PackedMatrix>,
}

impl PackedPair {
    /// A matrix (output, input) whose products are in bfloat16; `None` if the CPU cannot.
    pub(crate) fn bf16(values: &[f32], [output, input]: [usize; 2]) -> Option<Self> {
        let at = |row, column| values[column * input + row];
        let packed = Packed::new(input, output, at)?;
        Some(Self::new(PackedMatrix::Bf16(packed)))
    }

    /// A matrix (output, input) whose products are in f32.
    pub(crate) fn f32(values: &[f32], shape: [usize; 2]) -> Self {
        Self::new(PackedMatrix::F32(Blocked::new(values, shape)))
    }

    /// A matrix that stays in 16 bits.
    pub(crate) fn half(matrix: HalfMatrix) -> Self {
        Self::new(PackedMatrix::Half(matrix))
    }

    /// A matrix that stays quantized.
    pub(crate) fn quantized(matrix: Arc<Quantized>) -> Self {
        Self::new(PackedMatrix::Quantized(matrix))
    }

    fn new(forward: PackedMatrix) -> Self {
        Self {
            forward,
            #[cfg(feature = "autodiff")]
            backward: OnceLock::new(),
        }
    }

    #[cfg(feature = "autodiff")]
    pub(crate) fn backward(&self) -> &PackedMatrix {
        if let Some(backward) = self.backward.get() {
            return backward;
        }
        // Packed outside the lock: inside it, a thread that waits for rayon could steal work
        // that needs the same lock.
        let backward = self.forward.transposed();
        self.backward.get_or_init(|| backward)
    }
}
