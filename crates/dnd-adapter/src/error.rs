//! The error type of this crate.

use std::fmt::Display;

use crate::gguf::GgufError;

/// Errors about adapters, bundles and the files that they are read from.
///
/// `file` is the name that the caller gave the bytes, or the kind of value (such as `layout`)
/// for one built in memory.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A GGUF file cannot be read.
    #[error(transparent)]
    Gguf(#[from] GgufError),

    /// The bytes are not JSON, or not the expected JSON object.
    #[error("{file}: cannot parse the JSON: {reason}")]
    Json {
        /// Where the bytes came from.
        file: String,
        /// The error of the JSON parser, with line and column.
        #[source]
        reason: serde_json::Error,
    },

    /// The bytes are not a valid safetensors file.
    #[error("{file}: expected a safetensors file, found: {reason}")]
    Safetensors {
        /// Where the bytes came from.
        file: String,
        /// What is wrong.
        reason: String,
    },

    /// A prompt file is malformed.
    #[error("{file}: {reason}")]
    Prompts {
        /// Where the text came from.
        file: String,
        /// Where the error is, what was expected and what was found.
        reason: String,
    },

    /// A field has an invalid or unsupported value.
    #[error("{file}: {field}: expected {expected}, found {found}")]
    Field {
        /// Where the value came from.
        file: String,
        /// The field or argument.
        field: String,
        /// What was expected.
        expected: String,
        /// What was found.
        found: String,
    },

    /// A tensor is missing, or has an invalid shape, type or value.
    #[error("{file}: tensor {tensor}: expected {expected}, found {found}")]
    Tensor {
        /// Where the tensor came from.
        file: String,
        /// The name of the tensor.
        tensor: String,
        /// What was expected.
        expected: String,
        /// What was found.
        found: String,
    },

    /// A zip archive cannot be written.
    #[error("zip archive: cannot write {entry}: {reason}")]
    Zip {
        /// The file in the archive.
        entry: String,
        /// The error of the zip writer.
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
