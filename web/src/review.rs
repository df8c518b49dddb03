//! Reads prompts from the text box and reviews them.

mod hints;
mod text;

pub use dnd_adapter::prompts::to_text;
pub use hints::{READ, Review};

/// Parses the text of the box and reviews the prompts. Empty text is not an error.
pub fn read_and_review(text: &str) -> (Result<Vec<String>, String>, Review) {
    if text.trim().is_empty() {
        return (Ok(Vec::new()), Review::default());
    }
    match text::read(text) {
        Ok(file) => {
            let prompts = file.texts();
            let mut review = Review::of(&prompts);
            review.hints.extend(file.notes);
            (Ok(prompts), review)
        }
        Err(reason) => (Err(reason), Review::default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines as prompts.
    pub fn prompts(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|&line| line.to_owned()).collect()
    }

    #[test]
    fn what_was_guessed_is_a_hint() {
        let (read, review) = read_and_review("- one\n- two");
        assert_eq!(read, Ok(prompts(&["one", "two"])));
        let hints = review.hints.join(" ");
        assert!(hints.contains("List markers were left out."), "{hints}");
        let (read, review) = read_and_review("id,prompt\n1,one\n2,two");
        assert_eq!(read, Ok(prompts(&["one", "two"])));
        let hints = review.hints.join(" ");
        assert!(hints.contains("The text is read as a table."), "{hints}");
        assert!(read_and_review("[\"one\", ").0.is_err());
    }

    #[test]
    fn empty_text_has_no_hints() {
        assert_eq!(Review::of(&[]), Review::default());
        assert_eq!(read_and_review(" \n"), (Ok(Vec::new()), Review::default()));
    }
}
