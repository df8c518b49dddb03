//! The two objectives that a generator is trained by.

pub mod behaviour;
pub mod weights;
