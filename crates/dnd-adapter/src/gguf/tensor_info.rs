//! What the header says of each tensor.

use super::{BlockType, dequantise};

/// Where a tensor lies in the file, and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// Name, for example `blk.0.attn_q.weight`.
    pub name: String,
    /// Row-major shape, the last axis contiguous: a linear weight is `[out, in]`. (The file stores it reversed.)
    pub shape: Vec<usize>,
    /// Number in `enum ggml_type`. See [`TensorInfo::block_type`].
    pub type_id: u32,
    /// First byte, counted from the start of the file.
    pub offset: usize,
    /// How many bytes it takes, or `None` for an unsupported block type.
    pub byte_len: Option<usize>,
}

impl TensorInfo {
    /// How the values are packed, or `None` for a block type that is not supported.
    pub fn block_type(&self) -> Option<BlockType> {
        BlockType::from_type_id(self.type_id)
    }

    /// The name that ggml gives the block type, supported or not, or `unknown`.
    pub fn type_name(&self) -> &'static str {
        dequantise::type_name(self.type_id)
    }

    /// How many values the tensor holds: the product of its shape.
    pub fn element_count(&self) -> usize {
        let product = |product: usize, &size: &usize| product.saturating_mul(size);
        self.shape.iter().fold(1, product)
    }
}
