//! Prompts as a column of a table: CSV, also with semicolons or tabs.

use super::json::ANSWERS;
use super::{Prompt, PromptFile, error};
use crate::error::Error;

/// Cell separators, the least frequent in prose first. In a table with only the column
/// `prompt`, as copied from a spreadsheet, commas are part of the prompts.
const SEPARATORS: [u8; 3] = [b'\t', b';', b','];
/// Columns that hold prompts, the first that a table has is taken.
const PROMPTS: [&str; 2] = ["prompt", "instruction"];
/// More lines than that in one cell are probably rows.
const CELL_LINES: usize = 4;

/// Whether a line is a header with a column of prompts. A lone word could be a prompt, so it counts
/// only if it is `prompt`.
pub(super) fn is_header(line: &str) -> bool {
    separator(line, "prompt").is_some()
        || separator(line, "instruction").is_some_and(|separator| cells(line, separator).len() > 1)
}

/// Whether this is the name of a column of prompts.
pub(super) fn is_prompt_column(name: &str) -> bool {
    is_named(name, "prompt")
}

/// Whether this is the first line of a file of Excel that names its separator.
pub(super) fn is_separator_line(line: &str) -> bool {
    separator_of_line(line).is_some()
}

fn separator_of_line(line: &str) -> Option<u8> {
    let rest = line
        .trim_matches(['\r', '\n', '"', ' '])
        .strip_prefix("sep=")?;
    match rest.as_bytes() {
        [separator] => Some(*separator),
        _ if rest.is_empty() && line.contains('\t') => Some(b'\t'),
        _ => None,
    }
}

/// The separator of a header that has this column.
fn separator(header: &str, column: &str) -> Option<u8> {
    SEPARATORS.into_iter().find(|&separator| {
        let cells = cells(header, separator);
        cells.iter().any(|name| is_named(name, column))
    })
}

