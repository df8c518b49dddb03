//! Arithmetic and comparison, in digits and in words.

use super::super::catalogue::{Catalogue, Example, fill};
use super::super::random::Random;
use super::super::style::Style;
use super::numerals::number_words;

const PAIR: [&str; 5] = [
    "{first}",
    "Work it out: {first}",
    "{first} Give the number only.",
    "Calculate. {first}",
    "A question of numbers: {first}",
];
const ONE: [&str; 5] = [
    "What is {what} {0}?",
    "Give {what} {0}.",
    "Number: {0}\nWrite {what} this number.",
    "Work out {what} {0}.",
    "{0} - what is {what} it?",
];
const WORDS: [&str; 5] = [
    "What is {0} {sign} {1}? Answer in words.",
    "Write the result as a word: {0} {sign} {1}",
    "{0} {sign} {1} makes what? Spell the number.",
    "Work out {0} {sign} {1} and write the number in words.",
    "In words, how much is {0} {sign} {1}?",
];
const COMPARE: [&str; 5] = [
    "Compare {0} with {1}. {answer}",
    "{0} and {1}: {answer}",
    "Numbers: {0}, {1}\n{answer}",
    "Take {0} and {1}. {answer}",
    "First number {0}, second number {1}. {answer}",
];
const PARITY: [&str; 5] = [
    "Is {0} even or odd?",
    "Number: {0}\nEven or odd?",
    "Say whether {0} is even or odd.",
    "Look at {0}. Answer even or odd.",
    "{0} - an even number or an odd one?",
];

/// Adds the family.
pub(super) fn add(catalogue: &mut Catalogue) {
    catalogue.family("arithmetic");
    add_pairs(catalogue);
    add_single(catalogue);
    add_words(catalogue);
    type Comparison = fn(u64, u64) -> String;
    let comparisons: [(&str, &str, Comparison); 4] = [
        ("larger-of-two", "Which is the larger?", |a, b| {
            a.max(b).to_string()
        }),
        ("smaller-of-two", "Which is the smaller?", |a, b| {
            a.min(b).to_string()
        }),
        (
            "comparison-sign",
            "Which sign belongs between them, < or >?",
            |a, b| if a < b { "<" } else { ">" }.to_owned(),
        ),
        (
            "comparison-word",
            "Is the first one less or greater? Answer less or greater.",
            |a, b| if a < b { "less" } else { "greater" }.to_owned(),
        ),
    ];
    for (name, question, compare) in comparisons {
        catalogue.draw(name, &fill(&COMPARE, "{answer}", question), move |random| {
            let (a, b) = (random.between(1, 999), random.between(1, 999));
            (a != b).then(|| Example::many([a, b], compare(a, b)))
        });
    }
}

/// Operations on two numbers.
fn add_pairs(catalogue: &mut Catalogue) {
    type Operation = fn(&mut Random) -> (u64, u64, u64);
    let operations: [(&str, &str, Operation); 8] = [
        ("plus", "How much is {0} plus {1}?", |r| {
            let (a, b) = (r.between(2, 99), r.between(2, 99));
            (a, b, a + b)
        }),
        ("minus", "How much is {0} minus {1}?", |r| {
            let (a, b) = (r.between(2, 99), r.between(1, 99));
            (a + b, b, a)
        }),
        ("times", "How much is {0} times {1}?", |r| {
            let (a, b) = (r.between(2, 30), r.between(2, 12));
            (a, b, a * b)
        }),
        ("divided", "How much is {0} divided by {1}?", |r| {
            let (a, b) = (r.between(2, 30), r.between(2, 12));
            (a * b, b, a)
        }),
        (
            "remainder",
            "Which remainder is left when {0} is divided by {1}?",
            |r| {
                let (a, b) = (r.between(11, 99), r.between(3, 9));
                (a, b, a % b)
            },
        ),
        (
            "missing-addend",
            "Which number added to {0} makes {1}?",
            |r| {
                let (a, b) = (r.between(2, 60), r.between(2, 60));
                (a, a + b, b)
            },
        ),
        (
            "distance",
            "How far apart are the numbers {0} and {1}?",
            |r| {
                let (a, b) = (r.between(1, 99), r.between(1, 99));
                (a, b, a.abs_diff(b))
            },
        ),
        (
            "halfway",
            "Which number lies halfway between {0} and {1}?",
            |r| {
                let (a, b) = (r.between(1, 60), r.between(1, 20));
                (a, a + 2 * b, a + b)
            },
        ),
    ];
    for (name, question, operation) in operations {
        let styles: &[Style] = match name {
            "plus" => &[Style::Sentence, Style::Json],
            "times" => &[Style::Labelled],
            _ => &[],
        };
        catalogue.draw_in_styles(
            name,
            &fill(&PAIR, "{first}", question),
            styles,
            move |random| {
                let (a, b, answer) = operation(random);
                Some(Example::many([a, b], answer))
            },
        );
    }
}

