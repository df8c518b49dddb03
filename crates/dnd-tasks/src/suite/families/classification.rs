//! Classification of short messages. Several tasks ask different questions about the same
//! sentences, or the same question with other labels.

use super::super::catalogue::{Catalogue, Example, fill};
use super::super::style::Style;
use super::super::words::messages::{self, Labelled};
use super::super::words::sentences::expand;
use super::super::words::{opinions, sentence_kinds};

/// Phrasings that ask for a class.
pub(super) const ASK: [&str; 6] = [
    "{question} Answer {labels}. {0}",
    "{question} ({labels})\n{0}",
    "{0}\n{question} Choose {labels}.",
    "{question} Classify as {labels}: {0}",
    "Text: {0}\n{question} Say {labels}.",
    "Read this: {0} {question} Answer with {labels}.",
];

/// Name, labelled sentences, question, and names that replace the labels, in the same order;
/// empty to keep the labels.
type Classes = (
    &'static str,
    &'static [Labelled],
    &'static str,
    &'static [&'static str],
);

const MESSAGES: [Classes; 21] = [
    (
        "sentiment-film",
        &opinions::FILMS,
        "What does the writer think of the film?",
        &[],
    ),
    (
        "sentiment-film-sign",
        &opinions::FILMS,
        "Did the writer like the film?",
        &["+", "-"],
    ),
    (
        "sentiment-film-thumb",
        &opinions::FILMS,
        "Thumb up or down?",
        &["up", "down"],
    ),
    (
        "sentiment-meal",
        &opinions::MEALS,
        "What does the guest think of the restaurant?",
        &[],
    ),
    (
        "sentiment-meal-mood",
        &opinions::MEALS,
        "In which mood is the guest?",
        &["happy", "unhappy"],
    ),
    (
        "sentiment-meal-digit",
        &opinions::MEALS,
        "Will the guest come back?",
        &["1", "0"],
    ),
    (
        "sentiment-product",
        &opinions::DEVICES,
        "What does the customer think of the product?",
        &[],
    ),
    (
        "topic",
        &messages::NEWS,
        "What is the topic of this news?",
        &[],
    ),
    (
        "topic-letter",
        &messages::NEWS,
        "Which page does it belong to: S for sport, P for politics, \
        W for weather, B for business?",
        &["S", "P", "W", "B"],
    ),
    (
        "urgency",
        &messages::NOTES,
        "How urgent is this message?",
        &[],
    ),
    (
        "urgency-time",
        &messages::NOTES,
        "When does it have to be done?",
        &["now", "later"],
    ),
    ("spam", &messages::MAILS, "What kind of mail is it?", &[]),
    (
        "spam-folder",
        &messages::MAILS,
        "Into which folder does the mail go?",
        &["junk", "inbox"],
    ),
    (
        "sentence-kind",
        &sentence_kinds::KINDS,
        "Which kind of sentence is it?",
        &[],
    ),
    (
        "sentence-mark",
        &sentence_kinds::KINDS,
        "Which mark belongs at its end, with ! for commands?",
        &["?", ".", "!"],
    ),
    (
        "tense",
        &sentence_kinds::TENSES,
        "Which tense is used?",
        &[],
    ),
    (
        "tense-day",
        &sentence_kinds::TENSES,
        "When does it happen?",
        &["yesterday", "today", "tomorrow"],
    ),
    (
        "feeling",
        &messages::FEELINGS,
        "Which feeling is shown?",
        &[],
    ),
    (
        "request",
        &messages::REQUESTS,
        "What is the customer's message about?",
        &[],
    ),
    (
        "home-command",
        &messages::HOME,
        "Which part of the house is meant?",
        &[],
    ),
    (
        "tone",
        &sentence_kinds::TONES,
        "Which tone does the writer use?",
        &[],
    ),
];
const GRAMMAR: [Classes; 3] = [
    (
        "negated",
        &sentence_kinds::NEGATIONS,
        "Is the sentence negative?",
        &[],
    ),
    (
        "negated-yes-no",
        &sentence_kinds::NEGATIONS,
        "Does it deny something?",
        &["yes", "no"],
    ),
    (
        "voice",
        &sentence_kinds::VOICES,
        "Which voice is the verb in?",
        &[],
    ),
];

/// Adds the family.
pub(super) fn add(catalogue: &mut Catalogue) {
    catalogue.family("classification");
    for (name, classes, question, names) in MESSAGES.into_iter().chain(GRAMMAR) {
        let names: Vec<&str> = if names.is_empty() {
            classes.iter().map(|(label, _)| *label).collect()
        } else {
            names.to_vec()
        };
        let styles: &[Style] = match name {
            "sentiment-film" => &[Style::Upper, Style::Json],
            "topic" => &[Style::Upper],
            _ => &[],
        };
        let phrasings = fill(
            &fill(&ASK, "{question}", question),
            "{labels}",
            &choice(&names),
        );
        catalogue.draw_in_styles(name, &phrasings, styles, move |random| {
            let place = random.index(classes.len());
            let sentence = random.pick(classes[place].1);
            let (text, _) = expand(sentence, "", random);
            Some(Example::one(text, names[place]))
        });
    }
}

/// Joins names as `a, b or c`.
fn choice(names: &[&str]) -> String {
    match names {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        _ => names.concat(),
    }
}
