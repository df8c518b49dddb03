//! Converts the text of the box to prompts.

use dnd_adapter::Error;
use dnd_adapter::prompts::{self, PromptFile};

/// Reads the text of the box.
///
/// # Errors
/// A sentence, when the text is malformed or has no prompt.
pub fn read(text: &str) -> Result<PromptFile, String> {
    prompts::parse(text, "", "The text").map_err(sentence)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_sentences() {
        let told = read("[\"one\", ").unwrap_err();
        assert!(told.starts_with("The JSON is not complete or not valid (line 1, column 8). "));
        assert!(read("\"one\"\ntwo").unwrap_err().contains("(line 2,"));
        assert!(read("  \n").is_err());
    }
}
