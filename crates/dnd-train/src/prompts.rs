//! Prompts as users have them: lines of text, JSON lines, or a column of a table.

use std::io::Read;
use std::path::Path;

use serde::Deserialize;

use crate::{Error, files};

/// Reads prompts from a `.txt` (one a line), `.jsonl` (objects with `prompt`, or strings), `.json`
/// (a list of those) or `.csv` (a column `prompt`) file; `-` reads lines of text from `input`.
///
/// # Errors
/// When the file cannot be read, is of another kind, or holds no prompt.
pub fn read_prompts(path: &Path, input: impl Read) -> Result<Vec<String>, Error> {
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        let mut input = input;
        input
            .read_to_end(&mut bytes)
            .map_err(|e| Error::file(Path::new("standard input"), "cannot read", e))?;
        let text = String::from_utf8(bytes).map_err(|e| {
            let place = e.utf8_error().valid_up_to();
            Error::content(
                Path::new("standard input"),
                format!("expected UTF-8 text, found an invalid byte at offset {place}"),
            )
        })?;
        return parse(&text, "txt", Path::new("standard input"));
    }
    let extension = path
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default()
        .to_lowercase();
    parse(&files::read_text(path)?, &extension, path)
}

fn parse(text: &str, extension: &str, path: &Path) -> Result<Vec<String>, Error> {
    // A byte order mark is no part of the first prompt.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let prompts = match extension {
        "txt" | "" => text.lines().map(str::to_owned).collect(),
        "jsonl" => text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty())
            .map(|(index, line)| {
                serde_json::from_str(line)
                    .map(Entry::into_prompt)
                    .map_err(|e| Error::content(path, format!("line {}: {e}", index + 1)))
            })
            .collect::<Result<Vec<_>, _>>()?,
        "json" => serde_json::from_str::<Vec<Entry>>(text)
            .map_err(|e| Error::content(path, e))?
            .into_iter()
            .map(Entry::into_prompt)
            .collect(),
        "csv" => parse_csv(text, path)?,
        other => {
            return Err(Error::content(
                path,
                format!("expected a .txt, .jsonl, .json or .csv file, found `.{other}`"),
            ));
        }
    };
    let prompts: Vec<String> = prompts
        .into_iter()
        .filter(|prompt| !prompt.trim().is_empty())
        .collect();
    if prompts.is_empty() {
        return Err(Error::content(
            path,
            "expected at least one prompt, found none",
        ));
    }
    Ok(prompts)
}

/// A string, or an object with a `prompt`.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "expected a string or an object with a text field `prompt`"
)]
enum Entry {
    Text(String),
    Object { prompt: String },
}

impl Entry {
    fn into_prompt(self) -> String {
        match self {
            Self::Text(prompt) | Self::Object { prompt } => prompt,
        }
    }
}

fn parse_csv(text: &str, path: &Path) -> Result<Vec<String>, Error> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let headers = reader.headers().map_err(|e| Error::content(path, e))?;
    let column = headers
        .iter()
        .position(|name| name.trim() == "prompt")
        .ok_or_else(|| {
            let found: Vec<&str> = headers.iter().collect();
            Error::content(
                path,
                format!("expected a column `prompt`, found {}", found.join(", ")),
            )
        })?;
    reader
        .records()
        .map(|record| {
            let record = record.map_err(|e| Error::content(path, e))?;
            Ok(record.get(column).unwrap_or_default().to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_as(extension: &str, text: &str) -> Result<Vec<String>, String> {
        parse(text, extension, Path::new("prompts")).map_err(|e| e.to_string())
    }

    #[test]
    fn all_kinds_give_the_same_prompts() {
        let expected = Ok(vec!["one, two".to_owned(), "three".to_owned()]);
        assert_eq!(parse_as("txt", "\u{feff}one, two\n\nthree\r\n"), expected);
        assert_eq!(
            parse_as("jsonl", "{\"prompt\":\"one, two\",\"x\":1}\n\"three\"\n"),
            expected
        );
        assert_eq!(
            parse_as("json", "[\"one, two\", {\"prompt\": \"three\"}]"),
            expected
        );
        assert_eq!(
            parse_as("csv", "id,prompt\n1,\"one, two\"\n2,three\n"),
            expected
        );
    }

    #[test]
    fn errors_say_what_was_expected() {
        assert!(parse_as("txt", " \n").unwrap_err().contains("at least one"));
        assert!(parse_as("csv", "a,b\n1,2\n").unwrap_err().contains("a, b"));
        assert!(
            parse_as("jsonl", "\"x\"\n{}")
                .unwrap_err()
                .contains("line 2")
        );
        assert!(parse_as("pdf", "").unwrap_err().contains("`.pdf`"));
    }
}
