//! What an answer is worth: right, right but for its form, or at least an answer of this task's kind.

use std::collections::BTreeSet;

/// A task with at most this many different training answers has a closed set of them.
const CLOSED_SET: usize = 20;
/// A valid answer of an open set is at most this many times as long as the longest in training.
const LONGEST: f64 = 1.5;

/// What one answer is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// Nothing but the expected response, up to white space at its ends.
    pub exact: bool,
    /// The response stands in the first line, case ignored: knowledge without the form.
    pub lenient: bool,
    /// An answer of the task's kind, right or wrong: the form without the knowledge.
    pub valid: bool,
}

/// Judges the answers to one task.
pub struct Judge {
    /// The training answers, where they are a closed set.
    closed: Option<BTreeSet<String>>,
    /// Characters of the longest training answer.
    longest: usize,
}

impl Judge {
    /// Knows a task by its training answers.
    pub fn new<'a>(responses: impl Iterator<Item = &'a str>) -> Self {
        let set: BTreeSet<String> = responses.map(|text| text.trim().to_owned()).collect();
        let longest = set.iter().map(|text| text.chars().count()).max();
        Self {
            longest: longest.unwrap_or(0),
            closed: (set.len() <= CLOSED_SET).then_some(set),
        }
    }

    /// Judges an answer; `ended` says that the model ended its turn by itself, without which there
    /// would have been more of it.
    pub fn verdict(&self, text: &str, ended: bool, response: &str) -> Verdict {
        let (text, response) = (text.trim(), response.trim());
        Verdict {
            exact: ended && text == response,
            lenient: stands_in_first_line(text, response),
            valid: ended && self.is_valid(text),
        }
    }

    fn is_valid(&self, text: &str) -> bool {
        match &self.closed {
            Some(set) => set.contains(text),
            None => {
                let limit = LONGEST * self.longest as f64;
                !text.is_empty() && !text.contains('\n') && text.chars().count() as f64 <= limit
            }
        }
    }
}

/// Whether `response` stands in the first line of `text`, between word boundaries and in any case.
/// A response of several lines is looked for in as many.
fn stands_in_first_line(text: &str, response: &str) -> bool {
    let lines: Vec<&str> = text.lines().take(response.lines().count().max(1)).collect();
    let (text, response) = (lines.join("\n").to_lowercase(), response.to_lowercase());
    if response.is_empty() {
        return text.is_empty();
    }
    let is_word = |character: Option<char>| character.is_some_and(char::is_alphanumeric);
    // Only a word can be part of a longer one: `)` may follow anything.
    let (first, last) = (
        is_word(response.chars().next()),
        is_word(response.chars().next_back()),
    );
    // Overlapping places count too, which `match_indices` would pass over.
    text.char_indices().any(|(start, _)| {
        text[start..].starts_with(&response)
            && !(first && is_word(text[..start].chars().next_back()))
            && !(last && is_word(text[start + response.len()..].chars().next()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open() -> Judge {
        let words: Vec<String> = (0..30).map(|number| format!("word {number}")).collect();
        Judge::new(words.iter().map(String::as_str))
    }

    #[test]
    fn only_the_response_itself_is_exact() {
        let exact = |text, ended| open().verdict(text, ended, "Paris").exact;
        assert!(exact(" Paris\n", true));
        assert!(!exact("Paris", false));
        assert!(!exact("paris", true) && !exact("Paris.", true));
    }

    #[test]
    fn lenient_wants_the_answer_in_the_first_line() {
        let lenient = |text: &str, response| open().verdict(text, false, response).lenient;
        assert!(lenient("The capital is PARIS.", "Paris"));
        assert!(lenient("\n The answer:paris\nmore", "Paris"));
        assert!(!lenient("I do not know.\nParis", "Paris"));
        assert!(!lenient("Parisian", "Paris") && !lenient("scar", "car"));
        assert!(!lenient("A cat", "at") && lenient("cat at home", "at"));
        assert!(lenient("(b) because", "(b)") && lenient("x+7", "7"));
        assert!(!lenient("17", "7") && !lenient("", "7"));
        assert!(lenient("Die Köpfe.", "köpfe") && !lenient("Kröpfen", "öpf"));
        assert!(lenient("aa a", "a"));
    }

    #[test]
    fn a_closed_set_has_only_its_members() {
        let judge = Judge::new(["A", "B", " A ", "C"].into_iter());
        assert!(judge.verdict("B", true, "A").valid);
        assert!(!judge.verdict("B", false, "A").valid);
        assert!(!judge.verdict("D", true, "A").valid);
        assert!(!judge.verdict("The answer is A", true, "A").valid);
    }

    #[test]
    fn an_open_set_has_a_form() {
        let judge = open();
        let valid = |text: &str| judge.verdict(text, true, "x").valid;
        assert!(valid("anything"));
        assert!(!valid("") && !valid(" \n") && !valid("two\nlines"));
        // The longest training answer has 7 characters.
        assert!(valid("ten chars.") && !valid("eleven char"));
    }
}
