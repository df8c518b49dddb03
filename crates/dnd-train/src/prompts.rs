//! Prompts from files and standard input.

use std::io::Read;
use std::path::Path;

use dnd_adapter::prompts::parse;

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
        return Ok(parse(&text, "txt", "standard input")?);
    }
    let extension = path
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default()
        .to_lowercase();
    Ok(parse(
        &files::read_text(path)?,
        &extension,
        &path.display().to_string(),
    )?)
}
