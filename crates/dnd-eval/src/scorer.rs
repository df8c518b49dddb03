//! Scores of completions: exact match, lenient match and validity.

use std::collections::BTreeSet;

use dnd_adapter::score::is_right;

/// A task with at most this many distinct training responses has a closed set of answers.
const CLOSED_SET: usize = 20;
/// With an open set, a valid answer is at most this many times as long as the longest training
/// response.
const LONGEST: f64 = 1.5;

/// The scores of a completion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scores {
    /// Equals the expected response, apart from leading and trailing white space.
    pub exact: bool,
    /// The first line contains the response, ignoring case: the knowledge, maybe not the form.
    pub lenient: bool,
    /// Looks like an answer of this task, right or wrong: the form, maybe not the knowledge.
    pub valid: bool,
}

/// Scores the completions of one task.
pub struct Scorer {
    /// The training responses, if they are a closed set.
    closed: Option<BTreeSet<String>>,
    /// Characters of the longest training response.
    longest: usize,
}

impl Scorer {
    /// Creates a scorer from the training responses of a task.
    pub fn new<'a>(responses: impl Iterator<Item = &'a str>) -> Self {
        let set: BTreeSet<String> = responses.map(|text| text.trim().to_owned()).collect();
        let longest = set.iter().map(|text| text.chars().count()).max();
        Self {
            longest: longest.unwrap_or(0),
            closed: (set.len() <= CLOSED_SET).then_some(set),
        }
    }

    /// Scores a completion. `ended` says that the model ended its turn; otherwise the text is
    /// truncated.
    pub fn score(&self, text: &str, ended: bool, response: &str) -> Scores {
        let (text, response) = (text.trim(), response.trim());
        Scores {
            exact: is_right(text, ended, response),
            lenient: first_line_contains(text, response),
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

/// Whether the first line of `text` contains `response` at word boundaries, ignoring case. A
/// response of several lines is searched in as many lines.
fn first_line_contains(text: &str, response: &str) -> bool {
    let lines: Vec<&str> = text.lines().take(response.lines().count().max(1)).collect();
    let (text, response) = (lines.join("\n").to_lowercase(), response.to_lowercase());
    if response.is_empty() {
        return text.is_empty();
    }
    let is_word = |character: Option<char>| character.is_some_and(char::is_alphanumeric);
    // A boundary is needed only where the response starts or ends with a word character.
    let (first, last) = (
        is_word(response.chars().next()),
        is_word(response.chars().next_back()),
    );
    // `match_indices` would skip overlapping matches.
    text.char_indices().any(|(start, _)| {
        text[start..].starts_with(&response)
            && !(first && is_word(text[..start].chars().next_back()))
            && !(last && is_word(text[start + response.len()..].chars().next()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open() -> Scorer {
        let words: Vec<String> = (0..30).map(|number| format!("word {number}")).collect();
        Scorer::new(words.iter().map(String::as_str))
    }

    #[test]
    fn only_the_response_itself_is_exact() {
        let exact = |text, ended| open().score(text, ended, "Paris").exact;
        assert!(exact(" Paris\n", true));
        assert!(!exact("Paris", false));
        assert!(!exact("paris", true) && !exact("Paris.", true));
    }

    #[test]
    fn lenient_wants_the_answer_in_the_first_line() {
        let lenient = |text: &str, response| open().score(text, false, response).lenient;
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
        let scorer = Scorer::new(["A", "B", " A ", "C"].into_iter());
        assert!(scorer.score("B", true, "A").valid);
        assert!(!scorer.score("B", false, "A").valid);
        assert!(!scorer.score("D", true, "A").valid);
        assert!(!scorer.score("The answer is A", true, "A").valid);
    }

    #[test]
    fn an_open_set_has_a_form() {
        let scorer = open();
        let valid = |text: &str| scorer.score(text, true, "x").valid;
        assert!(valid("anything"));
        assert!(!valid("") && !valid(" \n") && !valid("two\nlines"));
        // The longest training response has 7 characters.
        assert!(valid("ten chars.") && !valid("eleven char"));
    }
}