/// Questions about one number.
fn add_single(catalogue: &mut Catalogue) {
    type Function = fn(u64) -> u64;
    let functions: [(&str, &str, u64, Function); 10] = [
        ("double", "the double of", 500, |n| 2 * n),
        ("triple", "three times", 300, |n| 3 * n),
        ("square", "the square of", 99, |n| n * n),
        ("ten-more", "ten more than", 990, |n| n + 10),
        ("ten-less", "ten less than", 990, |n| n - 10),
        ("hundredfold", "a hundred times", 990, |n| 100 * n),
        ("digit-sum", "the sum of the digits of", 999, |n| {
            n / 100 + n / 10 % 10 + n % 10
        }),
        ("last-digit", "the last digit of", 9_999, |n| n % 10),
        ("first-digit", "the first digit of", 999, |n| {
            if n > 99 { n / 100 } else { n / 10 }
        }),
        ("rounded", "the nearest ten (5 goes up) to", 999, |n| {
            (n + 5) / 10 * 10
        }),
    ];
    for (name, what, most, function) in functions {
        catalogue.draw(name, &fill(&ONE, "{what}", what), move |random| {
            let number = random.between(11, most);
            Some(Example::one(number, function(number)))
        });
    }
    catalogue.draw("even-or-odd", &PARITY, |random| {
        let number = random.between(1, 9_999);
        Some(Example::one(
            number,
            if number % 2 == 0 { "even" } else { "odd" },
        ))
    });
}

/// Sums and differences between number words.
fn add_words(catalogue: &mut Catalogue) {
    catalogue.draw("plus-in-words", &fill(&WORDS, "{sign}", "plus"), |random| {
        let (a, b) = (random.between(1, 20), random.between(1, 20));
        Some(Example::many(
            [number_words(a), number_words(b)],
            number_words(a + b),
        ))
    });
    catalogue.draw(
        "minus-in-words",
        &fill(&WORDS, "{sign}", "minus"),
        |random| {
            let (a, b) = (random.between(1, 20), random.between(1, 20));
            Some(Example::many(
                [number_words(a + b), number_words(b)],
                number_words(a),
            ))
        },
    );
    let digits: Vec<String> = fill(&PAIR, "{first}", "How much is {0} plus {1}?")
        .iter()
        .map(|phrasing| format!("{phrasing}\nAnswer in digits."))
        .collect();
    catalogue.draw("plus-words-to-digits", &digits, |random| {
        let (a, b) = (random.between(1, 40), random.between(1, 40));
        Some(Example::many([number_words(a), number_words(b)], a + b))
    });
    catalogue.draw(
        "sum-of-three",
        &fill(&PAIR, "{first}", "What do {0}, {1} and {2} add up to?"),
        |random| {
            let numbers = [
                random.between(1, 30),
                random.between(1, 30),
                random.between(1, 30),
            ];
            Some(Example::many(numbers, numbers.iter().sum::<u64>()))
        },
    );
}
