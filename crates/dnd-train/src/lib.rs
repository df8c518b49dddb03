//! The native side of DnD: collect adapters by fine-tuning, train a generator on them, and measure
//! it against baselines. Everything here may touch the file system; nothing here prints.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

pub mod collect;
pub mod error;
pub mod files;
pub mod fit;
pub mod generate;
pub mod gradients;
pub mod measure;
pub mod models;
pub mod observe;
mod optimizer;
pub mod prompts;
pub mod report;
pub mod suite;
pub mod task;
#[cfg(test)]
mod test_data;
mod workers;

pub use error::Error;
pub use observe::{Observer, Silent};
