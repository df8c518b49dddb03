//! Reads prompts, with or without answers, from what people have: lines of text, JSON lines, a JSON
//! list, or a table.
//!
//! The content decides which of these a text is, not the name of the file. Where it is not what the
//! name says, or something had to be guessed, a note says so.

mod bytes;
mod json;
mod table;
#[cfg(test)]
mod tests;
mod text;

pub use bytes::decode;
pub use text::to_text;

use std::borrow::Cow;

use crate::error::Error;

/// The prompts of a text, and what was guessed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PromptFile {
    /// At least one prompt; blank ones are left out.
    pub prompts: Vec<Prompt>,
    /// Sentences about what was guessed or repaired.
    pub notes: Vec<String>,
}

impl PromptFile {
    /// The prompts without their answers.
    pub fn texts(&self) -> Vec<String> {
        self.prompts
            .iter()
            .map(|prompt| prompt.text.clone())
            .collect()
    }
}

/// A prompt, and its answer where the file has one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prompt {
    /// What the model is asked.
    pub text: String,
    /// The answer. Generators never read it.
    pub answer: Option<String>,
}

/// What a text may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Lines,
    JsonLines,
    JsonList,
    Table,
}

impl Format {
    /// As a noun, for notes.
    fn name(self) -> &'static str {
        match self {
            Self::Lines => "lines of text",
            Self::JsonLines => "JSON lines",
            Self::JsonList => "a JSON list",
            Self::Table => "a table",
        }
    }

    /// What files of this extension hold; `None` for other extensions.
    fn of_extension(extension: &str) -> Option<Self> {
        match extension.to_lowercase().as_str() {
            "txt" => Some(Self::Lines),
            "jsonl" | "ndjson" => Some(Self::JsonLines),
            "json" => Some(Self::JsonList),
            "csv" | "tsv" => Some(Self::Table),
            _ => None,
        }
    }

    /// What the text is. Prose can begin with a quotation mark or a bracket, too, so the first
    /// character does not make it JSON.
    fn of_text(text: &str, extension: &str) -> Self {
        let named = Self::of_extension(extension);
        let start = text.trim_start();
        if let Some(rest) = start.strip_prefix('[') {
            let next = rest.trim_start().chars().next();
            if matches!(next, None | Some('"' | '{' | ']')) {
                return Self::JsonList;
            }
        }
        let mut lines = text.lines().filter(|line| !line.trim().is_empty());
        let first = lines.next().unwrap_or_default();
        let has_rows = lines.next().is_some();
        if start.starts_with(['{', '"'])
            && let Ok(value) = json::value(first)
        {
            // A table with one column may have a quoted header. No other header is JSON.
            let is_header = value.as_str().is_some_and(table::is_prompt_column);
            return if is_header && has_rows {
                Self::Table
            } else {
                Self::JsonLines
            };
        }
        // A header without rows is probably a prompt being typed.
        if table::is_header(first) && has_rows || table::is_separator_line(first) {
            return Self::Table;
        }
        // What is not complete JSON, or a table without a known column, gets its own error.
        named.unwrap_or(Self::Lines)
    }
}

/// Reads the prompts of a text. `extension` is that of its file, and empty for text that was pasted
/// or piped; `source_name` names it in errors.
///
/// Objects have `prompt` (a text, or a list of messages), `messages`, `conversations`, or
/// `instruction` with an `input`; tables have a column `prompt` or `instruction`. Answers are
/// `response`, `answer`, `completion` or `output`, or the assistant's last turn. Lines may be
/// `prompt => answer`, which [`with_answers`] splits. Where each line has a list marker (`-`, `*`,
/// `1.`), markers are left out.
///
/// # Errors
/// [`Error::Prompts`] when the text is malformed or has no prompt.
pub fn parse(text: &str, extension: &str, source_name: &str) -> Result<PromptFile, Error> {
    let text = &with_line_feeds(without_mark(text));
    let format = Format::of_text(text, extension);
    let mut file = match format {
        Format::Lines => text::lines(text),
        Format::JsonLines => json::lines(text, source_name)?,
        Format::JsonList => json::list(text, source_name)?,
        Format::Table => table::parse(text, None, source_name)?,
    };
    // Text without a name is expected to be lines, as a text file is.
    let named = Format::of_extension(extension).unwrap_or(Format::Lines);
    if named != format {
        let note = format!("{source_name} is read as {}.", format.name());
        file.notes.insert(0, note);
    }
    without_blanks(file, source_name)
}

/// Reads the prompts of a table from this column, whose name may be written in other case.
///
/// # Errors
/// [`Error::Prompts`] when the table is malformed, or has no such column or no prompt.
pub fn parse_column(text: &str, column: &str, source_name: &str) -> Result<PromptFile, Error> {
    let text = with_line_feeds(without_mark(text));
    let file = table::parse(&text, Some(column), source_name)?;
    without_blanks(file, source_name)
}

/// The columns of a text that [`parse`] takes for a table; none if it is not one.
pub fn columns(text: &str, extension: &str) -> Vec<String> {
    let text = with_line_feeds(without_mark(text));
    match Format::of_text(&text, extension) {
        Format::Table => table::columns(&text),
        _ => Vec::new(),
    }
}

fn without_blanks(mut file: PromptFile, source_name: &str) -> Result<PromptFile, Error> {
    file.prompts.retain(|prompt| !prompt.text.trim().is_empty());
    if file.prompts.is_empty() {
        return Err(error(
            source_name,
            "expected at least one prompt, found none",
        ));
    }
    Ok(file)
}

/// Old Macs ended lines with carriage returns alone, and some exports still do.
fn with_line_feeds(text: &str) -> Cow<'_, str> {
    if text.contains('\r') && !text.contains('\n') {
        Cow::Owned(text.replace('\r', "\n"))
    } else {
        Cow::Borrowed(text)
    }
}

/// Splits lines `prompt => answer`, and checks that every prompt has its answer.
///
/// # Errors
/// [`Error::Prompts`] naming the first prompt without an answer.
pub fn with_answers(file: &PromptFile, source_name: &str) -> Result<Vec<(String, String)>, Error> {
    const ARROW: &str = "=>";
    let answered = file.prompts.iter().enumerate().map(|(place, prompt)| {
        let halves = || prompt.text.rsplit_once(ARROW);
        match (&prompt.answer, halves()) {
            (Some(answer), _) => Ok((prompt.text.clone(), answer.trim().to_owned())),
            (None, Some((text, answer))) => Ok((text.trim().to_owned(), answer.trim().to_owned())),
            (None, None) => Err(error(
                source_name,
                format!(
                    "prompt {}: expected an answer (`prompt {ARROW} answer`, or a field or column \
                     `response`, `answer`, `completion` or `output`), found none",
                    place + 1
                ),
            )),
        }
    });
    answered.collect()
}

/// A byte order mark is not part of the first prompt.
fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

fn error(source_name: &str, reason: impl std::fmt::Display) -> Error {
    Error::Prompts {
        source_name: source_name.to_owned(),
        reason: reason.to_string(),
    }
}
