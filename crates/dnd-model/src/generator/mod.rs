//! The generator: a cascade of hyper-convolutions from condition to weight tokens, and a basis head
//! beside it.

mod basis;
mod config;
mod decoder;
mod hyper_convolution;

pub use basis::{Basis, BasisConfig};
pub use config::GeneratorConfig;
pub use decoder::Generator;
pub use hyper_convolution::HyperConvolution;
