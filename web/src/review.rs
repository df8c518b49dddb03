//! Reads prompts from the text box and reviews them.

mod hints;
mod text;

pub use hints::{READ, Review};
pub use text::{read, to_text};

use text::{format_of, without_markers};

/// Parses the text of the box and reviews the prompts. Empty text is not an error.
pub fn read_and_review(text: &str) -> (Result<Vec<String>, String>, Review) {
    if text.trim().is_empty() {
        return (Ok(Vec::new()), Review::default());
    }
    let prompts = read(text);
    let mut review = Review::of(prompts.as_deref().unwrap_or_default());
    if prompts.is_ok() && format_of(text) == "txt" && without_markers(text).is_some() {
        review.hints.push("List markers were left out.".to_owned());
    }
    (prompts, review)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines as prompts.
    pub fn prompts(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|&line| line.to_owned()).collect()
    }

    #[test]
    fn list_markers_are_left_out_if_every_line_has_one() {
        for text in [
            "1. one\n2. two\n",
            "9) one\n\n 10)  two",
            "- one\n* two",
            "\u{feff}• one\n•\ttwo",
        ] {
            let (read, review) = read_and_review(text);
            assert_eq!(read, Ok(prompts(&["one", "two"])), "{text}");
            assert!(
                review
                    .hints
                    .contains(&"List markers were left out.".to_owned())
            );
        }
        for text in [
            "1. one\ntwo",
            "# one\n# two",
            "-one\n-two",
            "1.5 is what?\n2.5 is what?",
            "3 and 4\n5 and 6",
        ] {
            let (read, review) = read_and_review(text);
            let lines: Vec<&str> = text.lines().collect();
            assert_eq!(read, Ok(prompts(&lines)), "{text}");
            assert!(!review.hints.join(" ").contains("markers"));
        }
    }

    #[test]
    fn empty_text_has_no_hints() {
        assert_eq!(Review::of(&[]), Review::default());
        assert_eq!(read_and_review(" \n"), (Ok(Vec::new()), Review::default()));
    }
}
