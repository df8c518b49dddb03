//! Task folders and the built-in suite of tasks. Uses no tensors.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

pub mod suite;
mod task;

pub use task::{Asked, Line, Role, Split, Task, TaskFolder, parse_lines, read_lines};
