//! Questions whose answers the prompt does not list: what is usual has to be known.

use super::super::catalogue::{Catalogue, Example, fill};
use super::super::words::categories::CATEGORIES;
use super::super::words::messages::{self, Labelled};
use super::super::words::sentences::{draw_slots, expand, fill_slots};
use super::super::words::{knowledge, opinions, pairs, sentence_kinds, translations, words};
use super::member;

const SENTIMENT: [&str; 10] = [
    "What is the sentiment of this {text}? {0}",
    "{0}\nSentiment?",
    "Classify the sentiment: {0}",
    "Here is a {text}: {0}\nWhich sentiment does it express?",
    "Determine the sentiment of the following {text}.\n{0}",
    "{0}\n\nWhat is the sentiment expressed here?",
    "Sentiment analysis of a {text}: {0}",
    "Read the {text} and name its sentiment. {0}",
    "{0} What is the overall sentiment?",
    "Label the sentiment of the {text}: {0}",
];

const ASK: [&str; 8] = [
    "{question} {0}",
    "{0}\n{question}",
    "{0}\n\n{question}",
    "Text: {0}\n{question}",
    "Read this: {0}\n{question}",
    "{question}\n\n{0}",
    "Here is a text: {0}\nQuestion: {question}",
    "Answer the question about the text. {question}\n{0}",
];

/// Opinions: part of task names, what they are called, the tables.
const OPINIONS: [(&str, &str, &[&[Labelled; 2]]); 4] = [
    ("film", "film review", &[&opinions::FILMS]),
    ("meal", "restaurant review", &[&opinions::MEALS]),
    ("device", "customer's opinion", &[&opinions::DEVICES]),
    (
        "any",
        "text",
        &[&opinions::FILMS, &opinions::MEALS, &opinions::DEVICES],
    ),
];

/// Questions about opinions: part of task names, the question, the answer to good and bad ones.
const ABOUT_OPINIONS: [(&str, &str, [&str; 2]); 5] = [
    ("liked", "Did they like it?", ["yes", "no"]),
    (
        "recommended",
        "Would the writer recommend it?",
        ["yes", "no"],
    ),
    ("complaint", "Is this a complaint?", ["no", "yes"]),
    ("pleased", "Is the writer pleased?", ["Yes", "No"]),
    ("attitude", "Is the attitude favourable?", ["Yes", "No"]),
];

/// Name, labelled sentences, question; the label is the answer.
#[rustfmt::skip]
const LABELS: [(&str, &[Labelled], &str); 12] = [
    ("news-topic", &messages::NEWS, "What is this news about?"),
    ("news-field", &messages::NEWS, "To which field does the news belong?"),
    ("emotion", &messages::FEELINGS, "Which emotion does the text express?"),
    ("feeling-of-writer", &messages::FEELINGS, "Which feeling does the writer show?"),
    ("customer-wish", &messages::REQUESTS, "What does the customer write about?"),
    ("home-device", &messages::HOME, "What is this command about?"),
    ("mail-kind", &messages::MAILS, "What kind of e-mail is this?"),
    ("sentence-type", &sentence_kinds::KINDS, "What type of sentence is this?"),
    ("sentence-tense", &sentence_kinds::TENSES, "Which tense is the sentence in?"),
    ("sentence-tone", &sentence_kinds::TONES, "What is the tone of the text?"),
    ("sentence-voice", &sentence_kinds::VOICES, "Which voice does the sentence use?"),
    ("note-urgency", &messages::NOTES, "Which priority does the note have?"),
];

