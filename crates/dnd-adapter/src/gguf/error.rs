//! Errors of the GGUF reader.

use super::BlockType;

/// Why a GGUF file could not be read. `source_name` is the name that the caller passed to
/// [`Gguf::parse`](super::Gguf::parse).
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GgufError {
    /// The file does not start with the magic bytes.
    #[error(
        "{source_name}: not a GGUF file: expected the bytes \"GGUF\" at the start, found \"{}\"",
        .found.escape_ascii()
    )]
    WrongMagic {
        /// The file.
        source_name: String,
        /// Up to four bytes from its start.
        found: Vec<u8>,
    },
    /// The file ends before data that its header declares.
    #[error(
        "{source_name}: {field}: expected {needed} bytes at offset {offset}, \
         found {available} before the end of the file"
    )]
    Truncated {
        /// The file.
        source_name: String,
        /// What was being read.
        field: String,
        /// Minimum length in bytes.
        needed: u64,
        /// Where it starts, in bytes from the start of the file.
        offset: u64,
        /// Bytes between there and the end of the file.
        available: u64,
    },
    /// A field, metadata value or tensor is invalid.
    #[error("{source_name}: {field}: expected {expected}, found {found}")]
    Invalid {
        /// The file.
        source_name: String,
        /// The field, metadata key or tensor.
        field: String,
        /// What was expected.
        expected: String,
        /// What was found.
        found: String,
    },
    /// The file lacks a metadata key.
    #[error("{source_name}: no metadata {key:?}: expected {expected}, found no such key")]
    MissingKey {
        /// The file.
        source_name: String,
        /// The key.
        key: String,
        /// The expected kind of value.
        expected: &'static str,
    },
    /// The file lacks a tensor.
    #[error("{source_name}: no tensor {tensor:?} among the {count} tensors of the file")]
    MissingTensor {
        /// The file.
        source_name: String,
        /// The requested name.
        tensor: String,
        /// How many tensors the file has.
        count: usize,
    },
    /// The tensor has an unsupported block type.
    #[error(
        "{source_name}: tensor {tensor:?}: expected one of the block types {}, \
         found type {type_id} ({type_name})",
        BlockType::ALL.map(BlockType::name).join(", ")
    )]
    UnsupportedType {
        /// The file.
        source_name: String,
        /// The tensor.
        tensor: String,
        /// Its number in `enum ggml_type`.
        type_id: u32,
        /// Its name in ggml, or `unknown`.
        type_name: &'static str,
    },
}
