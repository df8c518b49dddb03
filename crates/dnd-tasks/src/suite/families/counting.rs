//! Counting letters, words, items, and members of a category.

use super::super::catalogue::{Catalogue, Example, fill};
use super::super::words::{categories, words};
use super::numerals::number_words;
use super::{capitalised, line, list, word};

const IN_WORD: [&str; 5] = [
    "How many {things} has the word {0}?",
    "Count the {things} of {0}.",
    "Word: {0}\nNumber of {things}?",
    "Give the number of {things} in \"{0}\".",
    "Count {things}: {0}",
];
const IN_WORD_AS_WORD: [&str; 5] = [
    "How many {things} has the word {0}? Write the number as a word.",
    "Count the {things} of {0} and answer with a number word.",
    "Word: {0}\nNumber of {things}, spelled out?",
    "Give the number of {things} in \"{0}\" in words.",
    "Count {things}, answer in words: {0}",
];
const LETTER: [&str; 5] = [
    "How many times does the letter {1} occur in {0}?",
    "Count the letter {1} in the word {0}.",
    "Word: {0}\nHow often does it have the letter {1}?",
    "How many {1} are in \"{0}\"?",
    "Give the number of {1}'s in {0}.",
];
const IN_LINE: [&str; 5] = [
    "How many {things} are in this line? {0}",
    "Count the {things}: {0}",
    "{0}\nNumber of {things}?",
    "Give the number of {things} here: {0}",
    "Line: {0}\nHow many {things} does it have?",
];
const REPEATED: [&str; 5] = [
    "How many times does {1} occur in this line? {0}",
    "Count the word {1}: {0}",
    "{0}\nHow often is {1} written here?",
    "Give the number of times that {1} occurs: {0}",
    "Line: {0}\nHow many of its words are {1}?",
];
const MEMBERS: [&str; 5] = [
    "How many words in this list name {phrase}? {0}",
    "Count the words that name {phrase}: {0}",
    "List: {0}\nHow many items are each {phrase}?",
    "{0}\nHow many of them would you call {phrase}?",
    "Go through the list and count every {label}: {0}",
];

/// Adds the family.
pub(super) fn add(catalogue: &mut Catalogue) {
    catalogue.family("counting");
    let is_vowel = |letter: char| "aeiou".contains(letter);
    catalogue.draw(
        "count-letters-as-word",
        &fill(&IN_WORD_AS_WORD, "{things}", "letters"),
        |random| {
            let word = word(random);
            Some(Example::one(word, number_words(word.len() as u64)))
        },
    );
    catalogue.draw(
        "count-letters",
        &fill(&IN_WORD, "{things}", "letters"),
        |random| {
            let word = word(random);
            Some(Example::one(word, word.len()))
        },
    );
    let vowels = fill(&IN_WORD, "{things}", "vowels (a, e, i, o, u)");
    catalogue.draw("count-vowels", &vowels, move |random| {
        let word = word(random);
        Some(Example::one(
            word,
            word.chars().filter(|c| is_vowel(*c)).count(),
        ))
    });
    let consonants = fill(&IN_WORD, "{things}", "consonants (not a, e, i, o, u)");
    catalogue.draw("count-consonants", &consonants, move |random| {
        let word = word(random);
        Some(Example::one(
            word,
            word.chars().filter(|c| !is_vowel(*c)).count(),
        ))
    });
    catalogue.draw("count-given-letter", &LETTER, |random| {
        let word = word(random);
        let place = random.index(word.len());
        let letter = &word[place..=place];
        let count = word.matches(letter).count();
        // Most letters of a word occur once. Reject most of those to balance the answers.
        (count > 1 || random.below(4) == 0).then(|| Example::many([word, letter], count))
    });
    catalogue.draw(
        "count-words",
        &fill(&IN_LINE, "{things}", "words"),
        |random| {
            let line = line(random, 2, 8);
            Some(Example::one(&line, line.split(' ').count()))
        },
    );
    catalogue.draw(
        "count-items",
        &fill(&IN_LINE, "{things}", "items between commas"),
        |random| {
            let items = list(random, 2, 8);
            Some(Example::one(items.join(", "), items.len()))
        },
    );
    catalogue.draw("count-repeated-word", &REPEATED, |random| {
        let words = list(random, 2, 3);
        let count = random.between(4, 7) as usize;
        let line: Vec<&str> = (0..count).map(|_| random.pick(&words)).collect();
        let answer = line.iter().filter(|word| **word == words[0]).count();
        Some(Example::many([&line.join(" "), words[0]], answer))
    });
    catalogue.draw(
        "count-capitals",
        &fill(&IN_LINE, "{things}", "capital letters"),
        |random| {
            let words: Vec<String> = list(random, 3, 6)
                .into_iter()
                .map(|word| {
                    if random.coin() {
                        capitalised(word)
                    } else {
                        word.to_owned()
                    }
                })
                .collect();
            let answer = words
                .iter()
                .filter(|word| word.starts_with(char::is_uppercase))
                .count();
            Some(Example::one(words.join(" "), answer))
        },
    );
    catalogue.draw(
        "count-digits",
        &fill(&IN_LINE, "{things}", "digits"),
        |random| {
            let count = random.between(1, 8);
            let number: String = (0..count).map(|_| random.below(10).to_string()).collect();
            let line = format!("{} {number} {}", word(random), word(random));
            Some(Example::one(line, count))
        },
    );
    for name in ["animal", "fruit", "colour", "country"] {
        add_members(catalogue, name);
    }
}

/// Adds a task that counts the members of a category in a mixed list.
fn add_members(catalogue: &mut Catalogue, name: &str) {
    let Some(category) = categories::named(name) else {
        return;
    };
    let phrasings = fill(
        &fill(&MEMBERS, "{phrase}", category.phrase),
        "{label}",
        category.label(),
    );
    catalogue.draw(&format!("count-{name}"), &phrasings, move |random| {
        let members = random.between(0, 4) as usize;
        let mut items = random.sample(&words(category.words), members);
        let rivals: Vec<&str> = category
            .rivals()
            .flat_map(|rival| words(rival.words))
            .collect();
        let others = random.between(1, 3) as usize;
        items.extend(random.sample(&rivals, others));
        random.shuffle(&mut items);
        Some(Example::one(items.join(", "), members))
    });
}
