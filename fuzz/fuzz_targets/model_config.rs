//! The `config.json` of base models and encoders, and what a GGUF file says in its place.

#![no_main]

use dnd_adapter::gguf::Gguf;
use dnd_model::{LanguageModelConfig, TextEncoderConfig};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = LanguageModelConfig::from_json(text, "file");
        let _ = TextEncoderConfig::from_json(text, "file");
    }
    if let Ok(gguf) = Gguf::parse(bytes, "file") {
        let _ = LanguageModelConfig::from_gguf(&gguf, "file");
    }
});
