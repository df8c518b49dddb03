//! The error type of this crate.

use std::fmt::Display;

use crate::gguf::GgufError;

/// What can be wrong with an adapter, a bundle or the files that they are read from.
///
/// `file` is the name that the caller gave the bytes, or the kind of value (such as `layout`) for one
/// that was built in memory.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A GGUF file cannot be read.
    #[error(transparent)]
    Gguf(#[from] GgufError),

    /// The bytes are not JSON, or not the JSON object that belongs there.
    #[error("{file}: expected valid JSON, found: {reason}")]
    Json {
        /// Where the bytes came from.
        file: String,
        /// What the JSON parser said, with line and column.
        #[source]
        reason: serde_json::Error,
    },

    /// The bytes are not a safetensors file, or a damaged one.
    #[error("{file}: expected a safetensors file, found: {reason}")]
    Safetensors {
        /// Where the bytes came from.
        file: String,
        /// What does not hold.
        reason: String,
    },

    /// A file does not hold prompts in the format of its kind.
    #[error("{file}: {reason}")]
    Prompts {
        /// Where the text came from.
        file: String,
        /// Where it goes wrong, what was expected and what was found.
        reason: String,
    },

    /// A field has a value that is wrong or that is not supported.
    #[error("{file}: {field}: expected {expected}, found {found}")]
    Field {
        /// Where the value came from.
        file: String,
        /// The field or argument.
        field: String,
        /// What would have been right.
        expected: String,
        /// What is there.
        found: String,
    },

    /// A tensor is missing, or has a wrong shape, type or value.
    #[error("{file}: tensor {tensor}: expected {expected}, found {found}")]
    Tensor {
        /// Where the tensor came from.
        file: String,
        /// The name of the tensor.
        tensor: String,
        /// What would have been right.
        expected: String,
        /// What is there.
        found: String,
    },

    /// A zip archive cannot be written.
    #[error("zip archive: {entry}: expected to write it, found: {reason}")]
    Zip {
        /// The file inside the archive.
        entry: String,
        /// What the zip writer said.
        #[source]
        reason: zip::result::ZipError,
    },
}

impl Error {
    pub(crate) fn field(
        file: impl Display,
        field: impl Display,
        expected: impl Display,
        found: impl Display,
    ) -> Self {
        Error::Field {
            file: file.to_string(),
            field: field.to_string(),
            expected: expected.to_string(),
            found: found.to_string(),
        }
    }

    pub(crate) fn tensor(
        file: impl Display,
        tensor: impl Display,
        expected: impl Display,
        found: impl Display,
    ) -> Self {
        Error::Tensor {
            file: file.to_string(),
            tensor: tensor.to_string(),
            expected: expected.to_string(),
            found: found.to_string(),
        }
    }

    pub(crate) fn json(file: impl Display, reason: serde_json::Error) -> Self {
        Error::Json {
            file: file.to_string(),
            reason,
        }
    }
}
