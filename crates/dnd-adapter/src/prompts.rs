//! Parses prompts from plain text, JSON Lines, a JSON list, or a column of a CSV table.

use serde::Deserialize;

use crate::error::Error;

/// Reads prompts from the text of a file with this extension: `txt` or none (one per line), `jsonl`
/// (objects with `prompt`, or strings), `json` (a list of those) or `csv` (a column `prompt`; cells
/// separated by commas, semicolons or tabs). Blank prompts are skipped; `source_name` names the
/// file in errors.
///
/// # Errors
/// [`Error::Prompts`] when the text is malformed or has no prompt, or the extension is unknown.
pub fn parse(text: &str, extension: &str, file: &str) -> Result<Vec<String>, Error> {
    // A byte order mark is not part of the first prompt.
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
                    .map_err(|e| error(file, json_error(&e, Some(index + 1))))
            })
            .collect::<Result<Vec<_>, _>>()?,
        "json" => serde_json::from_str::<Vec<Entry>>(text)
            .map_err(|e| error(file, json_error(&e, None)))?
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

/// A prompt and its expected answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnsweredPrompt {
    /// What the model is asked.
    pub prompt: String,
    /// The expected answer.
    pub answer: String,
}

/// Names of fields and columns that hold answers.
const ANSWERS: [&str; 3] = ["response", "answer", "completion"];
/// What separates prompt and answer in a line of text.
const ARROW: &str = "=>";

/// Reads prompts with answers, as [`parse`] reads prompts: `txt` has lines `prompt => answer`;
/// objects have a field `response`, `answer` or `completion` beside `prompt`; tables such a column,
/// or two columns, the second for the answers.
///
/// # Errors
/// [`Error::Prompts`] as [`parse`], and when a prompt has no answer.
pub fn parse_answered(
    text: &str,
    extension: &str,
    file: &str,
) -> Result<Vec<AnsweredPrompt>, Error> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let no_answer = |place: usize| {
        let [a, b, c] = ANSWERS;
        let expected = match extension {
            "txt" | "" => format!("expected `prompt {ARROW} answer`, found no `{ARROW}`"),
            _ => format!("expected `prompt` and `{a}`, `{b}` or `{c}`, found no such pair"),
        };
        error(file, format!("line {place}: {expected}"))
    };
    let of_json = |place: usize, value: &serde_json::Value| {
        let field = |name: &str| value.get(name).and_then(serde_json::Value::as_str);
        let answer = ANSWERS.into_iter().find_map(field);
        match field("prompt").zip(answer) {
            Some((prompt, answer)) => Ok(AnsweredPrompt::new(prompt, answer)),
            None => Err(no_answer(place)),
        }
    };
    let filled = |line: &(usize, &str)| !line.1.trim().is_empty();
    let lines = || text.lines().enumerate().filter(filled);
    let answered: Vec<AnsweredPrompt> = match extension {
        "txt" | "" => lines()
            .map(|(index, line)| {
                let halves = line.rsplit_once(ARROW).ok_or_else(|| no_answer(index + 1));
                halves.map(|(prompt, answer)| AnsweredPrompt::new(prompt.trim(), answer))
            })
            .collect::<Result<_, _>>()?,
        "jsonl" => lines()
            .map(|(index, line)| {
                let value = serde_json::from_str(line)
                    .map_err(|e| error(file, json_error(&e, Some(index + 1))))?;
                of_json(index + 1, &value)
            })
            .collect::<Result<_, _>>()?,
        "json" => serde_json::from_str::<Vec<serde_json::Value>>(text)
            .map_err(|e| error(file, json_error(&e, None)))?
            .iter()
            .enumerate()
            .map(|(index, value)| of_json(index + 1, value))
            .collect::<Result<_, _>>()?,
        "csv" => parse_answered_csv(text, file)?,
        other => {
            return Err(error(
                file,
                format!("expected a .txt, .jsonl, .json or .csv file, found `.{other}`"),
            ));
        }
    };
    if answered.is_empty() {
        return Err(error(file, "expected at least one prompt, found none"));
    }
    Ok(answered)
}

impl AnsweredPrompt {
    fn new(prompt: &str, answer: &str) -> Self {
        Self {
            prompt: prompt.to_owned(),
            answer: answer.trim().to_owned(),
        }
    }
}