/// Name, labelled sentences, question; yes is the answer for this label alone.
#[rustfmt::skip]
const YES_NO: [(&str, &[Labelled], &str, &str); 18] = [
    ("is-sport", &messages::NEWS, "sport", "Is this news about sport?"),
    ("is-politics", &messages::NEWS, "politics", "Is it a political topic?"),
    ("is-weather", &messages::NEWS, "weather", "Does it concern the weather?"),
    ("is-business", &messages::NEWS, "business", "Is the text about the economy?"),
    ("is-joy", &messages::FEELINGS, "joy", "Is the writer happy?"),
    ("is-anger", &messages::FEELINGS, "anger", "Is somebody angry here?"),
    ("is-fear", &messages::FEELINGS, "fear", "Is the writer afraid?"),
    ("is-sadness", &messages::FEELINGS, "sadness", "Does the text sound sad?"),
    ("wants-money", &messages::REQUESTS, "refund", "Does the customer want money back?"),
    ("asks-delivery", &messages::REQUESTS, "delivery", "Is it about a delivery?"),
    ("about-account", &messages::REQUESTS, "account", "Does it concern the customer's account?"),
    ("is-praise", &messages::REQUESTS, "praise", "Does the customer praise us?"),
    ("is-junk", &messages::MAILS, "spam", "Is this message spam?"),
    ("is-pressing", &messages::NOTES, "urgent", "Does this have to be done at once?"),
    ("is-question", &sentence_kinds::KINDS, "question", "Is this a question?"),
    ("is-command", &sentence_kinds::KINDS, "command", "Does the sentence give an order?"),
    ("is-past", &sentence_kinds::TENSES, "past", "Is it about the past?"),
    ("is-future", &sentence_kinds::TENSES, "future", "Will it happen later?"),
];

/// Sentences that say the same with the same values.
const SAME: [&[&str]; 4] = [
    &[
        "[name] bought a [thing] in [city].",
        "In [city], [name] bought a [thing].",
        "A [thing] was bought by [name] in [city].",
    ],
    &[
        "What does a [device] cost in [city]?",
        "How much do you pay for a [device] in [city]?",
        "What is the price of a [device] in [city]?",
    ],
    &[
        "How can I become a [profession] in [country]?",
        "What do I have to do to be a [profession] in [country]?",
        "Which steps make me a [profession] in [country]?",
    ],
    &[
        "[name] has been afraid of the [animal] since [weekday].",
        "Since [weekday] the [animal] has frightened [name].",
        "It was [weekday] when [name] began to fear the [animal].",
    ],
];

/// Adds the family.
pub(super) fn add(catalogue: &mut Catalogue) {
    catalogue.family("unstated");
    for (part, text, tables) in OPINIONS {
        let name = format!("usual-sentiment-{part}");
        let phrasings = fill(&SENTIMENT, "{text}", text);
        add_opinions(
            catalogue,
            &name,
            &phrasings,
            tables,
            ["positive", "negative"],
        );
        for (question, words, answers) in ABOUT_OPINIONS {
            let name = format!("usual-{question}-{part}");
            let phrasings = fill(&ASK, "{question}", words);
            add_opinions(catalogue, &name, &phrasings, tables, answers);
        }
    }
    for (name, classes, question) in LABELS {
        let phrasings = fill(&ASK, "{question}", question);
        catalogue.draw(&format!("usual-{name}"), &phrasings, move |random| {
            let (label, sentences) = random.pick(classes);
            let (text, _) = expand(random.pick(sentences), "", random);
            Some(Example::one(text, label))
        });
    }
    for (name, classes, label, question) in YES_NO {
        let phrasings = fill(&ASK, "{question}", question);
        catalogue.draw(&format!("usual-{name}"), &phrasings, move |random| {
            let is_wanted = random.coin();
            let fitting: Vec<Labelled> = classes
                .iter()
                .filter(|(other, _)| (*other == label) == is_wanted)
                .copied()
                .collect();
            let (_, sentences) = random.pick(&fitting);
            let (text, _) = expand(random.pick(sentences), "", random);
            Some(Example::one(text, if is_wanted { "yes" } else { "no" }))
        });
    }
    add_words(catalogue);
    add_pairs(catalogue);
}

fn add_opinions(
    catalogue: &mut Catalogue,
    name: &str,
    phrasings: &[String],
    tables: &'static [&'static [Labelled; 2]],
    answers: [&'static str; 2],
) {
    catalogue.draw(name, phrasings, move |random| {
        let place = random.index(2);
        let (_, sentences) = random.pick(tables)[place];
        let (text, _) = expand(random.pick(sentences), "", random);
        Some(Example::one(text, answers[place]))
    });
}

