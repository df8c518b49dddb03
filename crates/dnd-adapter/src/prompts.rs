//! Prompts as users have them: lines of text, JSON lines, a JSON list, or a column of a table.

use serde::Deserialize;

use crate::error::Error;

/// Reads prompts from the text of a file with this extension: `txt` or none (one a line), `jsonl`
/// (objects with `prompt`, or strings), `json` (a list of those) or `csv` (a column `prompt`). Blank
/// prompts are left out; `file` names the file in errors.
///
/// # Errors
/// [`Error::Prompts`] when the text is not of that kind or holds no prompt, or the kind is unknown.
pub fn parse(text: &str, extension: &str, file: &str) -> Result<Vec<String>, Error> {
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
                    .map_err(|e| error(file, format!("line {}: {e}", index + 1)))
            })
            .collect::<Result<Vec<_>, _>>()?,
        "json" => serde_json::from_str::<Vec<Entry>>(text)
            .map_err(|e| error(file, e))?
            .into_iter()
            .map(Entry::into_prompt)
            .collect(),
        "csv" => parse_csv(text, file)?,
        other => {
            return Err(error(
                file,
                format!("expected a .txt, .jsonl, .json or .csv file, found `.{other}`"),
            ));
        }
    };
    let prompts: Vec<String> = prompts
        .into_iter()
        .filter(|prompt| !prompt.trim().is_empty())
        .collect();
    if prompts.is_empty() {
        return Err(error(file, "expected at least one prompt, found none"));
    }
    Ok(prompts)
}

fn error(file: &str, reason: impl std::fmt::Display) -> Error {
    Error::Prompts {
        file: file.to_owned(),
        reason: reason.to_string(),
    }
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

fn parse_csv(text: &str, file: &str) -> Result<Vec<String>, Error> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let headers = reader.headers().map_err(|e| error(file, e))?;
    let column = headers
        .iter()
        .position(|name| name.trim() == "prompt")
        .ok_or_else(|| {
            let found: Vec<&str> = headers.iter().collect();
            error(
                file,
                format!("expected a column `prompt`, found {}", found.join(", ")),
            )
        })?;
    reader
        .records()
        .map(|record| {
            let record = record.map_err(|e| error(file, e))?;
            Ok(record.get(column).unwrap_or_default().to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_as(extension: &str, text: &str) -> Result<Vec<String>, String> {
        parse(text, extension, "prompts").map_err(|e| e.to_string())
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
