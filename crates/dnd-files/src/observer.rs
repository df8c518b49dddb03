//! Progress and cancellation of long work.

use crate::Error;

/// Receives progress of long work, from any thread.
pub trait Observer: Sync {
    /// Starts a stage with this number of units.
    fn begin(&self, stage: &str, units: u64);
    /// Reports finished units. `message` is short, such as the loss.
    fn advance(&self, units: u64, message: &str);
    /// Shows a message to the user.
    fn note(&self, message: &str);
    /// Whether the work should stop at the next safe point.
    fn is_cancelled(&self) -> bool;

    /// Returns an error if the work was cancelled.
    ///
    /// # Errors
    /// [`Error::Cancelled`] when [`is_cancelled`](Self::is_cancelled).
    fn check(&self) -> Result<(), Error> {
        if self.is_cancelled() {
            return Err(Error::Cancelled);
        }
        Ok(())
    }
}

/// An observer that does nothing.
pub struct Silent;

impl Observer for Silent {
    fn begin(&self, _stage: &str, _units: u64) {}
    fn advance(&self, _units: u64, _message: &str) {}
    fn note(&self, _message: &str) {}
    fn is_cancelled(&self) -> bool {
        false
    }
}
