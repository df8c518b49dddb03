//! Spelling words out, and removing, replacing or adding characters.

use super::super::catalogue::{Catalogue, Example, fill};
use super::{line, word};

const SPELL: [&str; 5] = [
    "Spell the word {0} with {separator} between the letters.",
    "Write {0} letter by letter, {separator} in between.",
    "Word: {0}\nPut {separator} between its letters.",
    "Spell out \"{0}\", separated by {separator}.",
    "Take {0} apart into letters with {separator} between them.",
];
const CHANGE: [&str; 5] = [
    "{do} the word {0}.",
    "Word: {0}\n{do} it.",
    "Change \"{0}\" as follows: {do} the word.",
    "{do} this word: {0}",
    "Here is a word: {0}. {do} it and write the result.",
];
const JOIN: [&str; 5] = [
    "Join these words {how}: {0}",
    "Write this line with its words joined {how}: {0}",
    "{0}\nJoin the words {how}.",
    "Put these words together {how}: {0}",
    "Line: {0}\nWrite it {how}.",
];

/// Adds the family.
pub(super) fn add(catalogue: &mut Catalogue) {
    catalogue.family("spelling");
    for (name, phrase, separator) in [
        ("spell-hyphens", "hyphens", "-"),
        ("spell-spaces", "spaces", " "),
        ("spell-commas", "commas", ","),
        ("spell-dots", "dots", "."),
        ("spell-slashes", "slashes", "/"),
    ] {
        catalogue.draw(name, &fill(&SPELL, "{separator}", phrase), move |random| {
            let word = word(random);
            Some(Example::one(word, spelled(word, separator)))
        });
    }
    let capitals: Vec<String> = fill(&SPELL, "{separator}", "hyphens")
        .iter()
        .map(|phrasing| format!("{phrasing}\nUse capital letters."))
        .collect();
    catalogue.draw("spell-hyphens-upper", &capitals, |random| {
        let word = word(random);
        Some(Example::one(word, spelled(&word.to_uppercase(), "-")))
    });
    type Change = fn(&str) -> String;
    let changes: [(&str, &str, Change); 6] = [
        (
            "remove-vowels",
            "Remove all vowels (a, e, i, o, u) from",
            |w| w.replace(is_vowel, ""),
        ),
        (
            "keep-vowels",
            "Keep nothing but the vowels (a, e, i, o, u) of",
            |w| w.replace(|letter| !is_vowel(letter), ""),
        ),
        (
            "star-vowels",
            "Write a star for every vowel (a, e, i, o, u) of",
            |w| w.replace(is_vowel, "*"),
        ),
        ("double-first", "Double the first letter of", |w| {
            format!("{}{w}", &w[..1])
        }),
        ("double-last", "Double the last letter of", |w| {
            format!("{w}{}", &w[w.len() - 1..])
        }),
        ("add-hash", "Put a hash sign in front of", |w| {
            format!("#{w}")
        }),
    ];
    for (name, what, change) in changes {
        catalogue.draw(name, &fill(&CHANGE, "{do}", what), move |random| {
            let word = word(random);
            let answer = change(word);
            (!answer.is_empty()).then(|| Example::one(word, answer))
        });
    }
    for (name, how, separator) in [
        ("join-nothing", "without spaces", ""),
        ("join-plus", "with plus signs", "+"),
        ("join-commas", "with a comma and a space", ", "),
        ("join-slashes", "with slashes", "/"),
    ] {
        catalogue.draw(name, &fill(&JOIN, "{how}", how), move |random| {
            let line = line(random, 2, 4);
            Some(Example::one(&line, line.replace(' ', separator)))
        });
    }
}

fn is_vowel(letter: char) -> bool {
    "aeiou".contains(letter)
}

fn spelled(word: &str, separator: &str) -> String {
    let letters: Vec<String> = word.chars().map(String::from).collect();
    letters.join(separator)
}
