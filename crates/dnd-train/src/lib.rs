//! Collecting adapters by fine-tuning, and training generators with one of two objectives.
//! Native only, because it uses the file system. Nothing here prints.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

mod answer_gradients;
mod average;
mod checkpoint;
pub mod collect;
mod curve;
mod error;
mod example;
mod gradients;
pub mod objective;
mod optimizer;
mod pack;
pub mod plan;
mod processes;
pub mod recipe;
mod schedule;
mod shard;
mod trainer;
mod validate;
mod values;
pub mod workers;

pub use error::Error;
pub use example::{Example, ExampleBatch, answer_losses};
pub use objective::behaviour::{BehaviourOptions, Start, train_behaviour};
pub use objective::weights::train_weights;
pub use pack::mean_adapter;
#[cfg(feature = "mpi")]
pub use processes::Mpi;
pub use processes::{Alone, Processes};
pub use recipe::Recipe;
pub use shard::Shard;
