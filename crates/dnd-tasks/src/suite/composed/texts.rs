//! Words without commas, and names of persons, a family that is held out as a whole.

use super::super::catalogue::Catalogue;
use super::super::random::Random;
use super::super::words::categories::named;
use super::super::words::{VOCABULARY, words};
use super::{Group, Operation, capitalised, operation, upper};

const LINE: Group = Group {
    name: "text",
    templates: &[
        "Give {what}: {0}",
        "{0}\nWrite {what}.",
        "Text: {0}\nAnswer with {what}.",
        "From the text \"{0}\", give {what}.",
        "Tell me {what}: {0}",
        "Read this: {0}. Reply with {what}.",
        "Take \"{0}\" and write {what}.",
        "Reply with {what}. {0}",
        "I need {what} of this text. {0}",
        "{0} -> {what}",
    ],
    input: |random| {
        let count = random.between(4, 7) as usize;
        random.sample(&VOCABULARY, count).join(" ")
    },
};

fn parts(text: &str) -> Vec<&str> {
    text.split(' ').collect()
}

const OF_LINE: &[Operation] = &[
    operation(
        "first",
        &["its first word", "the word that it begins with"],
        |t| parts(t).first().map(|&word| word.to_owned()),
    ),
    operation(
        "last",
        &["its last word", "the word that it ends with"],
        |t| parts(t).last().map(|&word| word.to_owned()),
    ),
    operation("second", &["its second word", "word number two"], |t| {
        parts(t).get(1).map(|&word| word.to_owned())
    }),
    operation(
        "count",
        &["the number of its words", "how many words it has"],
        |t| Some(parts(t).len().to_string()),
    ),
    operation(
        "upper",
        &["it in capital letters", "the text in upper case"],
        upper,
    ),
    operation(
        "sentence",
        &[
            "it as a sentence, with a capital letter and a full stop",
            "the text with an initial capital and a final full stop",
        ],
        |t| Some(format!("{}.", capitalised(t)?)),
    ),
    operation(
        "commas",
        &[
            "its words with commas in between",
            "the words as a list with commas",
        ],
        |t| Some(parts(t).join(", ")),
    ),
    operation(
        "without-first",
        &["it without its first word", "all but the first word"],
        |t| Some(parts(t)[1..].join(" ")),
    ),
    operation(
        "hyphens",
        &[
            "it with hyphens instead of spaces",
            "its words joined with hyphens",
        ],
        |t| Some(t.replace(' ', "-")),
    ),
    operation(
        "underscores",
        &[
            "it with underscores instead of spaces",
            "the text in snake case",
        ],
        |t| Some(t.replace(' ', "_")),
    ),
    operation(
        "question",
        &[
            "it as a question, with a question mark",
            "the text with a question mark",
        ],
        |t| Some(format!("{t}?")),
    ),
    operation(
        "exclamation",
        &["it with an exclamation mark", "the text as an exclamation"],
        |t| Some(format!("{t}!")),
    ),
];

const NAME: Group = Group {
    name: "person",
    templates: &[
        "Give {what}: {0}",
        "{0}\nWrite {what}.",
        "Name: {0}\nAnswer with {what}.",
        "For the person {0}, give {what}.",
        "Tell me {what}: {0}",
        "The name is {0}. What is {what}?",
        "Take {0} and write {what}.",
        "Reply with {what}. {0}",
        "I need {what} for {0}.",
        "{0} -> {what}",
    ],
    input: person,
};

const SURNAMES: &str = "Miller Smith Baker Fisher Young Carter Wilson Moore Taylor Clark Lewis \
    Walker Hall Allen Wright Scott Green Adams Nelson Mitchell Roberts Turner Phillips Campbell \
    Parker Evans Edwards Collins Stewart Morris";

fn person(random: &mut Random) -> String {
    let names = named("name").map_or("", |category| category.words);
    let (first, last) = (random.pick(&words(names)), random.pick(&words(SURNAMES)));
    format!("{first} {last}")
}

fn names(text: &str) -> Option<(&str, &str)> {
    text.split_once(' ')
}

const OF_NAME: &[Operation] = &[
    operation("first", &["the first name", "the given name"], |t| {
        Some(names(t)?.0.to_owned())
    }),
    operation("last", &["the last name", "the surname"], |t| {
        Some(names(t)?.1.to_owned())
    }),
    operation(
        "swapped",
        &[
            "the surname, a comma and the first name",
            "the name as in an index",
        ],
        |t| {
            let (first, last) = names(t)?;
            Some(format!("{last}, {first}"))
        },
    ),
    operation(
        "upper",
        &["the name in capital letters", "it in upper case"],
        upper,
    ),
    operation(
        "lower",
        &["the name in small letters", "it in lower case"],
        |t| Some(t.to_lowercase()),
    ),
    operation(
        "greeting",
        &[
            "a greeting that begins with \"Dear\"",
            "\"Dear\" with the first name",
        ],
        |t| Some(format!("Dear {}", names(t)?.0)),
    ),
    operation(
        "initial",
        &[
            "the initial of the first name and the surname",
            "the name, its first part shortened",
        ],
        |t| {
            let (first, last) = names(t)?;
            Some(format!("{}. {last}", first.chars().next()?))
        },
    ),
    operation(
        "email",
        &[
            "the address first.last@example.com",
            "the e-mail address at example.com",
        ],
        |t| {
            let (first, last) = names(t)?;
            Some(format!("{first}.{last}@example.com").to_lowercase())
        },
    ),
    operation(
        "first-upper",
        &[
            "the first name in capital letters",
            "the given name in upper case",
        ],
        |t| upper(names(t)?.0),
    ),
    operation(
        "last-upper",
        &[
            "the surname in capital letters",
            "the last name in upper case",
        ],
        |t| upper(names(t)?.1),
    ),
];

/// Adds the groups.
pub(super) fn add(catalogue: &mut Catalogue) {
    LINE.add(catalogue, OF_LINE);
    NAME.add(catalogue, OF_NAME);
}
