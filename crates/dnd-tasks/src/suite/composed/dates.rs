//! Dates as `2024-03-15`.

use super::super::catalogue::Catalogue;
use super::super::families::MONTHS;
use super::{Group, Operation, operation};

const GROUP: Group = Group {
    name: "calendar",
    templates: &[
        "Give {what}: {0}",
        "{0}\nWrite {what}.",
        "Date: {0}\nAnswer with {what}.",
        "For the date {0}, give {what}.",
        "Tell me {what}: {0}",
        "The date is {0}. What is {what}?",
        "Take {0} and write {what}.",
        "Reply with {what}. {0}",
        "I need {what} for {0}.",
        "{0} -> {what}",
    ],
    input: |random| {
        let (year, month) = (random.between(1950, 2049), random.between(1, 12));
        format!("{year}-{month:02}-{:02}", random.between(1, 28))
    },
};

fn part(text: &str, place: usize) -> Option<&str> {
    text.split('-').nth(place)
}

fn month_name(text: &str) -> Option<&'static str> {
    let month: usize = part(text, 1)?.parse().ok()?;
    MONTHS.get(month - 1).copied()
}

fn day(text: &str) -> Option<u64> {
    part(text, 2)?.parse().ok()
}

const OPERATIONS: &[Operation] = &[
    operation("year", &["its year", "the year only"], |t| {
        part(t, 0).map(str::to_owned)
    }),
    operation(
        "month",
        &["the number of its month", "the month as two digits"],
        |t| part(t, 1).map(str::to_owned),
    ),
    operation("day", &["its day", "the day as two digits"], |t| {
        part(t, 2).map(str::to_owned)
    }),
    operation(
        "month-name",
        &["the name of its month", "the month in letters"],
        |t| month_name(t).map(str::to_owned),
    ),
    operation(
        "slashes",
        &["it with slashes", "the date with / instead of -"],
        |t| Some(t.replace('-', "/")),
    ),
    operation(
        "day-first",
        &[
            "it with the day first and dots",
            "the date as day.month.year",
        ],
        |t| Some(format!("{}.{}.{}", part(t, 2)?, part(t, 1)?, part(t, 0)?)),
    ),
    operation(
        "month-first",
        &["it as month/day/year", "the American form with slashes"],
        |t| Some(format!("{}/{}/{}", part(t, 1)?, part(t, 2)?, part(t, 0)?)),
    ),
    operation(
        "words",
        &[
            "it with the month's name",
            "the date as month, day and year",
        ],
        |t| Some(format!("{} {}, {}", month_name(t)?, day(t)?, part(t, 0)?)),
    ),
    operation(
        "short-year",
        &["the last two digits of its year", "the year in two digits"],
        |t| part(t, 0)?.get(2..).map(str::to_owned),
    ),
];

/// Adds the group.
pub(super) fn add(catalogue: &mut Catalogue) {
    GROUP.add(catalogue, OPERATIONS);
}
