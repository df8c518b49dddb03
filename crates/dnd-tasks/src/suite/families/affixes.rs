//! A given word before or behind the input.

use super::super::catalogue::{Catalogue, Example, fill};
use super::word;

const BEFORE: [&str; 8] = [
    "Write \"{word}\" in front of this: {0}",
    "Put the word \"{word}\" before {0}.",
    "{0} -> with \"{word}\" in front of it",
    "Begin with \"{word}\", then repeat: {0}",
    "Word: {0}\nAnswer with \"{word}\" and the word.",
    "Add \"{word}\" at the beginning of \"{0}\".",
    "{0}\nThe same, after the word \"{word}\".",
    "Say \"{word}\" and then \"{0}\".",
];
const BEHIND: [&str; 8] = [
    "Write \"{word}\" behind this: {0}",
    "Put the word \"{word}\" after {0}.",
    "{0} -> followed by \"{word}\"",
    "Repeat, and end with \"{word}\": {0}",
    "Word: {0}\nAnswer with the word and \"{word}\".",
    "Add \"{word}\" at the end of \"{0}\".",
    "{0}\nThe same, then the word \"{word}\".",
    "Say \"{0}\" and then \"{word}\".",
];
const IN_FRONT: [&str; 22] = [
    "very", "my", "please", "dear", "old", "new", "little", "hello", "super", "about", "really",
    "our", "red", "two", "the", "without", "more", "big", "every", "some", "perhaps", "only",
];
const AT_THE_END: [&str; 16] = [
    "again", "now", "too", "please", "here", "today", "first", "indeed", "forever", "together",
    "maybe", "twice", "instead", "once", "always", "there",
];

/// Adds the family.
pub(super) fn add(catalogue: &mut Catalogue) {
    catalogue.family("affixes");
    let groups: [(&str, &[&'static str], _, bool); 2] = [
        ("before", &IN_FRONT, BEFORE, true),
        ("behind", &AT_THE_END, BEHIND, false),
    ];
    for (part, added, phrasings, is_before) in groups {
        for &added in added {
            let phrasings = fill(&phrasings, "{word}", added);
            catalogue.draw(&format!("{part}-{added}"), &phrasings, move |random| {
                let word = word(random);
                let answer = match is_before {
                    true => format!("{added} {word}"),
                    false => format!("{word} {added}"),
                };
                Some(Example::one(word, answer))
            });
        }
    }
}
