//! The generator, from condition to weight tokens: attention pooling, hyper-convolutions, and the
//! expansion of their features.

mod config;
mod decoder;
pub(crate) mod expansion;
mod hyper_convolution;
mod pooling;

pub use config::GeneratorConfig;
pub use decoder::Generator;
pub use expansion::{Expansion, ExpansionConfig};
pub use hyper_convolution::HyperConvolution;
pub use pooling::Pooling;
