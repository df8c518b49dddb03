//! Chat templates.

#![no_main]

use dnd_model::language::{ChatTemplate, Message};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(template) = ChatTemplate::new(Some(text), "file", "<s>", "</s>") {
        for system in [None, Some("Be brief.")] {
            let _ = template.render(&Message::conversation(system, "Hello"));
        }
    }
});
