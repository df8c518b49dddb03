//! Unit conversions. The answer is a number, with or without its unit.

use super::super::catalogue::{Catalogue, Example, fill};
use super::super::style::Style;

const CONVERT: [&str; 5] = [
    "How many {to} are {0} {from}?",
    "Convert {0} {from} to {to}. Give the number.",
    "{0} {from}\nHow many {to}?",
    "Change {0} {from} into {to} and write the number only.",
    "Number of {to} in {0} {from}:",
];
const WITH_UNIT: [&str; 5] = [
    "Convert {0} {from} to {to}, with the unit.",
    "Write {0} {from} in {to}; name the unit too.",
    "{0} {from}\nHow much is that in {to}? Write number and unit.",
    "Change {0} {from} into {to} and keep the unit in the answer.",
    "Express {0} {from} in {to}, unit included.",
];

/// Name, source unit, target unit, factor.
const UNITS: [(&str, &str, &str, u64); 14] = [
    ("metres-to-centimetres", "metres", "centimetres", 100),
    ("kilometres-to-metres", "kilometres", "metres", 1_000),
    (
        "centimetres-to-millimetres",
        "centimetres",
        "millimetres",
        10,
    ),
    ("kilograms-to-grams", "kilograms", "grams", 1_000),
    ("tonnes-to-kilograms", "tonnes", "kilograms", 1_000),
    ("litres-to-millilitres", "litres", "millilitres", 1_000),
    ("hours-to-minutes", "hours", "minutes", 60),
    ("minutes-to-seconds", "minutes", "seconds", 60),
    ("days-to-hours", "days", "hours", 24),
    ("weeks-to-days", "weeks", "days", 7),
    ("years-to-months", "years", "months", 12),
    ("feet-to-inches", "feet", "inches", 12),
    ("dollars-to-cents", "dollars", "cents", 100),
    ("dozens-to-pieces", "dozens", "pieces", 12),
];

/// Adds the family.
pub(super) fn add(catalogue: &mut Catalogue) {
    catalogue.family("units");
    for (name, from, to, factor) in UNITS {
        let styles: &[Style] = match name {
            "hours-to-minutes" => &[Style::Labelled],
            _ => &[],
        };
        let phrasings = fill(&fill(&CONVERT, "{from}", from), "{to}", to);
        catalogue.draw_in_styles(name, &phrasings, styles, move |random| {
            let count = random.between(2, 99);
            Some(Example::one(count, count * factor))
        });
        if matches!(factor, 100 | 60) {
            let phrasings = fill(&fill(&WITH_UNIT, "{from}", from), "{to}", to);
            catalogue.draw(&format!("{name}-with-unit"), &phrasings, move |random| {
                let count = random.between(2, 99);
                Some(Example::one(count, format!("{} {to}", count * factor)))
            });
        }
        // The inverse conversion, for factors that are easy to divide by.
        if matches!(factor, 7 | 10 | 100 | 60) {
            let phrasings = fill(&fill(&CONVERT, "{from}", to), "{to}", from);
            catalogue.draw(&format!("{to}-to-{from}"), &phrasings, move |random| {
                let count = random.between(2, 99);
                Some(Example::one(count * factor, count))
            });
        }
    }
}
