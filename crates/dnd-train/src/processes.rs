//! Processes that share the work of a training step.
//!
//! Every process holds all weights and draws the same tasks; each computes the gradients of its own
//! share, and all add them up, so that they stay equal without sending weights.

#[cfg(feature = "mpi")]
mod mpi;

#[cfg(feature = "mpi")]
pub use mpi::Mpi;

/// The processes of a run. They have to call the same methods in the same order.
pub trait Processes {
    /// Number of this process, from zero. The first one writes all files.
    fn number(&self) -> usize;

    /// How many there are.
    fn count(&self) -> usize;

    /// Adds up `values` over all processes, in place. All of them get the same sums.
    fn sum(&self, values: &mut [f32]);

    /// Ends all processes, because this one cannot go on; the others would wait for it.
    fn abort(&self);
}

/// A run of one process.
pub struct Alone;

impl Processes for Alone {
    fn number(&self) -> usize {
        0
    }

    fn count(&self) -> usize {
        1
    }

    fn sum(&self, _: &mut [f32]) {}

    fn abort(&self) {}
}

impl dyn Processes + '_ {
    /// Whether this is the process that writes files.
    pub(crate) fn writes(&self) -> bool {
        self.number() == 0
    }

    /// This process's share of `items`: every n-th, which balances items sorted by size.
    pub(crate) fn share<T>(&self, items: impl IntoIterator<Item = T>) -> impl Iterator<Item = T> {
        let (number, count) = (self.number(), self.count());
        items.into_iter().skip(number).step_by(count)
    }

    /// Whether `flag` is set in any process.
    pub(crate) fn any(&self, flag: bool) -> bool {
        let mut flags = [f32::from(u8::from(flag))];
        self.sum(&mut flags);
        flags[0] > 0.0
    }

    /// Whether `number` is the same in all processes.
    pub(crate) fn agree(&self, number: usize) -> bool {
        let mut numbers = vec![0.0; self.count()];
        numbers[self.number()] = number as f32;
        self.sum(&mut numbers);
        numbers.iter().all(|other| *other == number as f32)
    }
}
