//! Items of a list by position, independent of what the items are.

use super::super::catalogue::{Catalogue, Example, fill};
use super::super::style::Style;
use super::list;

const ITEM: [&str; 6] = [
    "Which is the {place} item in this list? {0}",
    "Give the {place} word: {0}",
    "Pick the {place} item: {0}",
    "List: {0}\nName the {place} item.",
    "Of the words {0}, which one is the {place}?",
    "{0}\nWhat is the {place} word of this list?",
];
const SEVERAL: [&str; 6] = [
    "Give {part} of this list: {0}",
    "Pick {part}: {0}",
    "List: {0}\nWrite {part}.",
    "{0}\nRepeat {part} of this list.",
    "Copy {part}, with commas: {0}",
    "Of the words {0}, write {part}.",
];
const NEIGHBOUR: [&str; 5] = [
    "Which item comes right {side} {1} in this list? {0}",
    "List: {0}\nName the item directly {side} {1}.",
    "Pick the word {side} {1}: {0}",
    "In the list {0}, what stands right {side} {1}?",
    "{0}\nWhich word is just {side} {1}?",
];
const NUMBERED: [&str; 5] = [
    "Give item number {1} of this list: {0}",
    "List: {0}\nWhich word is number {1}?",
    "Which item has position {1}? {0}",
    "{0}\nPick word {1}, counted from 1.",
    "Count to {1} in this list and name the item: {0}",
];
const NUMBER_OF: [&str; 5] = [
    "Which position has {1} in this list? {0}",
    "List: {0}\nGive the number of the item {1}.",
    "At which place does {1} stand? {0}",
    "{0}\nWhat is the position of {1}, counted from 1?",
    "Count to {1} in this list and give the number: {0}",
];

type Place = fn(usize) -> Option<usize>;
type Part = fn(&[&str]) -> String;

/// Adds the family.
pub(super) fn add(catalogue: &mut Catalogue) {
    catalogue.family("lists");
    // The second of three and the third of five are middle items, a held-out task.
    let places: [(&str, &str, Place); 7] = [
        ("item-first", "first", |_| Some(0)),
        ("item-second", "second", |count| (count > 3).then_some(1)),
        ("item-third", "third", |count| {
            (count != 5 && count > 3).then_some(2)
        }),
        ("item-fourth", "fourth", |count| (count > 4).then_some(3)),
        ("item-last", "last", |count| Some(count - 1)),
        ("item-last-but-one", "last but one", |count| {
            (count > 3).then(|| count - 2)
        }),
        ("item-middle", "middle", |count| {
            (count % 2 == 1).then_some(count / 2)
        }),
    ];
    for (name, phrase, place) in places {
        let styles: &[Style] = match name {
            "item-first" => &[Style::Upper, Style::Sentence, Style::Json],
            "item-second" => &[Style::Quoted, Style::Upper],
            "item-last" => &[Style::Upper, Style::Json, Style::Labelled],
            _ => &[],
        };
        let phrasings = fill(&ITEM, "{place}", phrase);
        catalogue.draw_in_styles(name, &phrasings, styles, move |random| {
            let items = list(random, 3, 7);
            Some(Example::one(items.join(", "), items[place(items.len())?]))
        });
    }
    let parts: [(&str, &str, Part); 5] = [
        ("items-first-two", "the first two items", |items| {
            items[..2].join(", ")
        }),
        ("items-last-two", "the last two items", |items| {
            items[items.len() - 2..].join(", ")
        }),
        ("items-ends", "the first and the last item", |items| {
            [items[0], items[items.len() - 1]].join(", ")
        }),
        (
            "items-without-first",
            "everything but the first item",
            |items| items[1..].join(", "),
        ),
        (
            "items-without-last",
            "everything but the last item",
            |items| items[..items.len() - 1].join(", "),
        ),
    ];
    for (name, part, take) in parts {
        catalogue.draw(name, &fill(&SEVERAL, "{part}", part), move |random| {
            let items = list(random, 3, 5);
            Some(Example::one(items.join(", "), take(&items)))
        });
    }
    add_named(catalogue);
}

/// Adds tasks whose prompts have an item or a number besides the list.
fn add_named(catalogue: &mut Catalogue) {
    for (name, side, is_after) in [
        ("item-following", "after", true),
        ("item-preceding", "before", false),
    ] {
        catalogue.draw(name, &fill(&NEIGHBOUR, "{side}", side), move |random| {
            let items = list(random, 3, 6);
            let place = random.index(items.len() - 1);
            let (named, answer) = if is_after {
                (items[place], items[place + 1])
            } else {
                (items[place + 1], items[place])
            };
            Some(Example::many([&items.join(", "), named], answer))
        });
    }
    catalogue.draw("item-by-number", &NUMBERED, |random| {
        let items = list(random, 3, 6);
        let place = random.index(items.len());
        let number = (place + 1).to_string();
        Some(Example::many([items.join(", "), number], items[place]))
    });
    catalogue.draw("item-number", &NUMBER_OF, |random| {
        let items = list(random, 3, 6);
        let place = random.index(items.len());
        Some(Example::many([&items.join(", "), items[place]], place + 1))
    });
}
