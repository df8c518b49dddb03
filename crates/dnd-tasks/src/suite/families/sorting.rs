//! Sorting by alphabet, length or value.

use super::super::catalogue::{Catalogue, Example, fill};
use super::super::random::Random;
use super::super::style::Style;
use super::{list, word};

const SORT: [&str; 5] = [
    "Sort {order}: {0}",
    "Put these in order, {order}: {0}",
    "{0}\nWrite this list sorted {order}.",
    "List: {0}\nSort it {order}.",
    "Arrange the items {order}: {0}",
];
const PICK: [&str; 5] = [
    "Which of these is {which}? {0}",
    "Pick {which}: {0}",
    "{0}\nName {which} of them.",
    "List: {0}\nGive {which}.",
    "Find {which} in this list: {0}",
];
const LETTERS: [&str; 5] = [
    "Sort the letters of the word {0} alphabetically.",
    "Write the letters of {0} in alphabetical order.",
    "Word: {0}\nPut its letters in the order of the alphabet.",
    "What do you get by sorting the letters of \"{0}\"?",
    "Arrange the letters of {0} from a to z.",
];

type Order = fn(&mut Vec<&'static str>);

/// Words of different lengths; `None` if two lengths are equal.
fn lengths(random: &mut Random) -> Option<Vec<&'static str>> {
    let items = list(random, 3, 4);
    let mut counts: Vec<usize> = items.iter().map(|word| word.len()).collect();
    counts.sort_unstable();
    counts
        .windows(2)
        .all(|pair| pair[0] < pair[1])
        .then_some(items)
}

/// Distinct numbers; `None` if two are equal.
fn numbers(random: &mut Random) -> Option<Vec<u64>> {
    let count = random.between(3, 5);
    let numbers: Vec<u64> = (0..count).map(|_| random.between(1, 999)).collect();
    let mut sorted = numbers.clone();
    sorted.sort_unstable();
    sorted
        .windows(2)
        .all(|pair| pair[0] < pair[1])
        .then_some(numbers)
}

fn joined(numbers: &[u64]) -> String {
    let texts: Vec<String> = numbers.iter().map(u64::to_string).collect();
    texts.join(", ")
}

/// Adds the family.
pub(super) fn add(catalogue: &mut Catalogue) {
    catalogue.family("sorting");
    let orders: [(&str, &str, bool, Order); 4] = [
        ("sort-alphabet", "alphabetically", false, |items| {
            items.sort_unstable()
        }),
        ("sort-alphabet-back", "from z to a", false, |items| {
            items.sort_unstable();
            items.reverse();
        }),
        (
            "sort-length",
            "from the shortest word to the longest",
            true,
            |items| {
                items.sort_by_key(|word| word.len());
            },
        ),
        (
            "sort-length-back",
            "from the longest word to the shortest",
            true,
            |items| {
                items.sort_by_key(|word| word.len());
                items.reverse();
            },
        ),
    ];
    for (name, order, by_length, sort) in orders {
        catalogue.draw(name, &fill(&SORT, "{order}", order), move |random| {
            let mut items = if by_length {
                lengths(random)?
            } else {
                list(random, 3, 4)
            };
            let input = items.join(", ");
            sort(&mut items);
            Some(Example::one(input, items.join(", ")))
        });
    }
    let picks: [(&str, &str, bool, Order); 5] = [
        (
            "alphabet-first",
            "the one that comes first in the alphabet",
            false,
            |items| {
                items.sort_unstable();
            },
        ),
        (
            "alphabet-second",
            "the second in alphabetical order",
            false,
            |items| {
                items.sort_unstable();
                items.remove(0);
            },
        ),
        (
            "alphabet-last",
            "the one that comes last in the alphabet",
            false,
            |items| {
                items.sort_unstable();
                items.reverse();
            },
        ),
        ("longest-word", "the longest word", true, |items| {
            items.sort_by_key(|word| word.len());
            items.reverse();
        }),
        ("shortest-word", "the shortest word", true, |items| {
            items.sort_by_key(|word| word.len())
        }),
    ];
    for (name, which, by_length, sort) in picks {
        let styles: &[Style] = match name {
            "alphabet-first" | "shortest-word" => &[Style::Upper, Style::Json],
            _ => &[],
        };
        catalogue.draw_in_styles(
            name,
            &fill(&PICK, "{which}", which),
            styles,
            move |random| {
                let mut items = if by_length {
                    lengths(random)?
                } else {
                    list(random, 3, 5)
                };
                let input = items.join(", ");
                sort(&mut items);
                Some(Example::one(input, items.first()?))
            },
        );
    }
    add_numbers(catalogue);
    catalogue.draw("sort-letters", &LETTERS, |random| {
        let word = word(random);
        let mut letters: Vec<char> = word.chars().collect();
        letters.sort_unstable();
        (letters.len() < 7).then(|| Example::one(word, String::from_iter(letters)))
    });
}

fn add_numbers(catalogue: &mut Catalogue) {
    for (name, order, is_down) in [
        (
            "sort-numbers-up",
            "from the smallest number to the largest",
            false,
        ),
        (
            "sort-numbers-down",
            "from the largest number to the smallest",
            true,
        ),
    ] {
        catalogue.draw(name, &fill(&SORT, "{order}", order), move |random| {
            let mut numbers = numbers(random)?;
            let input = joined(&numbers);
            numbers.sort_unstable();
            if is_down {
                numbers.reverse();
            }
            Some(Example::one(input, joined(&numbers)))
        });
    }
    for (name, which, is_down, place) in [
        ("number-largest", "the largest number", true, 0),
        (
            "number-second-largest",
            "the second largest number",
            true,
            1,
        ),
        ("number-smallest", "the smallest number", false, 0),
        (
            "number-second-smallest",
            "the second smallest number",
            false,
            1,
        ),
    ] {
        catalogue.draw(name, &fill(&PICK, "{which}", which), move |random| {
            let mut numbers = numbers(random)?;
            let input = joined(&numbers);
            numbers.sort_unstable();
            if is_down {
                numbers.reverse();
            }
            Some(Example::one(input, numbers.get(place)?))
        });
    }
}
