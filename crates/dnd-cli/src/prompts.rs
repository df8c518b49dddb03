//! Prompts from files and standard input.

use std::io::Read;
use std::path::Path;

use anyhow::Result;
use dnd_adapter::prompts::{PromptFile, decode, parse, parse_column};

use crate::output;

/// Reads the prompts of a file, or of `input` where the path is `-`, and says on standard error
/// what was guessed. `column` is the column of the prompts, if the file is a table that names it
/// otherwise than `prompt`.
///
/// # Errors
/// If the file cannot be read, is no text, is malformed, or has no prompt.
pub fn read_prompts(path: &Path, column: Option<&str>, mut input: impl Read) -> Result<PromptFile> {
    let (name, bytes) = if path == Path::new("-") {
        let name = Path::new("standard input");
        let mut bytes = Vec::new();
        let read = input.read_to_end(&mut bytes);
        read.map_err(|e| dnd_files::Error::file(name, "cannot read", e))?;
        (name, bytes)
    } else {
        (path, dnd_files::read(path)?)
    };
    let extension = path.extension().and_then(|extension| extension.to_str());
    let name = name.display().to_string();
    let text = decode(&bytes, &name)?;
    let file = match column {
        Some(column) => parse_column(&text, column, &name)?,
        None => parse(&text, extension.unwrap_or_default(), &name)?,
    };
    for note in &file.notes {
        output::eprint_line(&format!("note: {note}"));
    }
    Ok(file)
}
