//! Lists of words, each of another category, so that every position and every category is a
//! question.

use super::super::catalogue::Catalogue;
use super::super::random::Random;
use super::super::words::categories::named;
use super::super::words::words;
use super::{
    Group, Operation, Transform, capitalised, first_letter, last_letter, length, operation, upper,
};

const GROUP: Group = Group {
    name: "list",
    templates: &[
        "Give {what}: {0}",
        "{0}\nWrite {what}.",
        "List: {0}\nAnswer with {what}.",
        "From the list {0}, give {what}.",
        "Tell me {what} of this list: {0}",
        "Find {what} in: {0}",
        "Here are some words: {0}. Reply with {what}.",
        "Words: {0}\nTask: {what}",
        "I have a list and need {what}. {0}",
        "{0}\nWhich is {what}?",
    ],
    input: list,
};

const CATEGORIES: [&str; 8] = [
    "animal",
    "fruit",
    "colour",
    "clothing",
    "vehicle",
    "profession",
    "instrument",
    "country",
];

/// Three to six words, no two of one category.
fn list(random: &mut Random) -> String {
    let count = random.between(3, 6) as usize;
    let items: Vec<&str> = random
        .sample(&CATEGORIES, count)
        .into_iter()
        .filter_map(named)
        .map(|category| random.pick(&words(category.words)))
        .collect();
    items.join(", ")
}

fn items(text: &str) -> Vec<&str> {
    text.split(", ").collect()
}

fn at(text: &str, place: impl Fn(usize) -> Option<usize>) -> Option<String> {
    let items = items(text);
    items.get(place(items.len())?).map(|&item| item.to_owned())
}

/// The only item with the largest `key`.
fn most<K: Ord>(text: &str, key: impl Fn(&str) -> K) -> Option<String> {
    let mut items = items(text);
    items.sort_by_key(|item| key(item));
    let last = items.pop()?;
    let is_alone = items.last().is_none_or(|&next| key(next) != key(last));
    is_alone.then(|| last.to_owned())
}

fn member(text: &str, category: &str) -> Option<String> {
    let members = words(named(category)?.words);
    let found = items(text).into_iter().find(|item| members.contains(item));
    found.map(str::to_owned)
}

fn sorted(text: &str) -> Vec<&str> {
    let mut items = items(text);
    items.sort_by_key(|item| item.to_lowercase());
    items
}

fn each(text: &str, change: impl Fn(&str) -> Option<String>) -> Option<String> {
    let changed: Option<Vec<String>> = items(text).into_iter().map(change).collect();
    Some(changed?.join(", "))
}

/// The second of three and the third of five words are in the middle, which is held out.
const SELECT: &[Operation] = &[
    operation("first", &["the first word", "the first item"], |t| {
        at(t, |_| Some(0))
    }),
    operation("second", &["the second word", "word number two"], |t| {
        at(t, |n| (n != 3).then_some(1))
    }),
    operation("third", &["the third word", "word number three"], |t| {
        at(t, |n| (n != 5).then_some(2))
    }),
    operation("fourth", &["the fourth word", "item number four"], |t| {
        at(t, |_| Some(3))
    }),
    operation("last", &["the last word", "the final item"], |t| {
        at(t, |n| Some(n - 1))
    }),
    operation(
        "longest",
        &["the longest word", "the word with the most letters"],
        |t| most(t, str::len),
    ),
    operation(
        "shortest",
        &["the shortest word", "the word with the fewest letters"],
        |t| most(t, |item| std::cmp::Reverse(item.len())),
    ),
    operation(
        "alphabet-first",
        &[
            "the word that is first in alphabetical order",
            "the alphabetically first word",
        ],
        |t| sorted(t).first().map(|&item| item.to_owned()),
    ),
    operation(
        "alphabet-last",
        &[
            "the word that is last in alphabetical order",
            "the alphabetically last word",
        ],
        |t| sorted(t).last().map(|&item| item.to_owned()),
    ),
    operation("animal", &["the animal", "the word for an animal"], |t| {
        member(t, "animal")
    }),
    operation("fruit", &["the fruit", "the word for a fruit"], |t| {
        member(t, "fruit")
    }),
    operation("colour", &["the colour", "the word for a colour"], |t| {
        member(t, "colour")
    }),
    operation(
        "clothing",
        &["the piece of clothing", "the thing to wear"],
        |t| member(t, "clothing"),
    ),
    operation("vehicle", &["the vehicle", "the means of transport"], |t| {
        member(t, "vehicle")
    }),
    operation("profession", &["the profession", "the job"], |t| {
        member(t, "profession")
    }),
    operation(
        "instrument",
        &["the musical instrument", "the thing to make music with"],
        |t| member(t, "instrument"),
    ),
    operation("country", &["the country", "the name of a country"], |t| {
        member(t, "country")
    }),
];

