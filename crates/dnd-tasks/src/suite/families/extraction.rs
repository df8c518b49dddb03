//! Extracting one detail from a sentence that has several.

use super::super::catalogue::{Catalogue, Example, fill};
use super::super::style::Style;
use super::super::words::sentences::expand;

const FIND: [&str; 6] = [
    "{question} {0}",
    "Text: {0}\n{question}",
    "Read this and answer. {0} {question}",
    "{0}\n{question}",
    "{question} Take the answer from this sentence: {0}",
    "Sentence: {0}\nQuestion: {question}",
];

/// Sentences about something bought.
const SALES: &str = "\
    On [weekday] [name] bought a [colour] [thing] in [city] for [price].|\
    [name] from [city] sold a [colour] [thing] for [price] last [weekday].|\
    Last [weekday] a [colour] [thing] was stolen from [name] in [city]; it had cost [price].|\
    In [city], [name] paid [price] for a [colour] [thing] on [weekday].|\
    For [price], [name] found a [colour] [thing] on [weekday] at the market of [city].|\
    The [colour] [thing] that [name] ordered on [weekday] from a shop in [city] costs [price].|\
    A shop in [city] repaired the [colour] [thing] of [name] on [weekday] for [price].";
/// Sentences about someone at work.
const WORK: &str = "\
    At [time] the [profession] [name] left [firm] by [vehicle] and saw a [animal].|\
    [name], a [profession] at [firm], takes the [vehicle] at [time] and owns a [animal].|\
    The [profession] of [firm] is called [name], drives a [vehicle], keeps a [animal] \
    and wakes at [time].|\
    [firm] hired [name] as a [profession]; at [time] a [animal] jumped onto the [vehicle].|\
    A [animal] stopped the [vehicle] of [name], who is a [profession] with [firm], at [time].|\
    By [vehicle], [name] reached [firm] at [time] to see the [profession] about a [animal].";

/// Name, slot, sentences, question.
const DETAILS: [(&str, &str, &str, &str); 12] = [
    ("find-buyer", "name", SALES, "Which person is named?"),
    ("find-city", "city", SALES, "Which city is it about?"),
    (
        "find-weekday",
        "weekday",
        SALES,
        "On which weekday did it happen?",
    ),
    (
        "find-colour",
        "colour",
        SALES,
        "Which colour does the thing have?",
    ),
    (
        "find-thing",
        "thing",
        SALES,
        "Which thing is it about, without its colour?",
    ),
    ("find-price", "price", SALES, "What is the price?"),
    ("find-worker", "name", WORK, "What is the person called?"),
    (
        "find-profession",
        "profession",
        WORK,
        "Which profession is named?",
    ),
    ("find-company", "firm", WORK, "Which company is named?"),
    ("find-time", "time", WORK, "Which time is given?"),
    ("find-vehicle", "vehicle", WORK, "Which vehicle is named?"),
    ("find-animal", "animal", WORK, "Which animal is named?"),
];

/// Adds the family.
pub(super) fn add(catalogue: &mut Catalogue) {
    catalogue.family("extraction");
    for (name, detail, sentences, question) in DETAILS {
        let sentences: Vec<&str> = sentences.split('|').collect();
        let styles: &[Style] = match name {
            "find-buyer" => &[Style::Upper, Style::Json],
            "find-city" => &[Style::Sentence, Style::Json],
            "find-colour" => &[Style::Labelled],
            "find-animal" => &[Style::Quoted],
            _ => &[],
        };
        catalogue.draw_in_styles(
            name,
            &fill(&FIND, "{question}", question),
            styles,
            move |random| {
                let sentence = random.pick(&sentences);
                let (text, answer) = expand(sentence, detail, random);
                Some(Example::one(text, answer?))
            },
        );
    }
}
