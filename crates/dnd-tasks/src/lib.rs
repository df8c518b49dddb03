//! Tasks: folders of task files, and the suite of tasks of our own. No tensors here.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

pub mod suite;
mod task;

pub use task::{Line, Role, Split, Task, TaskFolder, read_lines};
