//! Days and months.

use super::super::catalogue::{Catalogue, Example, fill};
use super::super::random::Random;
use super::super::words::sentences;
use super::numerals::ordinal;

pub(in crate::suite) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];
const LENGTHS: [u64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
/// Events of a day, to follow the name of a person.
const EVENTS: [&str; 8] = [
    "visits the dentist",
    "plays tennis",
    "flies to Rome",
    "moves house",
    "has an exam",
    "bakes a cake",
    "sees a film",
    "meets a friend",
];

const STEP: [&str; 5] = [
    "{1} {2} {distance} {0}. Which {kind} is that?",
    "Which {kind} is {distance} {0}? That is when {1} {2}.",
    "If {1} {2} {distance} {0}, which {kind} is it?",
    "{1} {2} {distance} {0}. Name the {kind}.",
    "{1} {2}, and that is {distance} {0}. Which {kind} is it?",
];
const DATE: [&str; 5] = [
    "{0}\n{what}?",
    "Date: {0}\n{what}?",
    "{0} is a date. {what}?",
    "Look at the date {0}. {what}?",
    "Here is a date: {0}. {what}?",
];
const REWRITE: [&str; 5] = [
    "Write the date {0} {how}.",
    "Date: {0}\nWrite it {how}.",
    "Give {0} {how}.",
    "How is {0} written {how}?",
    "Put this date {how}: {0}",
];
const BETWEEN: [&str; 5] = [
    "How many days are there from {2} {0} to {2} {1}?",
    "Count the days between {2} {0} and {2} {1}.",
    "{2} {0} to {2} {1}\nHow many days later is that?",
    "A trip begins on {2} {0} and ends on {2} {1}. How many days after the start is the end?",
    "It is {2} {0}. How many days are left until {2} {1}?",
];

/// A date as year, month and day.
type Date = (u64, u64, u64);

fn date(random: &mut Random) -> Date {
    let month = random.between(1, 12);
    let day = random.between(1, LENGTHS[month as usize - 1]);
    (random.between(1900, 2060), month, day)
}

fn iso((year, month, day): Date) -> String {
    format!("{year}-{month:02}-{day:02}")
}

fn month_name(month: u64) -> &'static str {
    MONTHS[month as usize - 1]
}

/// Adds the family.
pub(super) fn add(catalogue: &mut Catalogue) {
    catalogue.family("dates");
    for (name, kind, distance, names, step) in [
        ("weekday-after", "weekday", "on the day after", &DAYS[..], 1),
        ("weekday-before", "weekday", "on the day before", &DAYS, 6),
        ("weekday-two-after", "weekday", "two days after", &DAYS, 2),
        (
            "weekday-three-after",
            "weekday",
            "three days after",
            &DAYS,
            3,
        ),
        ("month-after", "month", "in the month after", &MONTHS, 1),
        ("month-before", "month", "in the month before", &MONTHS, 11),
        ("month-two-after", "month", "two months after", &MONTHS, 2),
        (
            "month-half-year-after",
            "month",
            "half a year after",
            &MONTHS,
            6,
        ),
    ] {
        let phrasings = fill(&fill(&STEP, "{distance}", distance), "{kind}", kind);
        catalogue.draw(name, &phrasings, move |random| {
            let place = random.index(names.len());
            let person = sentences::slot("name", random);
            let event = random.pick(&EVENTS);
            let answer = names[(place + step) % names.len()];
            Some(Example::many([names[place], &person, event], answer))
        });
    }
    add_parts(catalogue);
    add_writings(catalogue);
    catalogue.draw("days-between", &BETWEEN, |random| {
        let month = random.between(1, 12);
        let end = random.between(3, LENGTHS[month as usize - 1]);
        let start = random.between(1, end - 1);
        let fields = [
            start.to_string(),
            end.to_string(),
            month_name(month).to_owned(),
        ];
        Some(Example::many(fields, end - start))
    });
}

/// Adds tasks that ask for a part of a date.
fn add_parts(catalogue: &mut Catalogue) {
    type Part = fn(Date) -> String;
    let parts: [(&str, &str, Part); 6] = [
        ("date-year", "What is the year", |(year, _, _)| {
            year.to_string()
        }),
        (
            "date-month",
            "What is the name of the month",
            |(_, month, _)| month_name(month).to_owned(),
        ),
        (
            "date-month-number",
            "What is the number of the month, without a zero",
            |(_, month, _)| month.to_string(),
        ),
        (
            "date-day",
            "What is the day, without a zero",
            |(_, _, day)| day.to_string(),
        ),
        (
            "date-quarter",
            "Which quarter of the year, from 1 to 4, is the month",
            |(_, month, _)| ((month - 1) / 3 + 1).to_string(),
        ),
        (
            "date-next-year",
            "What is the year after the year",
            |(year, _, _)| (year + 1).to_string(),
        ),
    ];
    for (name, what, part) in parts {
        catalogue.draw(name, &fill(&DATE, "{what}", what), move |random| {
            let date = date(random);
            Some(Example::one(iso(date), part(date)))
        });
    }
}

/// Adds tasks that rewrite a date in another format.
fn add_writings(catalogue: &mut Catalogue) {
    type Writing = fn(Date) -> String;
    let long: Writing = |(year, month, day)| format!("{day} {} {year}", month_name(month));
    let writings: [(&str, &str, Writing, Writing); 5] = [
        ("date-to-iso", "as year-month-day with digits", long, iso),
        (
            "date-to-long",
            "with the month's name: day month year",
            iso,
            long,
        ),
        (
            "date-to-slashes",
            "as day/month/year, without zeros",
            iso,
            |(year, month, day)| format!("{day}/{month}/{year}"),
        ),
        (
            "date-to-dots",
            "as day.month.year, without zeros",
            long,
            |(year, month, day)| format!("{day}.{month}.{year}"),
        ),
        (
            "date-to-ordinal",
            "as month and ordinal, without the year",
            iso,
            |(_, month, day)| format!("{} {}", month_name(month), ordinal(day)),
        ),
    ];
    for (name, how, input, answer) in writings {
        catalogue.draw(name, &fill(&REWRITE, "{how}", how), move |random| {
            let date = date(random);
            Some(Example::one(input(date), answer(date)))
        });
    }
}
