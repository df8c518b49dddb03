//! Next and previous elements, and gaps in sequences.

use super::super::catalogue::{Catalogue, Example, fill};

const NEIGHBOUR: [&str; 8] = [
    "Which {kind} comes right {side} {0}?",
    "Name the {kind} just {side} {0}.",
    "{0}\nGive the {kind} right {side} it.",
    "What {kind} stands directly {side} {0}?",
    "Give the {kind} immediately {side} {0}.",
    "Start from {0}. Which {kind} is right {side} it?",
    "Write the {kind} directly {side} {0}.",
    "Look at {0} and name the {kind} {side} it.",
];
const CONTINUE: [&str; 5] = [
    "Continue the sequence with one number: {0}",
    "Which number comes next? {0}",
    "{0}\nWrite the next number.",
    "Sequence: {0}\nNext?",
    "Find the number that follows in this sequence: {0}",
];
const GAP: [&str; 5] = [
    "Which number is missing? {0}",
    "Fill the gap: {0}",
    "{0}\nWrite the missing number.",
    "Sequence: {0}\nWhat belongs at the question mark?",
    "Find the number for the question mark: {0}",
];

/// Adds the family.
pub(super) fn add(catalogue: &mut Catalogue) {
    catalogue.family("sequences");
    for (name, side, step) in [
        ("number-after", "after", 1),
        ("number-before", "before", -1),
    ] {
        let phrasings = fill(&fill(&NEIGHBOUR, "{kind}", "number"), "{side}", side);
        catalogue.draw(name, &phrasings, move |random| {
            let number = random.between(2, 9_999);
            Some(Example::one(number, number.checked_add_signed(step)?))
        });
    }
    let even = fill(
        &fill(&NEIGHBOUR, "{kind}", "even number"),
        "{side}",
        "after",
    );
    catalogue.draw("even-after", &even, |random| {
        let number = random.between(2, 999);
        Some(Example::one(number, (number / 2 + 1) * 2))
    });
    for (name, side, step) in [
        ("letter-after", "after", 1),
        ("letter-before", "before", -1),
    ] {
        let kind = "letter of the alphabet";
        let phrasings = fill(&fill(&NEIGHBOUR, "{kind}", kind), "{side}", side);
        let rows = (b'b'..=b'y').filter_map(|letter| {
            Some((
                char::from(letter),
                char::from(letter.checked_add_signed(step)?),
            ))
        });
        catalogue.table(name, &phrasings, rows);
    }
    catalogue.draw("sequence-up", &CONTINUE, |random| {
        let (start, step) = (random.between(1, 50), random.between(2, 12));
        let terms: Vec<String> = (0..4).map(|i| (start + i * step).to_string()).collect();
        Some(Example::one(terms.join(", "), start + 4 * step))
    });
    catalogue.draw("sequence-down", &CONTINUE, |random| {
        let (end, step) = (random.between(1, 50), random.between(2, 12));
        let terms: Vec<String> = (1..5).rev().map(|i| (end + i * step).to_string()).collect();
        Some(Example::one(terms.join(", "), end))
    });
    catalogue.draw("sequence-gap", &GAP, |random| {
        let (start, step) = (random.between(1, 50), random.between(2, 12));
        let gap = random.between(1, 3);
        let term = |i: u64| {
            if i == gap {
                "?".to_owned()
            } else {
                (start + i * step).to_string()
            }
        };
        let terms: Vec<String> = (0..5).map(term).collect();
        Some(Example::one(terms.join(", "), start + gap * step))
    });
}
