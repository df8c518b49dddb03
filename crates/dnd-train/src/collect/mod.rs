//! Collecting adapters: fine-tune on every task, keep snapshots (reference: section 3.3 of the
//! paper).

mod collection;
mod example;
mod parameters;
mod run;
mod tune;

pub use collection::{Collection, CollectionHeader, Manifest};
pub use example::{Example, ExampleBatch, answer_loss, answer_losses, forward_answers};
pub use parameters::{LoraParameters, initial_adapter};
pub use run::{CollectOptions, Shard, collect};
pub use tune::{StepReport, TuneSettings, Tuner};
pub(crate) use tune::{not_negative, positive};