fn is_named(name: &str, column: &str) -> bool {
    name.trim().eq_ignore_ascii_case(column)
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

/// Where a table begins, and what separates its cells.
struct Layout {
    /// Bytes above the header.
    start: usize,
    separator: u8,
}

/// The layout of a table. Its column of prompts is `column`, or one of the usual names.
fn layout(whole: &str, column: Option<&str>) -> Layout {
    // Skip leading blank lines; a line of spaces would be read as the header.
    let mut start: usize = whole
        .split_inclusive('\n')
        .take_while(|line| line.trim().is_empty())
        .map(str::len)
        .sum();
    let first = whole[start..]
        .split_inclusive('\n')
        .next()
        .unwrap_or_default();
    let named = separator_of_line(first);
    if named.is_some() {
        start += first.len();
    }
    let header = whole[start..].lines().next().unwrap_or_default();
    let found = match column {
        Some(column) => separator(header, column),
        None => PROMPTS.into_iter().find_map(|name| separator(header, name)),
    };
    let widest = || {
        let width = |&separator: &u8| cells(header, separator).len();
        SEPARATORS.into_iter().max_by_key(width)
    };
    Layout {
        start,
        separator: named.or(found).or_else(widest).unwrap_or(b','),
    }
}

/// The names of the columns.
pub(super) fn columns(whole: &str) -> Vec<String> {
    let Layout { start, separator } = layout(whole, None);
    let header = whole[start..].lines().next().unwrap_or_default();
    let names = cells(header, separator).into_iter();
    names.map(|name| name.trim().to_owned()).collect()
}

/// Reads the column of prompts, which is `column` or one of the usual names, and that of answers if
/// there is one.
pub(super) fn parse(
    whole: &str,
    column: Option<&str>,
    source_name: &str,
) -> Result<PromptFile, Error> {
    let Layout { start, separator } = layout(whole, column);
    let text = &whole[start..];
    let line_of = |offset: usize| {
        let above = &whole.as_bytes()[..start + offset];
        1 + above.iter().filter(|&&byte| byte == b'\n').count()
    };
    let notes = check_quotes(text, separator, &line_of, source_name)?;
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .from_reader(text.as_bytes());
    let headers = reader.headers().map_err(|e| error(source_name, e))?.clone();
    let place = |name: &str| headers.iter().position(|header| is_named(header, name));
    let prompt = match column {
        Some(column) => place(column.trim()),
        None => PROMPTS.into_iter().find_map(place),
    };
    let prompt = prompt.ok_or_else(|| {
        let found: Vec<&str> = headers.iter().collect();
        let column = column.unwrap_or("prompt");
        let reason = format!("expected a column `{column}`, found {}", found.join(", "));
        error(source_name, reason)
    })?;
    let is_instruction = is_named(headers.get(prompt).unwrap_or_default(), "instruction");
    let input = place("input").filter(|_| is_instruction);
    let answer = ANSWERS
        .into_iter()
        .find_map(place)
        .filter(|&answer| answer != prompt);
    // Of two columns, the other one may have the answers.
    let answer = answer.or((headers.len() == 2 && input.is_none()).then_some(1 - prompt.min(1)));
    let prompts = reader.records().map(|record| {
        let record = record.map_err(|e| error(source_name, row_error(&e, text, &line_of)))?;
        let cell = |column: usize| record.get(column).unwrap_or_default();
        let input = input.map(cell).filter(|input| !input.trim().is_empty());
        Ok(Prompt {
            text: match input {
                Some(input) => format!("{}\n{input}", cell(prompt)),
                None => cell(prompt).to_owned(),
            },
            answer: answer.map(|answer| cell(answer).to_owned()),
        })
    });
    Ok(PromptFile {
        prompts: prompts.collect::<Result<_, Error>>()?,
        notes,
    })
}

/// Refuses a quotation mark that is never closed, which would take all rows after it into its cell,
/// and notes cells of many lines, where one may be closed too late.
fn check_quotes(
    text: &str,
    separator: u8,
    line_of: &impl Fn(usize) -> usize,
    source_name: &str,
) -> Result<Vec<String>, Error> {
    let bytes = text.as_bytes();
    let mut notes = Vec::new();
    let mut place = 0;
    let mut is_start = true;
    while place < bytes.len() {
        if !(is_start && bytes[place] == b'"') {
            is_start = bytes[place] == separator || matches!(bytes[place], b'\n' | b'\r');
            place += 1;
            continue;
        }
        let opened = place;
        place += 1;
        loop {
            match (bytes.get(place), bytes.get(place + 1)) {
                (None, _) => {
                    let line = line_of(opened);
                    let reason = format!(
                        "line {line}: expected the quotation mark at the beginning of a cell to \
                         be closed, found the end of the file. Put a second mark at the end of \
                         the cell; a mark within a cell is doubled."
                    );
                    return Err(error(source_name, reason));
                }
                (Some(b'"'), Some(b'"')) => place += 2,
                (Some(b'"'), _) => break,
                _ => place += 1,
            }
        }
        let (first, last) = (line_of(opened), line_of(place));
        if last - first >= CELL_LINES {
            notes.push(format!(
                "Lines {first} to {last} are one cell in quotation marks. If they are rows, a mark \
                 is missing in line {first}."
            ));
        }
        place += 1;
        is_start = false;
    }
    Ok(notes)
}

/// Describes an error in a row.
fn row_error(mistake: &csv::Error, text: &str, line_of: &impl Fn(usize) -> usize) -> String {
    match mistake.kind() {
        csv::ErrorKind::UnequalLengths {
            pos: Some(place),
            expected_len,
            len,
        } => {
            // Count lines here: the line number of the csv crate is off by one after `\r\n`.
            let offset = (place.byte() as usize).min(text.len());
            let is_before = text.as_bytes()[offset..].starts_with(b"\n");
            let line = line_of(offset) + usize::from(is_before);
            format!(
                "line {line}: expected {expected_len} cells as in the header, found {len}. Put a \
                 cell that contains the separator in quotation marks."
            )
        }
        _ => mistake.to_string(),
    }
}
