//! Templates of twelve families, written for this test, against transformers' own rendering.
//!
//! `chat_templates/expected.json` holds what `render_jinja_template` of transformers 5.24 makes of
//! them, with `add_generation_prompt`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use dnd_model::language::{ChatTemplate, Message};
use serde::Deserialize;

#[derive(Deserialize)]
struct Expected {
    conversations: Vec<Vec<Message>>,
    rendered: Vec<Rendered>,
}

#[derive(Deserialize)]
struct Rendered {
    template: String,
    texts: Vec<String>,
}

#[test]
fn templates_are_rendered_as_by_transformers() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/chat_templates");
    let expected = std::fs::read(folder.join("expected.json")).unwrap();
    let expected: Expected = serde_json::from_slice(&expected).unwrap();
    assert!(expected.rendered.len() >= 10);
    for Rendered { template, texts } in expected.rendered {
        let text = std::fs::read_to_string(folder.join(&template)).unwrap();
        let compiled = ChatTemplate::new(Some(&text), &template, "<s>", "</s>").unwrap();
        for (messages, expected) in expected.conversations.iter().zip(&texts) {
            let found = compiled.render(messages).unwrap();
            assert_eq!(&found, expected, "{template}");
        }
    }
}
