//! The generator, from condition to weight tokens: a hyper-convolutional decoder and a basis
//! head.

mod basis;
mod config;
mod decoder;
mod hyper_convolution;

pub use basis::{Basis, BasisConfig};
pub use config::GeneratorConfig;
pub use decoder::Generator;
pub use hyper_convolution::HyperConvolution;
