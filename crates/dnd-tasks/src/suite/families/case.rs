//! Upper and lower case, and naming conventions of programming languages.

use super::super::catalogue::{Catalogue, Example, fill};
use super::{capitalised, line, word};

const WORD: [&str; 5] = [
    "Write the word {0} {how}.",
    "Word: {0}\nWrite it {how}.",
    "Give \"{0}\" {how}.",
    "How does {0} look {how}?",
    "Put this word {how}: {0}",
];
const LINE: [&str; 5] = [
    "Write this line {how}: {0}",
    "{0}\nWrite it {how}.",
    "Give these words {how}: {0}",
    "How does this look {how}? {0}",
    "Line: {0}\nPut it {how}.",
];

type Change = fn(&str) -> String;

/// Adds the family.
pub(super) fn add(catalogue: &mut Catalogue) {
    catalogue.family("case");
    let words: [(&str, &str, Change); 4] = [
        ("word-upper", "in capital letters", str::to_uppercase),
        ("word-title", "with a capital first letter", capitalised),
        (
            "word-last-capital",
            "with nothing but the last letter as a capital",
            |word| {
                let last = word.len() - 1;
                format!("{}{}", &word[..last], word[last..].to_uppercase())
            },
        ),
        (
            "word-alternating",
            "with every other letter as a capital, beginning with the first",
            |word| {
                word.chars()
                    .enumerate()
                    .map(|(i, c)| {
                        if i % 2 == 0 {
                            c.to_ascii_uppercase()
                        } else {
                            c
                        }
                    })
                    .collect()
            },
        ),
    ];
    for (name, how, change) in words {
        catalogue.draw(name, &fill(&WORD, "{how}", how), move |random| {
            let word = word(random);
            Some(Example::one(word, change(word)))
        });
    }
    catalogue.draw(
        "word-lower",
        &fill(&WORD, "{how}", "in small letters"),
        |random| {
            let word = word(random);
            Some(Example::one(word.to_uppercase(), word))
        },
    );
    let swapped = fill(
        &WORD,
        "{how}",
        "with small letters as capitals and capitals as small letters",
    );
    catalogue.draw("word-swap-case", &swapped, |random| {
        let word = word(random);
        let place = random.index(word.len());
        let (start, end) = word.split_at(place);
        let input = format!("{start}{}", end.to_uppercase());
        Some(Example::one(
            input,
            format!("{}{end}", start.to_uppercase()),
        ))
    });
    let lines: [(&str, &str, Change); 7] = [
        ("line-upper", "in capital letters", str::to_uppercase),
        (
            "line-title",
            "with a capital at the start of every word",
            |line| each(line, " ", capitalised),
        ),
        (
            "line-sentence",
            "as a sentence, with a capital and a full stop",
            |line| format!("{}.", capitalised(line)),
        ),
        ("snake-case", "in snake case", |line| line.replace(' ', "_")),
        ("kebab-case", "in kebab case", |line| line.replace(' ', "-")),
        ("pascal-case", "in Pascal case, as for a type", |line| {
            each(line, "", capitalised)
        }),
        (
            "constant-case",
            "in upper case with underscores, as for a constant",
            |line| line.to_uppercase().replace(' ', "_"),
        ),
    ];
    for (name, how, change) in lines {
        catalogue.draw(name, &fill(&LINE, "{how}", how), move |random| {
            let line = line(random, 2, 3);
            let answer = change(&line);
            Some(Example::one(line, answer))
        });
    }
    let initials: [(&str, &str, Change); 2] = [
        (
            "acronym",
            "as an acronym of the first letters, in capitals",
            |line| each(line, "", |word| word[..1].to_uppercase()),
        ),
        (
            "initials-dots",
            "as initials in capitals, a dot after each",
            |line| each(line, "", |word| format!("{}.", word[..1].to_uppercase())),
        ),
    ];
    for (name, how, change) in initials {
        catalogue.draw(name, &fill(&LINE, "{how}", how), move |random| {
            let line = line(random, 3, 4);
            let answer = change(&line);
            Some(Example::one(line, answer))
        });
    }
}

/// Applies `change` to each word and joins the results.
fn each(line: &str, separator: &str, change: impl Fn(&str) -> String) -> String {
    let words: Vec<String> = line.split(' ').map(change).collect();
    words.join(separator)
}
