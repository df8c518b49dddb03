//! Collecting adapters: fine-tune on every task, keep snapshots (reference: section 3.3 of the
//! paper).

mod collection;
mod parameters;
mod run;
mod tune;

pub use collection::{Collection, CollectionHeader, Manifest};
pub use parameters::{LoraParameters, initial_adapter};
pub use run::{CollectOptions, collect};
pub use tune::{StepReport, TuneSettings, Tuner};
