//! Prompt files of each format: the first byte chooses the extension.

#![no_main]

use dnd_adapter::prompts;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    const EXTENSIONS: [&str; 6] = ["", "txt", "jsonl", "json", "csv", "tsv"];
    let Some((&first, rest)) = bytes.split_first() else {
        return;
    };
    let extension = EXTENSIONS[usize::from(first) % EXTENSIONS.len()];
    let Ok(text) = prompts::decode(rest, "file") else {
        return;
    };
    for column in prompts::columns(&text, extension) {
        let _ = prompts::parse_column(&text, &column, "file");
    }
    if let Ok(file) = prompts::parse(&text, extension, "file") {
        let _ = prompts::with_answers(&file, "file");
        // What the page puts into its box means the same prompts.
        let prompts = file.texts();
        let again = prompts::parse(&prompts::to_text(&prompts), "", "box");
        assert_eq!(again.map(|file| file.texts()).ok(), Some(prompts));
    }
    let _ = dnd_web::review::read_and_review(&text);
});
