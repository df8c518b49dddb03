//! The WGSL kernel of products with quantized matrices.

use burn::tensor::{Device, Int, Tensor};

use super::{Blocks, Quantized};
use crate::shaders::{PRODUCT_COLUMNS, PRODUCT_ROWS, Shader};
use crate::{cpu, gpu};

/// A quantized matrix (output, input) on a device that runs WGSL.
#[derive(Debug, Clone)]
pub struct QuantizedBuffers {
    blocks: Blocks,
    shape: [usize; 2],
    /// Integers of all blocks, as stored.
    integers: Tensor<1, Int>,
    /// For each block its scale and its minimum, zero if it has none, as f16 in a word.
    scales: Tensor<1, Int>,
}

impl QuantizedBuffers {
    /// Copies the matrix to `device`; `None` if that does not run WGSL.
    pub fn new(matrix: &Quantized, device: &Device) -> Option<Self> {
        if !gpu::is_device(device) {
            return None;
        }
        let words = matrix.integers.as_chunks::<4>().0;
        let words: Vec<i32> = words.iter().map(|&word| i32::from_le_bytes(word)).collect();
        let minima = matrix.minima.iter().copied().chain(std::iter::repeat(0));
        let scales = matrix.scales.iter().zip(minima);
        let scales: Vec<i32> = scales
            .map(|(&scale, minimum)| (u32::from(scale) | u32::from(minimum) << 16).cast_signed())
            .collect();
        Some(Self {
            blocks: matrix.blocks,
            shape: matrix.shape,
            integers: Tensor::from_data(words.as_slice(), device),
            scales: Tensor::from_data(scales.as_slice(), device),
        })
    }

    /// (output, input).
    pub fn shape(&self) -> [usize; 2] {
        self.shape
    }

    /// `input` (rows, input) times the transposed matrix: (rows, output). `None` if the input is
    /// on another device or tracks gradients, or kernels are disabled.
    pub fn product(&self, input: &Tensor<2>) -> Option<Tensor<2>> {
        let [rows, depth] = input.dims();
        let [columns, own_depth] = self.shape;
        cpu::expect("input", [depth], [own_depth]);
        let inputs = [
            gpu::buffer(input)?,
            gpu::integers(&self.integers)?,
            gpu::integers(&self.scales)?,
        ];
        Some(gpu::launch(
            Shader::quantized(self.blocks),
            &inputs.each_ref().map(Some),
            [rows, columns],
            &[rows, columns, depth / super::BLOCK].map(|size| size as u32),
            [
                columns.div_ceil(PRODUCT_COLUMNS),
                rows.div_ceil(PRODUCT_ROWS),
                1,
            ],
        ))
    }
}
