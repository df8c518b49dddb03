//! Prompt files that are empty or malformed.

use std::path::Path;

use crate::world::{World, file_name};

/// Asserts that a prompt file is rejected by name and that nothing is written. Prompts are read
/// first, so no bundle is needed.
fn refused(name: &str, content: &[u8], words: &[&str]) {
    let world = World::new();
    let file = world.write(name, content);
    let out = world.path("adapter");
    let words: Vec<&str> = words.iter().copied().chain([name]).collect();
    world.generate(&file, &out).run().fails(&words);
    assert!(!out.exists());
}

#[test]
fn without_a_prompt() {
    refused("empty.txt", b"", &["at least one prompt"]);
    refused("blank.txt", b" \n\n\t\n", &["at least one prompt"]);
    refused("empty.jsonl", b"", &["at least one prompt"]);
    refused("empty.json", b"[]", &["at least one prompt"]);
    refused("header.csv", b"prompt\n", &["at least one prompt"]);
}

#[test]
fn not_utf8() {
    refused("latin.txt", b"\xe9t\xe9\n", &["UTF-8", "offset 0"]);
    refused("latin.csv", b"prompt\ncaf\xe9\n", &["UTF-8", "offset 10"]);
    refused("binary.jsonl", &[0xff, 0xfe, 0, 0xd8], &["UTF-16"]);
}

#[test]
fn without_the_column() {
    refused(
        "table.csv",
        b"question,answer\na,b\n",
        &["column `prompt`", "question, answer"],
    );
    refused("empty.csv", b"", &["column `prompt`"]);
}

#[test]
fn broken_lines() {
    refused("uneven.csv", b"id,prompt\n1,a\n2,b,c\n", &["line 3"]);
    refused("broken.jsonl", b"\"a\"\n{\"prompt\": \n", &["line 2"]);
    refused(
        "fields.jsonl",
        b"{\"question\": \"a\"}\n",
        &["line 1", "prompt"],
    );
    refused("numbers.json", b"[1, 2]", &["prompt"]);
    refused(
        "quote.csv",
        b"id,prompt\n1,\"a\n2,b\n",
        &["line 2", "quotation mark"],
    );
    refused("prompts.pdf", b"%PDF", &["a PDF document"]);
}

#[test]
fn standard_input() {
    let world = World::new();
    let out = world.path("adapter");
    for (input, word) in [(&b""[..], "at least one prompt"), (b"\xff", "UTF-8")] {
        let generate = world.generate(Path::new("-"), &out).input(input);
        generate.run().fails(&["standard input", word]);
    }
    assert!(!out.exists());
}

#[test]
fn no_file_at_all() {
    let world = World::new();
    let out = world.path("adapter");
    for path in [world.path("missing.txt"), world.tasks()] {
        world.generate(&path, &out).run().fails(&[file_name(&path)]);
    }
    assert!(!out.exists());
}
