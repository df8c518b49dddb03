//! How long work reports its progress and is cancelled.

use crate::Error;

/// Watches long work, from any of its threads. Implementations draw a bar or do nothing.
pub trait Observer: Sync {
    /// A stage begins: its name and its number of units.
    fn begin(&self, stage: &str, units: u64);
    /// Some units are done; `message` is a short figure such as the loss.
    fn advance(&self, units: u64, message: &str);
    /// A line for the user.
    fn note(&self, message: &str);
    /// Whether the work should stop at the next safe point.
    fn is_cancelled(&self) -> bool;

    /// Stops cancelled work.
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