fn parse_answered_csv(text: &str, file: &str) -> Result<Vec<AnsweredPrompt>, Error> {
    let header = text.lines().next().unwrap_or_default();
    let found = separator(header).unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(found)
        .from_reader(text.as_bytes());
    let headers = reader.headers().map_err(|e| error(file, e))?;
    let prompt = headers.iter().position(is_prompt_column);
    let is_answer = |name: &str| ANSWERS.iter().any(|a| name.trim().eq_ignore_ascii_case(a));
    let answer = headers.iter().position(is_answer);
    // Of two columns, the other one has the answers.
    let answer = answer.or_else(|| match (prompt, headers.len()) {
        (Some(prompt), 2) => Some(1 - prompt),
        _ => None,
    });
    let (Some(prompt), Some(answer)) = (prompt, answer) else {
        let found: Vec<&str> = headers.iter().collect();
        let [a, b, c] = ANSWERS;
        return Err(error(
            file,
            format!(
                "expected columns `prompt` and `{a}`, `{b}` or `{c}`, found {}",
                found.join(", ")
            ),
        ));
    };
    reader
        .records()
        .map(|record| {
            let record = record.map_err(|e| error(file, csv_error(&e, text, 0)))?;
            let cell = |column: usize| record.get(column).unwrap_or_default();
            Ok(AnsweredPrompt::new(cell(prompt), cell(answer)))
        })
        .collect()
}

fn error(file: &str, reason: impl std::fmt::Display) -> Error {
    Error::Prompts {
        source_name: file.to_owned(),
        reason: reason.to_string(),
    }
}

