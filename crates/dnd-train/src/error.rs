//! Errors of collecting adapters and training generators.

use std::path::Path;

/// An error of this crate. Messages name the file or field, what was expected and what was found.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The loss or its gradient is not finite.
    #[error("step {step}: the loss or its gradient is not finite; a lower learning rate may help")]
    Diverged {
        /// The step, counted from zero.
        step: usize,
    },
    /// A file or argument is invalid, or the work was cancelled.
    #[error(transparent)]
    Files(#[from] dnd_files::Error),
    /// An error of the model crate.
    #[error(transparent)]
    Model(#[from] dnd_model::Error),
    /// An error of the adapter crate.
    #[error(transparent)]
    Adapter(#[from] dnd_adapter::Error),
}

impl Error {
    /// See [`dnd_files::Error::file`].
    pub fn file(path: &Path, action: &'static str, source: std::io::Error) -> Self {
        dnd_files::Error::file(path, action, source).into()
    }

    /// See [`dnd_files::Error::content`].
    pub fn content(path: &Path, message: impl ToString) -> Self {
        dnd_files::Error::content(path, message).into()
    }

    /// See [`dnd_files::Error::argument`].
    pub fn argument(field: &str, expected: &str, found: impl ToString) -> Self {
        dnd_files::Error::argument(field, expected, found).into()
    }
}
