//! Classification of single words.

use super::super::catalogue::{Catalogue, fill};
use super::super::words::categories::named;
use super::super::words::{grammar, pairs, words};
use super::classification::ASK;

/// Adds to the `classification` family.
pub(super) fn add(catalogue: &mut Catalogue) {
    catalogue.family("classification");
    let of = |names: &str| -> Vec<&'static str> {
        names
            .split_whitespace()
            .filter_map(named)
            .flat_map(|category| words(category.words))
            .collect()
    };
    let singular_or_plural = pairs(grammar::PLURALS)
        .into_iter()
        .flat_map(|(singular, plural)| [(singular, "singular"), (plural, "plural")]);
    let present_or_past = pairs(grammar::VERBS)
        .into_iter()
        .flat_map(|(present, past)| [(present, "present"), (past, "past")]);
    let label = |words: Vec<&'static str>, label: &'static str| {
        words.into_iter().map(move |word| (word, label))
    };
    let class = label(of("fruit profession planet"), "noun")
        .chain(label(of("verb"), "verb"))
        .chain(label(of("adjective"), "adjective"))
        .chain(label(of("adverb"), "adverb"));
    let living = label(of("animal bird fish insect"), "living").chain(label(
        of("tool furniture clothing vehicle instrument"),
        "lifeless",
    ));
    let edible = label(of("fruit vegetable meal"), "edible").chain(label(
        of("tool furniture vehicle building clothing"),
        "inedible",
    ));
    let place = label(of("country"), "country")
        .chain(label(of("city"), "city"))
        .chain(label(of("river"), "river"));
    for (name, question, labels, rows) in [
        (
            "word-number",
            "Which number is this word in?",
            "singular or plural",
            singular_or_plural.collect::<Vec<_>>(),
        ),
        (
            "verb-time",
            "Which time is this verb in?",
            "present or past",
            present_or_past.collect(),
        ),
        (
            "word-class",
            "Which part of speech is it?",
            "noun, verb, adjective or adverb",
            class.collect(),
        ),
        (
            "living-or-lifeless",
            "Is it a being or a thing?",
            "living or lifeless",
            living.collect(),
        ),
        (
            "edible",
            "Can it be eaten?",
            "edible or inedible",
            edible.collect(),
        ),
        (
            "kind-of-place",
            "What does the name stand for?",
            "country, city or river",
            place.collect(),
        ),
    ] {
        let phrasings = fill(&fill(&ASK, "{question}", question), "{labels}", labels);
        catalogue.table(name, &phrasings, rows);
    }
}