const CHANGE: &[Transform] = &[
    operation(
        "upper",
        &["{x} in capital letters", "{x}, in upper case"],
        upper,
    ),
    operation(
        "capitalised",
        &[
            "{x} with a capital first letter",
            "{x}, beginning with a capital letter",
        ],
        capitalised,
    ),
    operation(
        "first-letter",
        &[
            "the first letter of {x}",
            "the letter at the beginning of {x}",
        ],
        first_letter,
    ),
    operation(
        "last-letter",
        &["the last letter of {x}", "the letter at the end of {x}"],
        last_letter,
    ),
    operation(
        "length",
        &["the number of letters in {x}", "the length of {x}"],
        length,
    ),
    operation("twice", &["{x}, two times", "{x}, repeated once"], |word| {
        Some(format!("{word} {word}"))
    }),
];

/// What is asked about the whole list.
const WHOLE: &[Operation] = &[
    operation(
        "count",
        &["the number of words", "the count of items"],
        |t| Some(items(t).len().to_string()),
    ),
    operation(
        "sorted",
        &[
            "the words in alphabetical order",
            "the list sorted from A to Z",
        ],
        |t| Some(sorted(t).join(", ")),
    ),
    operation(
        "reversed",
        &["the words in reverse order", "the list backwards"],
        |t| Some(items(t).into_iter().rev().collect::<Vec<_>>().join(", ")),
    ),
    operation(
        "without-first",
        &["all words but the first", "the list without its first word"],
        |t| Some(items(t)[1..].join(", ")),
    ),
    operation(
        "without-last",
        &["all words but the last", "the list without its last word"],
        |t| Some(items(t)[..items(t).len() - 1].join(", ")),
    ),
    operation(
        "first-two",
        &["the first two words", "the two words at the beginning"],
        |t| Some(items(t)[..2].join(", ")),
    ),
    operation(
        "last-two",
        &["the last two words", "the two words at the end"],
        |t| Some(items(t)[items(t).len() - 2..].join(", ")),
    ),
    operation(
        "ends",
        &["the first and the last word", "the words at both ends"],
        |t| Some([items(t)[0], items(t)[items(t).len() - 1]].join(", ")),
    ),
    operation(
        "hyphens",
        &["the words joined with hyphens", "one word with hyphens"],
        |t| Some(items(t).join("-")),
    ),
    operation(
        "semicolons",
        &[
            "the words with semicolons in between",
            "the list with semicolons instead of commas",
        ],
        |t| Some(items(t).join("; ")),
    ),
    operation(
        "and",
        &[
            "the words with \"and\" in between",
            "the list with \"and\" instead of commas",
        ],
        |t| Some(items(t).join(" and ")),
    ),
    operation(
        "all-upper",
        &["all words in capital letters", "the list in upper case"],
        upper,
    ),
    operation(
        "all-capitalised",
        &[
            "all words with a capital first letter",
            "the list with capitalised words",
        ],
        |t| each(t, capitalised),
    ),
    operation(
        "all-first-letters",
        &["the first letter of each word", "the initials of all words"],
        |t| each(t, first_letter),
    ),
];

/// Adds the group.
pub(super) fn add(catalogue: &mut Catalogue) {
    GROUP.add(catalogue, SELECT);
    GROUP.add_pairs(catalogue, SELECT, CHANGE);
    GROUP.add(catalogue, WHOLE);
}
