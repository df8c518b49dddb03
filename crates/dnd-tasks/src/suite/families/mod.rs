//! One file per family: the phrasings of its tasks, and how their examples are made.

mod affixes;
mod arithmetic;
mod case;
mod categories;
mod classification;
mod clock;
mod counting;
mod dates;
mod extraction;
mod formats;
mod judgements;
mod labels;
mod letters;
mod lists;
mod numerals;
mod options;
mod records;
mod relations;
mod reversing;
mod sequences;
mod slots;
mod sorting;
mod spelling;
mod translation;
mod units;
mod unstated;
mod word_classes;
mod yes_no;

pub(super) use dates::MONTHS;

use super::catalogue::Catalogue;
use super::random::Random;
use super::words::categories::Category;
use super::words::{VOCABULARY, words};

/// Adds every family's tasks.
pub(super) fn add_all(catalogue: &mut Catalogue) {
    for add in [
        letters::add,
        lists::add,
        counting::add,
        sorting::add,
        reversing::add,
        categories::add,
        spelling::add,
        case::add,
        arithmetic::add,
        units::add,
        dates::add,
        clock::add,
        numerals::add,
        sequences::add,
        formats::add,
        yes_no::add,
        extraction::add,
        classification::add,
        word_classes::add,
        relations::add,
        translation::add,
        judgements::add,
        options::add,
        labels::add,
        unstated::add,
        slots::add,
        affixes::add,
    ] {
        add(catalogue);
    }
}

/// A lower-case word.
fn word(random: &mut Random) -> &'static str {
    random.pick(&VOCABULARY)
}

/// A word of the category.
fn member(random: &mut Random, category: &Category) -> &'static str {
    random.pick(&words(category.words))
}

/// `low` to `high` distinct words.
fn list(random: &mut Random, low: u64, high: u64) -> Vec<&'static str> {
    let count = random.between(low, high);
    random.sample(&VOCABULARY, count as usize)
}

/// `low` to `high` unrelated words, joined by spaces.
fn line(random: &mut Random, low: u64, high: u64) -> String {
    list(random, low, high).join(" ")
}

/// The word with a capital first letter.
pub(super) fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}
