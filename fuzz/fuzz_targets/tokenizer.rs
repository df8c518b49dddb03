//! Tokenizers of GGUF files.

#![no_main]

use dnd_adapter::gguf::Gguf;
use dnd_model::language::{LanguageTokenizer, Message};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(gguf) = Gguf::parse(bytes, "file") else {
        return;
    };
    if let Ok(tokenizer) = LanguageTokenizer::from_gguf(&gguf, "file") {
        let _ = tokenizer.encode_chat(&Message::conversation(None, "Hello, world! 123"));
        let mut decode = tokenizer.decode_stream();
        for token in 0..64 {
            let _ = decode(token);
        }
    }
});
