//! Kernels of our own behind burn tensors, for burn's CPU device. Each has a twin in plain burn that tests compare
//! it with, and that takes its place on other devices; products with packed matrices have none, and are asked for.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

pub mod adamw;
pub mod attention;
pub mod bf16;
mod cpu;
pub mod frozen;
pub mod gated;
pub mod gelu;
mod lora;
pub mod rms_norm;
pub mod rotary;

pub use attention::attend;
pub use frozen::FrozenMatrix;
pub use gated::gated;
pub use gelu::biased_gelu;
pub use rms_norm::rms_norm;
pub use rotary::rotate;
