//! Prompts without their instruction.
//!
//! A base model that has been trained on many tasks reads from the prompt it answers which of them
//! is meant, and leaves nothing to a condition. Where the words that a task's prompts share are
//! taken away, only the condition tells what is asked.

use std::collections::{HashMap, HashSet};

use dnd_tasks::Line;

/// Words of more than this part of a task's prompts belong to its instruction: enough for nine
/// phrasings of it that are equally frequent. Words that a small table has the answer in go too.
const SHARED: f64 = 0.1;

/// Each line without the words that many prompts of the task have; a prompt that would be empty
/// stays as it is.
pub fn without_instruction(lines: &[Line]) -> Vec<Line> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for line in lines {
        let words: HashSet<String> = line.prompt.split_whitespace().map(plain).collect();
        for word in words {
            *counts.entry(word).or_default() += 1;
        }
    }
    let most = (lines.len() as f64 * SHARED).max(1.0);
    let is_own = |word: &&str| counts[&plain(word)] as f64 <= most;
    lines
        .iter()
        .map(|line| {
            let own: Vec<&str> = line.prompt.split_whitespace().filter(is_own).collect();
            let mut bare = line.clone();
            if !own.is_empty() {
                bare.prompt = own.join(" ");
            }
            bare
        })
        .collect()
}

/// A word in lower case without the punctuation around it.
fn plain(word: &str) -> String {
    word.trim_matches(|c: char| !c.is_alphanumeric())
        .to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_prompts_share_is_taken_away() {
        let words = [
            "cat", "dog", "cow", "owl", "elk", "bat", "ant", "bee", "eel", "hen", "fox",
        ];
        let lines: Vec<Line> = words
            .iter()
            .map(|word| Line {
                prompt: format!("What is the opposite of \"{word}\"?"),
                response: "none".to_owned(),
                system: None,
            })
            .collect();
        let bare = without_instruction(&lines);
        assert_eq!(bare[0].prompt, "\"cat\"?");
        assert_eq!(bare[0].response, "none");
        // Nothing would be left of the only prompt of a task.
        assert_eq!(without_instruction(&lines[..1])[0].prompt, lines[0].prompt);
    }
}
