//! Numbers in other notations: words, Roman numerals, ordinals, binary.

use super::super::catalogue::{Catalogue, Example, fill};

const WRITE: [&str; 5] = [
    "Write {0} {how}.",
    "Number: {0}\nWrite it {how}.",
    "How is {0} written {how}?",
    "Give {0} {how}.",
    "Convert this: {0}. I want it {how}.",
];
const NEXT: [&str; 5] = [
    "Which Roman numeral comes right {side} {0}?",
    "Roman numeral: {0}\nGive the one right {side} it.",
    "Name the Roman numeral just {side} {0}.",
    "In Roman numerals, what stands right {side} {0}?",
    "Count in Roman numerals: what is directly {side} {0}?",
];
const TWO: [&str; 5] = [
    "{what} of the Roman numerals {0} and {1}?",
    "Roman numerals: {0}, {1}\n{what}?",
    "Take {0} and {1}. {what}, as a Roman numeral?",
    "{0} and {1} are Roman numerals. {what}?",
    "{what}: {0} or {1}? Answer with a Roman numeral.",
];

const UNITS: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 10] = [
    "", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
];
/// Ordinals that cover all endings.
const ORDINALS: [&str; 4] = ["0th", "1st", "2nd", "3rd"];
const ROMAN: [(u64, &str); 13] = [
    (1000, "M"),
    (900, "CM"),
    (500, "D"),
    (400, "CD"),
    (100, "C"),
    (90, "XC"),
    (50, "L"),
    (40, "XL"),
    (10, "X"),
    (9, "IX"),
    (5, "V"),
    (4, "IV"),
    (1, "I"),
];

/// A number below 1,000 in English words.
pub(super) fn number_words(number: u64) -> String {
    let (hundreds, rest) = (number / 100, number % 100);
    let below_hundred = if rest < 20 {
        UNITS[rest as usize].to_owned()
    } else {
        let tens = TENS[(rest / 10) as usize];
        match rest % 10 {
            0 => tens.to_owned(),
            unit => format!("{tens}-{}", UNITS[unit as usize]),
        }
    };
    match (hundreds, rest) {
        (0, _) => below_hundred,
        (_, 0) => format!("{} hundred", number_words(hundreds)),
        _ => format!("{} hundred and {below_hundred}", number_words(hundreds)),
    }
}

/// A number as a Roman numeral.
fn roman(number: u64) -> String {
    let mut rest = number;
    let mut numeral = String::new();
    for (value, letters) in ROMAN {
        while rest >= value {
            numeral.push_str(letters);
            rest -= value;
        }
    }
    numeral
}

/// A number as an ordinal with digits.
pub(super) fn ordinal(number: u64) -> String {
    // 11, 12 and 13 end in `th`.
    let like = match (number / 10 % 10, number % 10) {
        (1, _) | (_, 4..) => 0,
        (_, last) => last,
    };
    format!("{number}{}", &ORDINALS[like as usize][1..])
}

/// Adds the family.
pub(super) fn add(catalogue: &mut Catalogue) {
    catalogue.family("numerals");
    type Writing = fn(u64) -> String;
    let digits: Writing = |number| number.to_string();
    let writings: [(&str, &str, u64, Writing, Writing); 8] = [
        ("to-roman", "as a Roman numeral", 399, digits, roman),
        ("from-roman", "in digits", 399, roman, digits),
        ("to-words", "in words", 999, digits, number_words),
        ("from-words", "in digits, please", 999, number_words, digits),
        (
            "to-ordinal",
            "as an ordinal with digits",
            999,
            digits,
            ordinal,
        ),
        ("to-binary", "in binary", 255, digits, |number| {
            format!("{number:b}")
        }),
        (
            "from-binary",
            "as a decimal number",
            255,
            |number| format!("{number:b}"),
            digits,
        ),
        (
            "to-thousands",
            "with a comma for the thousands",
            99_999,
            digits,
            |number| format!("{},{:03}", number / 1_000, number % 1_000),
        ),
    ];
    for (name, how, most, input, answer) in writings {
        let least = if name == "to-thousands" { 1_000 } else { 1 };
        catalogue.draw(name, &fill(&WRITE, "{how}", how), move |random| {
            let number = random.between(least, most);
            Some(Example::one(input(number), answer(number)))
        });
    }
    for (name, side, is_after) in [
        ("roman-after", "after", true),
        ("roman-before", "before", false),
    ] {
        catalogue.draw(name, &fill(&NEXT, "{side}", side), move |random| {
            let number = random.between(2, 150);
            let other = if is_after { number + 1 } else { number - 1 };
            Some(Example::one(roman(number), roman(other)))
        });
    }
    catalogue.draw(
        "roman-larger",
        &fill(&TWO, "{what}", "Which is the larger"),
        |random| {
            let (a, b) = (random.between(1, 90), random.between(1, 90));
            (a != b).then(|| Example::many([roman(a), roman(b)], roman(a.max(b))))
        },
    );
    let smaller = fill(&TWO, "{what}", "Which is the smaller");
    catalogue.draw("roman-smaller", &smaller, |random| {
        let (a, b) = (random.between(1, 90), random.between(1, 90));
        (a != b).then(|| Example::many([roman(a), roman(b)], roman(a.min(b))))
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_other_ways() {
        assert_eq!(number_words(0), "zero");
        assert_eq!(number_words(40), "forty");
        assert_eq!(number_words(321), "three hundred and twenty-one");
        assert_eq!(number_words(700), "seven hundred");
        assert_eq!(roman(1994), "MCMXCIV");
        assert_eq!(
            ["1st", "12th", "22nd", "113th"].map(str::to_owned),
            [1, 12, 22, 113].map(ordinal)
        );
    }
}
