//! Prompts as lines of text, and back.

use serde_json::json;

use super::{Prompt, PromptFile, parse, table};

/// One prompt a line.
pub(super) fn lines(text: &str) -> PromptFile {
    let (lines, notes) = match without_markers(text) {
        Some(lines) => (lines, vec!["List markers were left out.".to_owned()]),
        None => (text.lines().collect(), Vec::new()),
    };
    let prompts = lines.into_iter().map(|line| Prompt {
        text: line.to_owned(),
        answer: None,
    });
    PromptFile {
        prompts: prompts.collect(),
        notes,
    }
}

/// The lines without list markers, if each of them has one.
fn without_markers(text: &str) -> Option<Vec<&str>> {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let lines: Option<Vec<&str>> = lines.map(without_marker).collect();
    lines.filter(|lines| !lines.is_empty())
}

fn without_marker(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let rest = match line.strip_prefix(['-', '*', '•']) {
        Some(rest) => rest,
        None => {
            let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
            if rest.len() == line.len() {
                return None;
            }
            rest.strip_prefix(['.', ')'])?
        }
    };
    rest.strip_prefix([' ', '\t']).map(str::trim_start)
}

/// Formats prompts as text that [`parse`] reads back unchanged: lines where possible, else JSON
/// lines.
pub fn to_text(prompts: &[String]) -> String {
    let broken = prompts
        .iter()
        .any(|prompt| prompt.contains(['\n', '\r', '\u{feff}']));
    if !broken {
        let lines = prompts.join("\n");
        // Lines may look like JSON or a table, or begin with list markers.
        if parse(&lines, "", "").is_ok_and(|file| file.texts() == prompts) {
            return lines;
        }
    }
    // A string may look like the header of a table; an object does not.
    let objects = prompts
        .first()
        .is_some_and(|first| table::is_prompt_column(first));
    let values: Vec<String> = prompts
        .iter()
        .map(|prompt| {
            let value = if objects {
                json!({ "prompt": prompt })
            } else {
                json!(prompt)
            };
            value.to_string()
        })
        .collect();
    values.join("\n")
}
