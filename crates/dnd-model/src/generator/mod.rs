//! The generator: a cascade of hyper-convolutions from condition to weight tokens.

mod config;
mod decoder;
mod hyper_convolution;

pub use config::GeneratorConfig;
pub use decoder::Generator;
pub use hyper_convolution::HyperConvolution;
