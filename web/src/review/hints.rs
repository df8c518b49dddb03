//! Hints that help to write better prompts.

use std::collections::{HashMap, HashSet};

/// Prompts that the generator reads per adapter.
pub const READ: usize = 16;
/// Fewer distinct prompts than this get a hint.
const FEW: usize = 8;
/// Maximum number of prompts to compare; more would not change the hints.
const SAMPLE: usize = 256;
/// A prompt of more words than this certainly exceeds the 32 tokens that the encoder reads.
const LONG_WORDS: usize = 32;
/// The same in characters, for text without spaces.
const LONG_CHARACTERS: usize = 200;
/// Fraction of shared words above which prompts hardly differ.
const ALIKE: f64 = 0.9;

/// Review of prompts before an adapter is generated from them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Review {
    /// How many prompts there are.
    pub count: usize,
    /// How many of them are distinct.
    pub distinct: usize,
    /// Hints for better prompts; sentences.
    pub hints: Vec<String>,
}

impl Review {
    /// Reviews prompts in time linear in the length of the text.
    pub fn of(prompts: &[String]) -> Self {
        let different: HashSet<&str> = prompts.iter().map(|prompt| prompt.trim()).collect();
        let distinct = different.len();
        let count = prompts.len();
        let mut hints = Vec::new();
        if count == 0 {
            return Self::default();
        }
        if distinct < FEW {
            hints.push(format!(
                "A description of the task or one prompt is enough; more different prompts usually \
                 give a better adapter. The generator reads {READ}."
            ));
        } else if (count - distinct) * 4 >= count {
            hints.push(format!(
                "Only {distinct} of the {count} prompts are different. Repeated prompts teach the \
                 generator nothing new."
            ));
        }
        if distinct >= FEW {
            hints.extend(likeness_hint(prompts));
        }
        hints.extend(length_hint(prompts));
        Self {
            count,
            distinct,
            hints,
        }
    }
}

/// A hint when prompts are too similar to show a task. Whether they are of one task is seen from
/// their embeddings, after a generation.
fn likeness_hint(prompts: &[String]) -> Option<String> {
    let step = prompts.len().div_ceil(SAMPLE);
    let sample: Vec<HashSet<String>> = prompts.iter().step_by(step).map(|p| words(p)).collect();
    let mut prompts_with: HashMap<&str, usize> = HashMap::new();
    for word in sample.iter().flatten() {
        *prompts_with.entry(word).or_default() += 1;
    }
    let (mut common, mut all) = (0.0, 0.0);
    for word in sample.iter().flatten() {
        let found = prompts_with.get(word.as_str()).copied().unwrap_or_default();
        common += found as f64 / sample.len() as f64;
        all += 1.0;
    }
    // Without spaces between words there is nothing to compare.
    if all < 3.0 * sample.len() as f64 {
        return None;
    }
    (common / all > ALIKE).then(|| {
        "The prompts are very similar. Ask in different ways and about different things, as you \
         would when you use the adapter."
            .to_owned()
    })
}

/// The distinct words at the beginning of a prompt, where the encoder reads.
fn words(prompt: &str) -> HashSet<String> {
    prompt
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(LONG_WORDS)
        .map(str::to_lowercase)
        .collect()
}

/// A hint when only a part of some prompts is read.
fn length_hint(prompts: &[String]) -> Option<String> {
    let long = prompts
        .iter()
        .filter(|prompt| {
            prompt.split_whitespace().nth(LONG_WORDS).is_some()
                || prompt.chars().nth(LONG_CHARACTERS).is_some()
        })
        .count();
    let which = match long {
        0 => return None,
        1 => "1 prompt is".to_owned(),
        _ => format!("{long} prompts are"),
    };
    Some(format!(
        "{which} long. Of each prompt only about the first and the last 12 words are read, so put \
         the instruction at its beginning or its end."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::tests::prompts;

    fn hints(lines: &[String]) -> String {
        Review::of(lines).hints.join(" ")
    }

    #[test]
    fn examples_need_no_hint() {
        for text in [
            include_str!("../../../assets/prompts/antonyms.txt"),
            include_str!("../../../assets/prompts/past-tense.txt"),
            include_str!("../../../assets/prompts/sentiment.txt"),
        ] {
            let lines: Vec<String> = text.lines().map(str::to_owned).collect();
            assert_eq!(Review::of(&lines).hints, Vec::<String>::new());
        }
    }

    #[test]
    fn few_and_repeated_prompts_get_a_hint() {
        let few = Review::of(&prompts(&[
            "one two three",
            "two three four",
            "one two three",
        ]));
        assert_eq!((few.count, few.distinct), (3, 2));
        assert!(few.hints[0].contains("generator reads 16"));
        let mut many: Vec<String> = (0..10)
            .map(|i| format!("Which letter follows {i}?"))
            .collect();
        many.extend(many.clone());
        assert!(hints(&many).contains("Only 10 of the 20"));
    }

    #[test]
    fn too_similar_prompts_get_a_hint() {
        let alike: Vec<String> = (0..20)
            .map(|i| {
                format!("Please tell me now, in one single short word, what comes next after {i}")
            })
            .collect();
        assert!(hints(&alike).contains("very similar"));
    }

    #[test]
    fn long_prompts_get_a_hint() {
        let long = vec!["word ".repeat(40), "short".to_owned()];
        assert!(hints(&long).contains("1 prompt is long"));
    }
}
