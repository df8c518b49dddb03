//! Translating words between English and four languages.

use super::super::catalogue::{Catalogue, fill};
use super::super::words::{pairs, translations};

const INTO: [&str; 5] = [
    "What is \"{0}\" in {language}?",
    "Translate into {language}: {0}",
    "How do you say {0} in {language}?",
    "Give the {language} word for {0}.",
    "English: {0}\n{language}?",
];
const FROM: [&str; 5] = [
    "What does the {language} word {0} mean in English?",
    "Translate from {language} into English: {0}",
    "How do you say the {language} word \"{0}\" in English?",
    "Give the English word for {0}, which is {language}.",
    "{language}: {0}\nEnglish?",
];
const WHICH: [&str; 5] = [
    "Is the word {0} French, Spanish, Italian or German?",
    "Name the language of {0}: French, Spanish, Italian or German.",
    "{0}\nFrench, Spanish, Italian or German?",
    "To which language does \"{0}\" belong, French, Spanish, Italian or German?",
    "Which is it, French, Spanish, Italian or German? {0}",
];
/// In the order of the table's columns.
const LANGUAGES: [&str; 4] = ["French", "Spanish", "Italian", "German"];

/// English words with their translations.
fn rows() -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
    pairs(translations::WORDS)
        .into_iter()
        .map(|(english, others)| (english, others.split_whitespace().collect()))
}

/// Adds the family.
pub(super) fn add(catalogue: &mut Catalogue) {
    catalogue.family("translation");
    for (column, language) in LANGUAGES.into_iter().enumerate() {
        let short = language.to_lowercase();
        catalogue.table(
            &format!("to-{short}"),
            &fill(&INTO, "{language}", language),
            rows().filter_map(|(english, others)| Some((english, *others.get(column)?))),
        );
        // A word with two English translations would have two right answers.
        let count = |word: &str| {
            rows()
                .filter(|(_, others)| others.get(column) == Some(&word))
                .count()
        };
        catalogue.table(
            &format!("from-{short}"),
            &fill(&FROM, "{language}", language),
            rows().filter_map(|(english, others)| {
                let word = *others.get(column)?;
                (count(word) == 1).then_some((word, english))
            }),
        );
    }
    // Leave out words that occur in two languages.
    let words: Vec<(&str, &str)> = rows()
        .flat_map(|(_, others)| others.into_iter().zip(LANGUAGES))
        .collect();
    let unique = words.iter().copied().filter(|(word, language)| {
        words
            .iter()
            .all(|(other, theirs)| other != word || theirs == language)
    });
    catalogue.table("language-of-word", &WHICH, unique.collect::<Vec<_>>());
}
