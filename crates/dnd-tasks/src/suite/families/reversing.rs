//! Reversing, swapping and repeating.

use super::super::catalogue::{Catalogue, Example, fill};
use super::super::style::Style;
use super::{line, list, word};

const REVERSE: [&str; 5] = [
    "Write {what} backwards: {0}",
    "Reverse {what}: {0}",
    "{0}\nTurn {what} round.",
    "In reverse order, how do you write {what}? {0}",
    "Give {what} from back to front: {0}",
];
const EXCHANGE: [&str; 5] = [
    "Exchange {what}: {0}",
    "Swap {what}: {0}",
    "{0}\nLet {what} change places.",
    "Write this again with {what} swapped: {0}",
    "Give this back after exchanging {what}: {0}",
];
const REPEAT: [&str; 5] = [
    "Write {what} twice, with a space between: {0}",
    "Repeat {what}: {0}",
    "{0}\nSay {what} two times.",
    "Double {what}: {0}",
    "Give {what} two times in a row: {0}",
];

/// Adds the family.
pub(super) fn add(catalogue: &mut Catalogue) {
    catalogue.family("reversing");
    let styles = [Style::Upper];
    let words = fill(&REVERSE, "{what}", "the letters of the word");
    catalogue.draw_in_styles("reverse-word", &words, &styles, |random| {
        let word = word(random);
        (word.len() < 7).then(|| Example::one(word, String::from_iter(word.chars().rev())))
    });
    catalogue.draw(
        "reverse-list",
        &fill(&REVERSE, "{what}", "the list"),
        |random| {
            let mut items = list(random, 3, 5);
            let input = items.join(", ");
            items.reverse();
            Some(Example::one(input, items.join(", ")))
        },
    );
    catalogue.draw(
        "reverse-line",
        &fill(&REVERSE, "{what}", "the words of the line"),
        |random| {
            let line = line(random, 3, 5);
            let words: Vec<&str> = line.rsplit(' ').collect();
            Some(Example::one(&line, words.join(" ")))
        },
    );
    catalogue.draw(
        "reverse-digits",
        &fill(&REVERSE, "{what}", "the digits"),
        |random| {
            let number = random.between(102, 99_999);
            let answer = String::from_iter(number.to_string().chars().rev());
            (number % 10 > 0).then(|| Example::one(number, answer))
        },
    );
    catalogue.draw(
        "swap-pair",
        &fill(&EXCHANGE, "{what}", "the two words"),
        |random| {
            let words = list(random, 2, 2);
            Some(Example::one(
                words.join(" "),
                [words[1], words[0]].join(" "),
            ))
        },
    );
    let ends = fill(&EXCHANGE, "{what}", "the first and the last item");
    catalogue.draw("swap-ends", &ends, |random| {
        let mut items = list(random, 3, 5);
        let input = items.join(", ");
        let last = items.len() - 1;
        items.swap(0, last);
        Some(Example::one(input, items.join(", ")))
    });
    let letters = fill(&EXCHANGE, "{what}", "the first and the last letter");
    catalogue.draw("swap-end-letters", &letters, |random| {
        let word = word(random);
        let mut letters: Vec<char> = word.chars().collect();
        let last = letters.len() - 1;
        letters.swap(0, last);
        Some(Example::one(word, String::from_iter(letters)))
    });
    catalogue.draw(
        "repeat-word",
        &fill(&REPEAT, "{what}", "the word"),
        |random| {
            let word = word(random);
            Some(Example::one(word, format!("{word} {word}")))
        },
    );
    catalogue.draw(
        "repeat-last",
        &fill(&REPEAT, "{what}", "the last word of the line"),
        |random| {
            let line = line(random, 2, 4);
            let last = line.rsplit(' ').next()?;
            Some(Example::one(&line, format!("{last} {last}")))
        },
    );
}
