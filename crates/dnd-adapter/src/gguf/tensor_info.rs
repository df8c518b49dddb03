//! Tensor entries of the header.

use super::{BlockType, dequantize};

/// Name, shape, type and location of a tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// Name, for example `blk.0.attn_q.weight`.
    pub name: String,
    /// Row-major shape, last axis contiguous: a linear weight is `[out, in]`. The file stores
    /// it reversed.
    pub shape: Vec<usize>,
    /// Number in `enum ggml_type`. See [`TensorInfo::block_type`].
    pub type_id: u32,
    /// Offset of the first byte from the start of the file.
    pub offset: usize,
    /// Length in bytes, or `None` for an unsupported block type.
    pub byte_len: Option<usize>,
}

impl TensorInfo {
    /// The block type, or `None` if it is not supported.
    pub fn block_type(&self) -> Option<BlockType> {
        BlockType::from_type_id(self.type_id)
    }

    /// The name of the block type in ggml, supported or not, or `unknown`.
    pub fn type_name(&self) -> &'static str {
        dequantize::type_name(self.type_id)
    }

    /// Number of values: the product of the shape.
    pub fn element_count(&self) -> usize {
        let product = |product: usize, &size: &usize| product.saturating_mul(size);
        self.shape.iter().fold(1, product)
    }
}
