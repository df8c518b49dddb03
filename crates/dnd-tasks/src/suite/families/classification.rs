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

/// Articles: name, question, and the names of the topics of [`messages::NEWS`].
const ARTICLES: [(&str, &str, [&str; 4]); 3] = [
    (
        "article-topic",
        "What is this article about?",
        ["sport", "politics", "weather", "business"],
    ),
    (
        "article-reader",
        "Who will read this article first?",
        ["sports fans", "voters", "farmers", "investors"],
    ),
    (
        "article-code",
        "Which code does the article get?",
        ["SPO", "POL", "WEA", "BUS"],
    ),
];

/// Phrasings that ask for the class of a longer text, most of them behind it.
const ASK_BEHIND: [&str; 8] = [
    "{0}\n\n{question} Answer {labels}.",
    "{0}\n{question} Choose {labels}.",
    "{0} {question} ({labels})",
    "Article: {0}\n{question} Say {labels}.",
    "{0}\n\nAnswer with {labels}: {question}",
    "Read this: {0}\n\n{question} It is {labels}.",
    "{question} Answer with {labels}.\n\n{0}",
    "{question} ({labels})\n{0}",
];

/// Name, labelled sentences, question, and names that replace the labels, in the same order;
/// empty to keep the labels.
type Classes = (
    &'static str,
    &'static [Labelled],
    &'static str,
    &'static [&'static str],
);

const MESSAGES: [Classes; 37] = [
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
    (
        "sentiment-film-yes",
        &opinions::FILMS,
        "Would the writer see the film again?",
        &["yes", "no"],
    ),
    (
        "sentiment-film-capital",
        &opinions::FILMS,
        "What is the writer's opinion of the film?",
        &["Positive", "Negative"],
    ),
    (
        "sentiment-film-good",
        &opinions::FILMS,
        "How does the writer find the film?",
        &["good", "bad"],
    ),
    (
        "sentiment-film-advice",
        &opinions::FILMS,
        "Does the writer recommend it?",
        &["recommended", "not recommended"],
    ),
    (
        "sentiment-meal-yes",
        &opinions::MEALS,
        "Did the guest enjoy the visit?",
        &["Yes", "No"],
    ),
    (
        "sentiment-meal-truth",
        &opinions::MEALS,
        "Is it true that the guest is satisfied?",
        &["True", "False"],
    ),
    (
        "sentiment-meal-stars",
        &opinions::MEALS,
        "How many stars would the guest give?",
        &["five stars", "one star"],
    ),
    (
        "topic-heading",
        &messages::NEWS,
        "What does the news treat?",
        &[
            "Sports News",
            "World Politics",
            "Weather Report",
            "Money and Business",
        ],
    ),
    (
        "topic-capital",
        &messages::NEWS,
        "Which subject is this about?",
        &["Sport", "Politics", "Weather", "Business"],
    ),
    (
        "topic-number",
        &messages::NEWS,
        "Which number has its topic: sport 1, politics 2, weather 3, business 4?",
        &["1", "2", "3", "4"],
    ),
    (
        "topic-desk",
        &messages::NEWS,
        "Which desk of the paper wrote it?",
        &[
            "sports desk",
            "political desk",
            "weather desk",
            "business desk",
        ],
    ),
    (
        "urgency-yes",
        &messages::NOTES,
        "Is the message urgent?",
        &["yes", "no"],
    ),
    (
        "urgency-level",
        &messages::NOTES,
        "Which priority does it get?",
        &["High", "Low"],
    ),
    (
        "spam-yes",
        &messages::MAILS,
        "Is the mail spam?",
        &["Yes", "No"],
    ),
    (
        "spam-truth",
        &messages::MAILS,
        "Is it an unwanted mail?",
        &["true", "false"],
    ),
    (
        "negated-truth",
        &sentence_kinds::NEGATIONS,
        "Does the sentence deny something?",
        &["True", "False"],
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
    add_articles(catalogue);
}

/// Adds classes of texts of several sentences.
fn add_articles(catalogue: &mut Catalogue) {
    for (name, question, names) in ARTICLES {
        let phrasings = fill(&ASK_BEHIND, "{question}", question);
        let phrasings = fill(&phrasings, "{labels}", &choice(&names));
        catalogue.draw(name, &phrasings, move |random| {
            let place = random.index(names.len());
            let count = random.between(2, 3) as usize;
            let sentences = random.sample(messages::NEWS[place].1, count);
            let sentences = sentences.into_iter();
            let text: Vec<String> = sentences
                .map(|sentence| expand(sentence, "", random).0)
                .collect();
            Some(Example::one(text.join(" "), names[place]))
        });
    }
}

/// Joins names as `a, b or c`.
pub(super) fn choice(names: &[&str]) -> String {
    match names {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        _ => names.concat(),
    }
}
