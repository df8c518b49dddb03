//! How long work reports its progress and hears that it is to stop.

/// Watches long work, from any of its threads. Implementations draw a bar or do nothing.
pub trait Observer: Sync {
    /// A stage begins: its name and how many units it has.
    fn begin(&self, stage: &str, units: u64);
    /// Some units are done; `message` is a short figure such as the loss.
    fn advance(&self, units: u64, message: &str);
    /// A line for the user.
    fn note(&self, message: &str);
    /// Whether the work is to stop at the next safe point.
    fn is_cancelled(&self) -> bool;
}

/// Watches without a word.
pub struct Silent;

impl Observer for Silent {
    fn begin(&self, _stage: &str, _units: u64) {}
    fn advance(&self, _units: u64, _message: &str) {}
    fn note(&self, _message: &str) {}
    fn is_cancelled(&self) -> bool {
        false
    }
}
