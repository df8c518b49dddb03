//! Converts text to prompts and back.

use dnd_adapter::{Error, prompts};

/// Reads the text of the box: a JSON list, JSON lines, a table with a column `prompt`, or one
/// prompt per line, with or without list markers.
///
/// # Errors
/// A sentence, when the text is malformed JSON, a malformed table, or has no prompt.
pub fn read(text: &str) -> Result<Vec<String>, String> {
    let kind = format_of(text);
    let bare = (kind == "txt").then(|| without_markers(text)).flatten();
    prompts::parse(bare.as_deref().unwrap_or(text), kind, "Prompts").map_err(sentence)
}

/// The message of the error without a file name, which the box does not have.
fn sentence(error: Error) -> String {
    let reason = match error {
        Error::Prompts { reason, .. } => reason,
        other => other.to_string(),
    };
    let mut letters = reason.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// The file extension for the format that the text seems to have. Prose can also begin with a
/// quotation mark or a bracket, so the first character does not make it JSON.
pub(super) fn format_of(text: &str) -> &'static str {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let start = text.trim_start();
    if let Some(rest) = start.strip_prefix('[') {
        let next = rest.trim_start().chars().next();
        if matches!(next, None | Some('"' | '{' | ']')) {
            return "json";
        }
    }
    // Not trimmed: the header of a table may begin with a tab.
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next().unwrap_or_default();
    if start.starts_with(['{', '"'])
        && let Ok(value) = serde_json::from_str::<serde_json::Value>(first)
    {
        // A table with one column may have a quoted header. No other header is JSON.
        let header = value.as_str().is_some_and(is_lone_header);
        return if header && lines.next().is_some() {
            "csv"
        } else {
            "jsonl"
        };
    }
    // A header without rows is probably a prompt being typed.
    if prompts::is_header(first) && lines.next().is_some() {
        "csv"
    } else {
        "txt"
    }
}

fn is_lone_header(text: &str) -> bool {
    text.trim().eq_ignore_ascii_case("prompt")
}

/// The lines without list markers, if each of them has one.
pub(super) fn without_markers(text: &str) -> Option<String> {
    let lines: Option<Vec<&str>> = text
        .strip_prefix('\u{feff}')
        .unwrap_or(text)
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(without_marker)
        .collect();
    lines
        .filter(|lines| !lines.is_empty())
        .map(|lines| lines.join("\n"))
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

/// Formats prompts as text that [`read`] reads back unchanged: lines where possible, else JSON
/// lines.
pub fn to_text(prompts: &[String]) -> String {
    let broken = prompts
        .iter()
        .any(|prompt| prompt.contains(['\n', '\r', '\u{feff}']));
    if !broken {
        let lines = prompts.join("\n");
        // Lines may look like JSON or a table, or begin with list markers that are part of the
        // prompts.
        if read(&lines).is_ok_and(|read| read == prompts) {
            return lines;
        }
    }
    // A string may look like the header of a table; an object does not.
    let objects = prompts.first().is_some_and(|first| is_lone_header(first));
    let values: Vec<String> = prompts
        .iter()
        .map(|prompt| {
            let value = if objects {
                serde_json::json!({ "prompt": prompt })
            } else {
                serde_json::Value::from(prompt.as_str())
            };
            value.to_string()
        })
        .collect();
    values.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::tests::prompts;

    #[test]
    fn text_is_lines_json_lines_or_json() {
        let expected = Ok(prompts(&["one", "two"]));
        assert_eq!(read("one\n\ntwo\n"), expected);
        assert_eq!(read(" \"one\"\n{\"prompt\": \"two\"}\n"), expected);
        assert_eq!(
            read("\n[\n  \"one\",\n  {\"prompt\": \"two\"}\n]"),
            expected
        );
    }

    #[test]
    fn prose_in_quotation_marks_or_brackets_is_text() {
        for text in [
            "\"Hello,\" she said.",
            "{name} is late.",
            "[INST] Say hello.",
        ] {
            assert_eq!(read(text), Ok(prompts(&[text])));
        }
    }

    #[test]
    fn malformed_and_empty_text_is_an_error() {
        assert!(read("  \n").is_err());
        assert!(read("[\"one\", ").is_err());
        assert!(read("\"one\"\ntwo").unwrap_err().contains("(line 2,"));
        let told = read("[\"one\", ").unwrap_err();
        assert!(told.starts_with("The JSON is not complete or not valid (line 1, column 8). "));
    }

    #[test]
    fn pasted_tables_give_their_column() {
        let expected = Ok(prompts(&["one, two", "three"]));
        for text in [
            "id,prompt\n1,\"one, two\"\n2,three\n",
            "\u{feff}Prompt;id\r\none, two;1\r\nthree;2\r\n",
            "\n\tPROMPT\n1\tone, two\n2\tthree",
            "prompt\none, two\nthree",
            "\"prompt\"\n\"one, two\"\n\"three\"",
            "\"id\",\"prompt\"\n\"1\",\"one, two\"\n\"2\",\"three\"",
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn prose_about_prompts_is_no_table() {
        for text in ["prompt", "A prompt, please.", "Prompts,\nand more"] {
            let lines: Vec<&str> = text.lines().collect();
            assert_eq!(read(text), Ok(prompts(&lines)));
        }
    }

    #[test]
    fn text_gives_back_the_prompts() {
        for lines in [
            prompts(&["one", "two, three", "  four "]),
            prompts(&["one\ntwo", "three\r\nfour", "\"five\""]),
            prompts(&["\"one\"", "two"]),
            prompts(&["[", "one"]),
            prompts(&["{\"prompt\": \"one\"}"]),
            prompts(&["1. one", "2. two"]),
            prompts(&["- one"]),
            prompts(&["id,prompt", "1,one"]),
            prompts(&["prompt", "one"]),
            prompts(&["prompt", "one\ntwo"]),
            prompts(&["a\", prompt, \"b", "one\ntwo"]),
            prompts(&["x, prompt, y", "one\ntwo"]),
        ] {
            assert_eq!(read(&to_text(&lines)), Ok(lines));
        }
        assert_eq!(to_text(&prompts(&["one", "two"])), "one\ntwo");
    }
}
