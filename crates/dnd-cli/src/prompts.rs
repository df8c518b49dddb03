//! Prompts from files and standard input.

use std::io::Read;
use std::path::Path;

use anyhow::Result;
use dnd_adapter::prompts::parse;

/// Reads prompts from a `.txt` (one per line), `.jsonl` (objects with `prompt`, or strings),
/// `.json` (a list of those) or `.csv` (a column `prompt`) file; `-` reads lines of text from
/// `input`.
///
/// # Errors
/// If the file cannot be read, has another extension, or holds no prompt.
pub fn read_prompts(path: &Path, mut input: impl Read) -> Result<Vec<String>> {
    if path == Path::new("-") {
        let name = Path::new("standard input");
        let mut bytes = Vec::new();
        let read = input.read_to_end(&mut bytes);
        read.map_err(|e| dnd_files::Error::file(name, "cannot read", e))?;
        let text = dnd_files::text(bytes, name)?;
        return Ok(parse(&text, "txt", "standard input")?);
    }
    let extension = path
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default()
        .to_lowercase();
    let text = dnd_files::read_text(path)?;
    Ok(parse(&text, &extension, &path.display().to_string())?)
}
