//! The error type of this crate.

use std::fmt::Display;

use crate::gguf::GgufError;

/// Errors about adapters, bundles and the files that they are read from.
///
/// `source_name` is the name that the caller gave the bytes, or the kind of value (such as
/// `layout`) for one built in memory.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A GGUF file cannot be read.
    #[error(transparent)]
    Gguf(#[from] GgufError),

    /// The bytes are not JSON, or not the expected JSON object.
    #[error("{source_name}: cannot parse the JSON")]
    Json {
        /// Where the bytes came from.
        source_name: String,
        /// The error of the JSON parser, with line and column.
        #[source]
        reason: serde_json::Error,
    },

    /// The bytes are not a valid safetensors file.
    #[error("{source_name}: expected a safetensors file, found: {reason}")]
    Safetensors {
        /// Where the bytes came from.
        source_name: String,
        /// What is wrong.
        reason: String,
    },

    /// A prompt file is malformed.
    #[error("{source_name}: {reason}")]
    Prompts {
        /// Where the text came from.
        source_name: String,
        /// Where the error is, what was expected and what was found.
        reason: String,
    },

    /// A field has an invalid or unsupported value.
    #[error("{source_name}: {field}: expected {expected}, found {found}")]
    Field {
        /// Where the value came from.
        source_name: String,
        /// The field or argument.
        field: String,
        /// What was expected.
        expected: String,
        /// What was found.
        found: String,
    },

    /// A tensor is missing, or has an invalid shape, type or value.
    #[error("{source_name}: tensor {tensor}: expected {expected}, found {found}")]
    Tensor {
        /// Where the tensor came from.
        source_name: String,
        /// The name of the tensor.
        tensor: String,
        /// What was expected.
        expected: String,
        /// What was found.
        found: String,
    },

    /// A zip archive cannot be written.
    #[error("zip archive: cannot write {entry}")]
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
        source_name: impl Display,
        field: impl Display,
        expected: impl Display,
        found: impl Display,
    ) -> Self {
        Error::Field {
            source_name: source_name.to_string(),
            field: field.to_string(),
            expected: expected.to_string(),
            found: found.to_string(),
        }
    }

    pub(crate) fn tensor(
        source_name: impl Display,
        tensor: impl Display,
        expected: impl Display,
        found: impl Display,
    ) -> Self {
        Error::Tensor {
            source_name: source_name.to_string(),
            tensor: tensor.to_string(),
            expected: expected.to_string(),
            found: found.to_string(),
        }
    }

    pub(crate) fn json(source_name: impl Display, reason: serde_json::Error) -> Self {
        Error::Json {
            source_name: source_name.to_string(),
            reason,
        }
    }
}
