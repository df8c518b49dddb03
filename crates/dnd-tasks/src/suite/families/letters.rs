//! Letters of a word by position, in upper or lower case.

use super::super::catalogue::{Catalogue, Example, fill};
use super::super::random::Random;
use super::super::style::Style;
use super::word;

const UPPER: [&str; 6] = [
    "What is the {place} letter of \"{0}\", as a capital?",
    "Give the {place} letter of the word {0} in upper case.",
    "Write the {place} letter of {0} as a capital letter.",
    "Word: {0}\nWhich capital letter is its {place}?",
    "Take the word {0} and name its {place} letter in upper case.",
    "In capitals, what is the {place} letter of {0}?",
];
const LOWER: [&str; 6] = [
    "What is the {place} letter of \"{0}\", as a small letter?",
    "Give the {place} letter of the word {0} in lower case.",
    "Write the {place} letter of {0} as a small letter.",
    "Word: {0}\nWhich small letter is its {place}?",
    "Take the word {0} and name its {place} letter in lower case.",
    "In small letters, what is the {place} letter of {0}?",
];
const PART: [&str; 6] = [
    "Give {part} of the word {0}.",
    "What {verb} {part} of \"{0}\"?",
    "Write {part} of {0}.",
    "Word: {0}\nWrite {part}.",
    "Take the word {0} and give {part}.",
    "Name {part} of this word: {0}",
];
const REST: [&str; 5] = [
    "Write {0} without its {part} letter.",
    "Leave out the {part} letter of the word {0}.",
    "Word: {0}\nDrop its {part} letter.",
    "What remains of \"{0}\" without its {part} letter?",
    "Remove the {part} letter of {0}.",
];
const PLACE_OF: [&str; 5] = [
    "At which place does the letter {1} stand in {0}?",
    "Which position has the letter {1} in the word {0}?",
    "Word: {0}\nCount to the letter {1}. Which number is it?",
    "Give the position of {1} in \"{0}\", counted from 1.",
    "Where in {0} is the letter {1}? Answer with a number.",
];
const NEIGHBOUR: [&str; 5] = [
    "Which letter stands right {side} {1} in {0}?",
    "In the word {0}, which letter is right {side} the letter {1}?",
    "Word: {0}\nGive the letter directly {side} {1}.",
    "Name the letter directly {side} {1} in \"{0}\".",
    "What letter comes right {side} {1} in the word {0}?",
];

type Place = fn(&[u8]) -> Option<u8>;

/// Adds the family.
pub(super) fn add(catalogue: &mut Catalogue) {
    catalogue.family("letters");
    let places: [(&str, &str, Place); 6] = [
        ("first", "first", |word| word.first().copied()),
        ("second", "second", |word| word.get(1).copied()),
        ("third", "third", |word| word.get(2).copied()),
        ("last", "last", |word| word.last().copied()),
        ("last-but-one", "last but one", |word| {
            word.get(word.len().checked_sub(2)?).copied()
        }),
        ("middle", "middle", |word| {
            (word.len() % 2 == 1).then(|| word[word.len() / 2])
        }),
    ];
    for (name, phrase, place) in places {
        let styles: &[Style] = match name {
            "first" => &[Style::Sentence, Style::Quoted],
            "last" => &[Style::Sentence],
            _ => &[],
        };
        catalogue.draw_in_styles(
            &format!("letter-{name}-upper"),
            &fill(&UPPER, "{place}", phrase),
            styles,
            move |random| letter(random, place, false),
        );
        catalogue.draw(
            &format!("letter-{name}-lower"),
            &fill(&LOWER, "{place}", phrase),
            move |random| letter(random, place, true),
        );
    }
    add_parts(catalogue);
    add_places(catalogue);
}

/// The letter at `place`. The word is in upper case if the answer is lower case, so that the
/// letter cannot be copied.
fn letter(random: &mut Random, place: Place, small: bool) -> Option<Example> {
    let word = word(random);
    let letter = char::from(place(word.as_bytes())?);
    Some(if small {
        Example::one(word.to_uppercase(), letter)
    } else {
        Example::one(word, letter.to_ascii_uppercase())
    })
}

fn add_parts(catalogue: &mut Catalogue) {
    type Part = fn(&str) -> String;
    let parts: [(&str, &str, &str, Part); 6] = [
        ("letters-first-two", "the first two letters", "are", |w| {
            w[..2].to_owned()
        }),
        (
            "letters-first-three",
            "the first three letters",
            "are",
            |w| w[..3].to_owned(),
        ),
        ("letters-last-two", "the last two letters", "are", |w| {
            w[w.len() - 2..].to_owned()
        }),
        ("letters-last-three", "the last three letters", "are", |w| {
            w[w.len() - 3..].to_owned()
        }),
        (
            "letters-ends",
            "the first and the last letter",
            "are",
            |w| format!("{} {}", &w[..1], &w[w.len() - 1..]),
        ),
        ("letter-first-vowel", "the first vowel", "is", |w| {
            w.chars()
                .find(|c| "aeiou".contains(*c))
                .map_or_else(String::new, String::from)
        }),
    ];
    for (name, part, verb, take) in parts {
        let phrasings = fill(&fill(&PART, "{part}", part), "{verb}", verb);
        catalogue.draw(name, &phrasings, move |random| {
            let word = word(random);
            let answer = take(word);
            (word.len() > 3 && !answer.is_empty()).then(|| Example::one(word, answer))
        });
    }
    let rests: [(&str, &str, Part); 2] = [
        ("word-without-first", "first", |w| w[1..].to_owned()),
        ("word-without-last", "last", |w| w[..w.len() - 1].to_owned()),
    ];
    for (name, part, take) in rests {
        catalogue.draw(name, &fill(&REST, "{part}", part), move |random| {
            let word = word(random);
            Some(Example::one(word, take(word)))
        });
    }
}

/// A word, and the index of a letter that occurs in it once.
fn single_letter(random: &mut Random) -> Option<(&'static str, usize)> {
    let word = word(random);
    let place = random.index(word.len());
    let letter = word.as_bytes()[place];
    let count = word.bytes().filter(|other| *other == letter).count();
    (count == 1).then_some((word, place))
}

fn add_places(catalogue: &mut Catalogue) {
    catalogue.draw("letter-position", &PLACE_OF, |random| {
        let (word, place) = single_letter(random)?;
        Some(Example::many([word, &word[place..=place]], place + 1))
    });
    for (name, side, is_after) in [
        ("letter-following", "after", true),
        ("letter-preceding", "before", false),
    ] {
        catalogue.draw(name, &fill(&NEIGHBOUR, "{side}", side), move |random| {
            let (word, place) = single_letter(random)?;
            let other = if is_after {
                place + 1
            } else {
                place.checked_sub(1)?
            };
            let answer = word.get(other..=other)?;
            Some(Example::many([word, &word[place..=place]], answer))
        });
    }
}
