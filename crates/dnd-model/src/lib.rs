//! The models of DnD as burn modules: the text encoder, the generator and the base language
//! model with LoRA. They run on any burn device, natively and in WebAssembly; `files` loads
//! them from files on native targets.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

pub mod adapter_generator;
mod decoder;
pub mod device;
pub mod encoder;
pub mod error;
#[cfg(not(target_arch = "wasm32"))]
pub mod files;
pub mod generate;
pub mod generator;
pub mod language;
pub mod lora;
pub mod prompt_encoder;
pub mod sampling;
pub mod self_test;
pub mod weights;

pub use adapter_generator::{AdapterGenerator, Decoded, EncoderFiles, read_values};
pub use encoder::{TextEncoder, TextEncoderConfig};
pub use error::Error;
pub use generate::{GeneratedFiles, Generation, Stage, encode_on_device};
pub use generator::{ExpansionConfig, Generator, GeneratorConfig, Pooling};
pub use language::{LanguageModel, LanguageModelConfig};
pub use lora::Lora;
pub use prompt_encoder::{PromptDraw, PromptEncoder, PromptGroup, draw_prompts, mean_embedding};
pub use weights::Weights;
