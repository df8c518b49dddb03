//! The models of DnD as burn modules: the text encoder, the generator and the base language model
//! with LoRA. They run on any burn device, natively and in WebAssembly; files come in as bytes.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

mod assembler;
pub mod condition;
pub mod device;
pub mod encoder;
pub mod error;
pub mod generator;
pub mod language;
pub mod lora;
pub mod sampling;
pub mod self_test;
pub mod weights;
pub mod workshop;

pub use condition::{Condition, PromptDraw, PromptGroup, draw_prompts, mean_embedding};
pub use encoder::{TextEncoder, TextEncoderConfig};
pub use error::Error;
pub use generator::{Basis, BasisConfig, Generator, GeneratorConfig};
pub use language::{LanguageModel, LanguageModelConfig};
pub use lora::Lora;
pub use weights::Weights;
pub use workshop::{EncoderFiles, Workshop};
