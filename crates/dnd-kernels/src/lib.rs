//! Kernels of our own behind burn tensors. Each has a twin in plain burn that tests compare it with; models
//! fall back on the twin where a kernel does not run.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

pub mod bf16;
pub mod frozen;

pub use frozen::FrozenMatrix;