/// Describes a JSON error and its position. `line` is the line of the file that the JSON came
/// from, for JSON Lines.
fn json_error(mistake: &serde_json::Error, line: Option<usize>) -> String {
    // serde_json appends a position of its own, which is always in line 1 for JSON Lines.
    let said = mistake.to_string();
    let place = format!(" at line {} column {}", mistake.line(), mistake.column());
    let reason = said.strip_suffix(&place).unwrap_or(&said);
    let what = if mistake.is_data() {
        "the JSON does not contain prompts"
    } else {
        "the JSON is not complete or not valid"
    };
    // serde_json reports line 0 when the position is unknown.
    let place = match (line.unwrap_or(mistake.line()), mistake.line()) {
        (0, _) => String::new(),
        (line, 0) => format!(" (line {line})"),
        (line, _) => format!(" (line {line}, column {})", mistake.column()),
    };
    format!("{what}{place}. Parser error: {reason}.")
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

/// Cell separators, the least frequent in prose first. In a table with only the column
/// `prompt`, as copied from a spreadsheet, commas are part of the prompts.
const SEPARATORS: [u8; 3] = [b'\t', b';', b','];

/// Whether a line is a CSV header with a column `prompt`.
pub fn is_header(line: &str) -> bool {
    separator(line).is_some()
}

/// The cell separator of a header that has a column `prompt`.
fn separator(header: &str) -> Option<u8> {
    SEPARATORS.into_iter().find(|&separator| {
        cells(header, separator)
            .iter()
            .any(|name| is_prompt_column(name))
    })
}

fn is_prompt_column(name: &str) -> bool {
    name.trim().eq_ignore_ascii_case("prompt")
}

fn cells(line: &str, separator: u8) -> Vec<String> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .delimiter(separator)
        .from_reader(line.as_bytes());
    match reader.records().next() {
        Some(Ok(record)) => record.iter().map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

fn parse_csv(text: &str, file: &str) -> Result<Vec<String>, Error> {
    // Skip leading blank lines; a line of spaces would be read as the header.
    let whole = text;
    let blank: usize = whole
        .split_inclusive('\n')
        .take_while(|line| line.trim().is_empty())
        .map(str::len)
        .sum();
    let text = &whole[blank..];
    let header = text.lines().next().unwrap_or_default();
    let separator = separator(header).or_else(|| {
        SEPARATORS
            .into_iter()
            .max_by_key(|&separator| cells(header, separator).len())
    });
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator.unwrap_or(b','))
        .from_reader(text.as_bytes());
    let headers = reader.headers().map_err(|e| error(file, e))?;
    let column = headers.iter().position(is_prompt_column).ok_or_else(|| {
        let found: Vec<&str> = headers.iter().collect();
        error(
            file,
            format!("expected a column `prompt`, found {}", found.join(", ")),
        )
    })?;
    reader
        .records()
        .map(|record| {
            let record = record.map_err(|e| error(file, csv_error(&e, whole, blank)))?;
            Ok(record.get(column).unwrap_or_default().to_owned())
        })
        .collect()
}

/// Describes an error in a row. `start` is the byte offset of the table in `text`.
fn csv_error(mistake: &csv::Error, text: &str, start: usize) -> String {
    match mistake.kind() {
        csv::ErrorKind::UnequalLengths {
            pos: Some(place),
            expected_len,
            len,
        } => {
            // Count lines here: the line number of the csv crate is off by one after `\r\n`.
            let above = start + place.byte() as usize;
            let (above, row) = text.as_bytes().split_at(above.min(text.len()));
            let lines = above.iter().filter(|&&byte| byte == b'\n').count();
            let line = 1 + lines + usize::from(row.starts_with(b"\n"));
            format!(
                "line {line}: expected {expected_len} cells as in the header, found {len}. Put a \
                 cell that contains the separator in quotation marks."
            )
        }
        _ => mistake.to_string(),
    }
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
    fn answers_stand_beside_their_prompts() {
        let expected = [("a, b", "1"), ("c", "2")].map(|(p, a)| AnsweredPrompt::new(p, a));
        for (extension, text) in [
            ("txt", "\u{feff}a, b => 1\n\nc =>2\r\n"),
            (
                "jsonl",
                "{\"prompt\":\"a, b\",\"answer\":\"1\"}\n{\"prompt\":\"c\",\"completion\":\" 2\"}",
            ),
            (
                "json",
                "[{\"prompt\":\"a, b\",\"response\":\"1\"},{\"prompt\":\"c\",\"answer\":\"2\"}]",
            ),
            ("csv", "id,prompt,response\n1,\"a, b\",1\n2,c,2\n"),
            ("csv", "wanted\tprompt\n1\ta, b\n2\tc\n"),
        ] {
            let found = parse_answered(text, extension, "lines").unwrap();
            assert_eq!(found, expected, "{text}");
        }
        for (extension, text, told) in [
            ("txt", "a => 1\nb\n", "line 2: expected `prompt => answer`"),
            (
                "jsonl",
                "{\"prompt\":\"a\"}",
                "line 1: expected `prompt` and",
            ),
            ("csv", "prompt,b,c\n", "found prompt, b, c"),
            ("csv", "prompt,answer\n", "at least one prompt"),
            ("pdf", "x", "found `.pdf`"),
        ] {
            let message = parse_answered(text, extension, "lines").unwrap_err();
            assert!(message.to_string().contains(told), "{message}");
        }
    }

    #[test]
    fn tables_have_commas_semicolons_or_tabs() {
        let expected = Ok(vec!["one, two".to_owned(), "three".to_owned()]);
        for text in [
            "id;Prompt\n1;one, two\n2;three\n",
            "\tPROMPT\n1\tone, two\r\n2\tthree",
            " \n\n\" prompt \",id\n\"one, two\",1\nthree,2",
            "prompt\none, two\n\"three\"\n",
        ] {
            assert_eq!(parse_as("csv", text), expected, "{text}");
        }
    }

    #[test]
    fn headers_have_a_column_prompt() {
        for line in ["prompt", "id,Prompt", "\"prompt\";answer", "a\t prompt\tb"] {
            assert!(is_header(line), "{line}");
        }
        for line in ["", "prompts", "A prompt, please", "question,answer"] {
            assert!(!is_header(line), "{line}");
        }
    }

    #[test]
    fn mistakes_in_rows_are_told_in_plain_words() {
        for end in ["\n", "\r\n"] {
            let lines = ["", "id,prompt", "1,one", "2,two, three", ""];
            let told = parse_as("csv", &lines.join(end)).unwrap_err();
            assert!(told.contains("line 4"), "{told}");
            assert!(
                told.contains("expected 2 cells as in the header, found 3"),
                "{told}"
            );
        }
    }

    #[test]
    fn mistakes_in_json_are_told_in_plain_words() {
        let told = parse_as("json", "[\"one\", ").unwrap_err();
        let expected =
            "the JSON is not complete or not valid (line 1, column 8). Parser error: EOF";
        assert!(told.contains(expected), "{told}");
        let told = parse_as("json", "[1]").unwrap_err();
        assert!(told.contains("does not contain prompts (line 1"), "{told}");
        let told = parse_as("jsonl", "\"one\"\n\"two").unwrap_err();
        assert!(told.contains("not valid (line 2, column 4)"), "{told}");
        assert!(!told.contains("line 1"), "{told}");
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
