//! Errors about files and arguments.

use std::path::{Path, PathBuf};

/// An error of this crate. Messages name the file or field, what was expected and what was found.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read or written.
    #[error("{}: {action}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The action that failed.
        action: &'static str,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// A file has the wrong content.
    #[error("{}: {message}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// The position in the file, what was expected and what was found.
        message: String,
    },
    /// An argument has an invalid value.
    #[error("{field}: expected {expected}, found {found}")]
    Argument {
        /// The argument or configuration field.
        field: String,
        /// The valid values.
        expected: String,
        /// The given value.
        found: String,
    },
    /// The work was cancelled.
    #[error("cancelled; finished work is kept, and the same command resumes it")]
    Cancelled,
    /// An error of the adapter crate.
    #[error(transparent)]
    Adapter(#[from] dnd_adapter::Error),
}

impl Error {
    /// A [`Error::File`]: `action` on `path` failed.
    pub fn file(path: &Path, action: &'static str, source: std::io::Error) -> Self {
        Self::File {
            path: path.to_owned(),
            action,
            source,
        }
    }

    /// A [`Error::Content`] of `path`.
    pub fn content(path: &Path, message: impl ToString) -> Self {
        Self::Content {
            path: path.to_owned(),
            message: message.to_string(),
        }
    }

    /// A [`Error::Argument`].
    pub fn argument(field: &str, expected: &str, found: impl ToString) -> Self {
        Self::Argument {
            field: field.to_owned(),
            expected: expected.to_owned(),
            found: found.to_string(),
        }
    }
}