/// Questions about single words.
fn add_words(catalogue: &mut Catalogue) {
    let kinds: Vec<_> = CATEGORIES
        .iter()
        .filter(|category| category.takes_an_article() && category.name != "body")
        .collect();
    let asked = [
        "What kind of thing is this? {0}",
        "Word: {0}\nWhat is it?",
        "To which category does {0} belong?",
        "Name the general term for {0}.",
        "{0} is a kind of what?",
        "Category of {0}?",
    ];
    catalogue.draw("usual-kind", &asked, move |random| {
        let kind = random.pick(&kinds);
        Some(Example::one(member(random, kind), kind.name))
    });
    let asked = [
        "Which language is this word from? {0}",
        "Word: {0}\nLanguage?",
        "In which language does one say {0}?",
        "Name the language of the word \"{0}\".",
        "{0}: which language is it?",
        "Detect the language: {0}",
    ];
    catalogue.draw("usual-language", &asked, |random| {
        let languages = ["French", "Spanish", "Italian", "German"];
        let place = random.index(languages.len());
        let rows = pairs(translations::WORDS);
        let word = *words(random.pick(&rows).1).get(place)?;
        // Short words, and those of several languages, do not tell.
        let forms = rows
            .iter()
            .flat_map(|(english, row)| words(row).into_iter().chain([*english]));
        let is_clear = word.chars().count() > 3 && forms.filter(|form| *form == word).count() == 1;
        is_clear.then(|| Example::one(word, languages[place]))
    });
    for (name, table, statement) in [
        ("capital", knowledge::CAPITALS, "{1} is the capital of {0}."),
        ("continent", knowledge::CONTINENTS, "{0} lies in {1}."),
        (
            "symbol",
            knowledge::ELEMENTS,
            "The chemical symbol of {0} is {1}.",
        ),
        (
            "nationality",
            knowledge::NATIONALITIES,
            "People from {0} are {1}.",
        ),
    ] {
        let rows = pairs(table);
        for (answers, question) in [
            (["yes", "no"], "Is this right?"),
            (["true", "false"], "Judge this statement."),
        ] {
            let rows = rows.clone();
            let phrasings = fill(&ASK, "{question}", question);
            let name = format!("usual-{}-{name}", answers[0]);
            catalogue.draw(&name, &phrasings, move |random| {
                let place = random.index(rows.len());
                let (left, right) = rows[place];
                // One wrong claim for each row, so that half of all claims are right.
                let others = rows.iter().cycle().skip(place + 7).take(rows.len());
                let (_, other) = *others.clone().find(|(_, other)| *other != right)?;
                let is_true = random.coin();
                let named = if is_true { right } else { other };
                let text = statement.replace("{0}", left).replace("{1}", named);
                Some(Example::one(text, answers[usize::from(!is_true)]))
            });
        }
    }
}

/// Whether two sentences say the same.
fn add_pairs(catalogue: &mut Catalogue) {
    for (name, answers, question) in [
        ("same-meaning", ["yes", "no"], "Do both say the same?"),
        (
            "duplicates",
            ["yes", "no"],
            "Are they duplicates in meaning?",
        ),
        (
            "same-meaning-capital",
            ["Yes", "No"],
            "Are the two equivalent?",
        ),
    ] {
        let asked = [
            "{question}\n{0}\n{1}",
            "{0}\n{1}\n{question}",
            "First: {0}\nSecond: {1}\n{question}",
            "\"{0}\" and \"{1}\" {question}",
            "{question} First sentence: {0} Second sentence: {1}",
        ];
        let phrasings = fill(&asked, "{question}", question);
        catalogue.draw(&format!("usual-{name}"), &phrasings, move |random| {
            let group = random.pick(&SAME);
            let wordings = random.sample(group, 2);
            let is_same = random.coin();
            let first = draw_slots(wordings[0], random);
            let mut second = first.clone();
            if !is_same {
                // They differ in one value.
                let place = random.index(second.len());
                second[place].1 = draw_slots(wordings[0], random)[place].1.clone();
            }
            let texts = [(wordings[0], &first), (wordings[1], &second)];
            let texts = texts.map(|(wording, values)| fill_slots(wording, values));
            let answer = answers[usize::from(!is_same)];
            (is_same || first != second).then(|| Example::many(texts, answer))
        });
    }
}
