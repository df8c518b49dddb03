//! All kinds of prompt files, and standard input, give the same adapter.

use std::path::Path;

use serde_json::{Value, json};

use crate::world::{PROMPTS, World, contents, prompts};

#[test]
fn all_kinds_of_files_give_the_same_adapter() {
    let world = World::trained();
    let prompts: Vec<String> = prompts(PROMPTS).collect();
    let text = prompts.join("\n");
    let quoted = prompts.iter().map(|prompt| format!("7,\"{prompt}\",x\n"));
    let objects = prompts
        .iter()
        .map(|prompt| json!({"prompt": prompt, "response": "x"}));
    let kinds: [(&str, String); 10] = [
        ("text.txt", text.clone()),
        ("none", text.clone()),
        // With a byte order mark and CRLF, as Windows programs write it.
        (
            "windows.txt",
            format!("\u{feff}{}\r\n", prompts.join("\r\n\r\n")),
        ),
        (
            "objects.jsonl",
            objects
                .clone()
                .map(|object| format!("{object}\n"))
                .collect(),
        ),
        (
            "strings.jsonl",
            prompts
                .iter()
                .map(|prompt| format!("{}\n", json!(prompt)))
                .collect(),
        ),
        // The content decides, not the name.
        ("objects.txt", Value::from_iter(objects.clone()).to_string()),
        (
            "objects.ndjson",
            objects
                .clone()
                .map(|object| format!("{object}\r"))
                .collect(),
        ),
        (
            "table.txt",
            format!(
                "sep=,\r\nid,prompt,other\r\n{}",
                quoted.clone().collect::<String>()
            ),
        ),
        ("objects.json", Value::from_iter(objects).to_string()),
        (
            "table.csv",
            format!("id,prompt,other\n{}", quoted.collect::<String>()),
        ),
    ];
    world
        .generate(Path::new("-"), &world.path("stdin"))
        .input(text.as_bytes())
        .run()
        .succeeds();
    let expected = contents(&world.path("stdin"));
    for (name, content) in kinds {
        let file = world.write(name, content);
        let out = world.path("out");
        let outcome = world.generate(&file, &out).run().succeeds();
        let is_told = outcome.stderr.contains("is read as");
        assert_eq!(
            is_told,
            ["objects.txt", "table.txt"].contains(&name),
            "{outcome}"
        );
        assert!(contents(&out) == expected, "{name} gives another adapter");
    }
}

/// Only the beginning and the end of a prompt are read, so its length must cost nothing.
#[test]
fn very_long_prompts_are_cut() {
    let world = World::trained();
    let words = "lorem ipsum ".repeat(100_000 / 12 + 1);
    for (name, prompt) in [
        ("words.txt", words.as_str()),
        ("one-word.txt", &"x".repeat(100_000)),
        ("other-script.txt", &"\u{6f22}".repeat(100_000)),
        ("spaces.txt", &format!("a{}b", " ".repeat(100_000))),
    ] {
        let file = world.write(name, format!("{prompt}\n").repeat(PROMPTS));
        world
            .generate(&file, &world.path(&format!("{name}.out")))
            .run()
            .succeeds();
    }
}
