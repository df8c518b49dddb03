//! Base language models of the Llama, Qwen2 and Qwen3 families, frozen, with LoRA as an argument.

mod attention;
mod batch;
mod cache;
mod chat;
mod config;
mod generate;
mod layer_pass;
mod linear;
mod model;
mod tokenizer;

pub use batch::TokenBatch;
pub use cache::Cache;
pub use chat::{ChatTemplate, Message};
pub use config::LanguageModelConfig;
pub use generate::{Completion, CompletionOptions, PromptCache, complete};
pub use layer_pass::LayerPass;
pub use linear::MatmulDtype;
pub use model::LanguageModel;
pub use tokenizer::{LanguageTokenizer, TokenizerExtras, tokenizer_from_gguf};
