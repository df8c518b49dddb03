//! Kernels behind burn tensors: Rust for burn's CPU device, WGSL for devices that run it. Each
//! has a reference implementation in plain burn, for tests and for other devices.
//! Matmuls with packed matrices have no fallback; callers opt into them.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

pub mod adamw;
pub mod attention;
pub mod attention_rows;
pub mod bf16;
pub mod blocked;
pub mod convolve;
pub mod cores;
mod cpu;
mod cross_entropy;
pub mod embed;
pub mod epilogue;
pub mod expand;
pub mod frozen;
pub mod gelu;
#[cfg(feature = "wgpu")]
pub mod gpu;
pub mod half_matrix;
pub mod layer_norm;
pub mod linear;
#[cfg(feature = "wgpu")]
mod linear_wgsl;
mod lora;
pub mod mean_embedding;
mod packed_pair;
pub mod pool;
pub mod quantized;
pub mod rms_norm;
pub mod rope;
pub mod shaders;
pub mod silu_mul;
mod widened;

pub use attention::attend;
pub use attention_rows::attend_rows;
pub use convolve::convolve;
pub use embed::embed;
pub use expand::{Expansion, Target};
pub use frozen::FrozenMatrix;
pub use gelu::biased_gelu;
pub use half_matrix::{Bytes, HalfFormat, HalfMatrix};
pub use layer_norm::layer_norm;
pub use linear::linear;
pub use mean_embedding::mean_embedding;
pub use pool::pool;
pub use quantized::{Blocks, Quantized};
pub use rms_norm::rms_norm;
pub use rope::apply_rope;
pub use silu_mul::silu_mul;
