//! Numbers, and pairs of numbers.

use super::super::catalogue::Catalogue;
use super::{Group, Operation, operation, yes};

const NUMBER: Group = Group {
    name: "number",
    templates: &[
        "Give {what}: {0}",
        "{0}\nWrite {what}.",
        "Number: {0}\nAnswer with {what}.",
        "For the number {0}, give {what}.",
        "Tell me {what}: {0}",
        "The number is {0}. What is {what}?",
        "Compute {what} for {0}.",
        "Reply with {what}. {0}",
        "I need {what} for {0}.",
        "{0} -> {what}",
    ],
    input: |random| random.between(2, 999).to_string(),
};

const PAIR: Group = Group {
    name: "pair",
    templates: &[
        "Give {what}: {0}",
        "{0}\nWrite {what}.",
        "Numbers: {0}\nAnswer with {what}.",
        "For the two numbers {0}, give {what}.",
        "Tell me {what} of these two: {0}",
        "The numbers are {0}. What is {what}?",
        "Compute {what} for {0}.",
        "Reply with {what}. {0}",
        "I need {what} for {0}.",
        "{0} -> {what}",
    ],
    input: |random| {
        let first = random.between(1, 30);
        let second = random.between(1, 30);
        format!("{first}, {second}")
    },
};

fn map(text: &str, change: impl Fn(u64) -> u64) -> Option<String> {
    Some(change(text.parse().ok()?).to_string())
}

fn join(text: &str, change: impl Fn(u64, u64) -> String) -> Option<String> {
    let (first, second) = text.split_once(", ")?;
    Some(change(first.parse().ok()?, second.parse().ok()?))
}

const OF_ONE: &[Operation] = &[
    operation("double", &["its double", "the number times two"], |t| {
        map(t, |n| 2 * n)
    }),
    operation("next", &["the number after it", "one more than it"], |t| {
        map(t, |n| n + 1)
    }),
    operation(
        "plus-ten",
        &["ten more than it", "the number plus ten"],
        |t| map(t, |n| n + 10),
    ),
    operation(
        "minus-one",
        &["one less than it", "the number minus one"],
        |t| map(t, |n| n - 1),
    ),
    operation(
        "times-ten",
        &["ten times the number", "it with a zero at the end"],
        |t| map(t, |n| 10 * n),
    ),
    operation(
        "parity",
        &["whether it is even or odd", "the word even or odd"],
        |t| {
            let number: u64 = t.parse().ok()?;
            Some(["even", "odd"][(number % 2) as usize].to_owned())
        },
    ),
    operation(
        "last-digit",
        &["its last digit", "the digit at its end"],
        |t| t.chars().next_back().map(String::from),
    ),
    operation(
        "first-digit",
        &["its first digit", "the digit that it begins with"],
        |t| t.chars().next().map(String::from),
    ),
    operation(
        "spaced",
        &["its digits with spaces", "the digits one by one"],
        |t| {
            let digits: Vec<String> = t.chars().map(String::from).collect();
            Some(digits.join(" "))
        },
    ),
    operation(
        "is-large",
        &[
            "yes if it is above 500, else no",
            "yes for more than 500 and no for less",
        ],
        |t| yes(t.parse::<u64>().ok()? > 500),
    ),
    operation(
        "negative",
        &["it with a minus sign", "the negative number"],
        |t| Some(format!("-{t}")),
    ),
    operation(
        "euros",
        &["it as an amount in euros", "the price in euros"],
        |t| Some(format!("{t} euros")),
    ),
    operation(
        "percent",
        &["it with a percent sign", "the percentage"],
        |t| Some(format!("{t}%")),
    ),
];

const OF_TWO: &[Operation] = &[
    operation("sum", &["their sum", "the two added together"], |t| {
        join(t, |a, b| (a + b).to_string())
    }),
    operation(
        "difference",
        &["their difference", "the larger minus the smaller"],
        |t| join(t, |a, b| a.abs_diff(b).to_string()),
    ),
    operation("larger", &["the larger one", "the greater number"], |t| {
        join(t, |a, b| a.max(b).to_string())
    }),
    operation("smaller", &["the smaller one", "the lesser number"], |t| {
        join(t, |a, b| a.min(b).to_string())
    }),
    operation("first", &["the first one", "the number in front"], |t| {
        join(t, |a, _| a.to_string())
    }),
    operation("second", &["the second one", "the number behind"], |t| {
        join(t, |_, b| b.to_string())
    }),
    operation(
        "swapped",
        &["the two in reverse order", "the numbers swapped"],
        |t| join(t, |a, b| format!("{b}, {a}")),
    ),
    operation(
        "formula",
        &[
            "the two with a plus sign in between",
            "the addition to solve",
        ],
        |t| join(t, |a, b| format!("{a} + {b}")),
    ),
    operation(
        "is-rising",
        &[
            "yes if the second is larger, else no",
            "yes for rising and no for falling numbers",
        ],
        |t| {
            let (a, b) = t.split_once(", ")?;
            yes(a.parse::<u64>().ok()? < b.parse::<u64>().ok()?)
        },
    ),
];

/// Adds the groups.
pub(super) fn add(catalogue: &mut Catalogue) {
    NUMBER.add(catalogue, OF_ONE);
    PAIR.add(catalogue, OF_TWO);
}
