//! Single words: translations, forms, relations and letters of the same words.

use super::super::catalogue::Catalogue;
use super::super::random::Random;
use super::super::words::{grammar, knowledge, pairs, translations};
use super::{
    Group, Operation, capitalised, first_letter, last_letter, length, operation, upper, yes,
};

const TEMPLATES: &[&str] = &[
    "Give {what}: {0}",
    "{0}\nWrite {what}.",
    "Word: {0}\nAnswer with {what}.",
    "For the word {0}, give {what}.",
    "Tell me {what}: {0}",
    "The word is {0}. What is {what}?",
    "\"{0}\" - write {what}.",
    "Reply with {what}. {0}",
    "I need {what} for {0}.",
    "{0} -> {what}",
];

/// The word at the right of `word` in a table.
fn right(table: &'static str, word: &str) -> Option<String> {
    let mut pairs = pairs(table).into_iter();
    let found = pairs.find(|(left, _)| *left == word);
    found.map(|(_, right)| right.to_owned())
}

fn left(table: &'static str, random: &mut Random) -> String {
    random.pick(&pairs(table)).0.to_owned()
}

fn translated(word: &str, language: usize) -> Option<String> {
    let all = right(translations::WORDS, word)?;
    all.split(' ').nth(language).map(str::to_owned)
}

/// Letters and forms that any word has.
const ANY: [Operation; 8] = [
    operation(
        "upper",
        &["the word in capital letters", "it in upper case"],
        upper,
    ),
    operation(
        "capitalised",
        &[
            "the word with a capital first letter",
            "it with an initial capital",
        ],
        capitalised,
    ),
    operation(
        "first-letter",
        &["its first letter", "the letter that it begins with"],
        first_letter,
    ),
    operation(
        "last-letter",
        &["its last letter", "the letter that it ends with"],
        last_letter,
    ),
    operation(
        "length",
        &["the number of its letters", "how many letters it has"],
        length,
    ),
    operation(
        "first-two",
        &["its first two letters", "the two letters at its beginning"],
        |word| word.get(..2).map(str::to_owned),
    ),
    operation(
        "twice",
        &["the word two times", "the word, repeated once"],
        |word| Some(format!("{word} {word}")),
    ),
    operation(
        "is-long",
        &[
            "yes if it has more than four letters, else no",
            "yes for more than four letters and no for fewer",
        ],
        |word| yes(word.chars().count() > 4),
    ),
];

fn add_group(
    catalogue: &mut Catalogue,
    name: &'static str,
    input: fn(&mut Random) -> String,
    own: &[Operation],
    any: &[&str],
) {
    let group = Group {
        name,
        templates: TEMPLATES,
        input,
    };
    group.add(catalogue, own);
    let any: Vec<Operation> = ANY
        .iter()
        .filter(|operation| any.contains(&operation.name))
        .copied()
        .collect();
    group.add(catalogue, &any);
}

/// Adds the groups.
pub(super) fn add(catalogue: &mut Catalogue) {
    // German is held out.
    let own = [
        operation(
            "french",
            &["its French translation", "the word in French"],
            |w| translated(w, 0),
        ),
        operation(
            "spanish",
            &["its Spanish translation", "the word in Spanish"],
            |w| translated(w, 1),
        ),
        operation(
            "italian",
            &["its Italian translation", "the word in Italian"],
            |w| translated(w, 2),
        ),
    ];
    let all = ANY.map(|operation| operation.name);
    add_group(
        catalogue,
        "term",
        |random| left(translations::WORDS, random),
        &own,
        &all,
    );
    let own = [
        operation(
            "capital",
            &["its capital city", "the capital of that country"],
            |w| right(knowledge::CAPITALS, w),
        ),
        operation(
            "people",
            &[
                "the adjective of that country",
                "what its people are called",
            ],
            |w| right(knowledge::NATIONALITIES, w),
        ),
        operation(
            "continent",
            &["its continent", "the continent that it is part of"],
            |w| right(knowledge::CONTINENTS, w),
        ),
    ];
    add_group(
        catalogue,
        "nation",
        |random| left(knowledge::CAPITALS, random),
        &own,
        &["upper", "first-letter", "length", "twice"],
    );
    let own = [
        operation("past", &["its past tense", "the past form"], |w| {
            right(grammar::VERBS, w)
        }),
        operation(
            "infinitive",
            &["it with \"to\" in front", "the infinitive with \"to\""],
            |w| Some(format!("to {w}")),
        ),
        operation(
            "future",
            &["it with \"will\" in front", "the future with \"will\""],
            |w| Some(format!("will {w}")),
        ),
        operation(
            "negated",
            &[
                "it with \"do not\" in front",
                "the prohibition with \"do not\"",
            ],
            |w| Some(format!("do not {w}")),
        ),
    ];
    add_group(
        catalogue,
        "verb",
        |random| left(grammar::VERBS, random),
        &own,
        &["upper", "first-letter", "last-letter", "length"],
    );
    let own = [
        operation("opposite", &["its opposite", "an antonym"], |w| {
            right(grammar::ANTONYMS, w)
        }),
        operation(
            "very",
            &["it with \"very\" in front", "a stronger form with \"very\""],
            |w| Some(format!("very {w}")),
        ),
        operation(
            "not",
            &["it with \"not\" in front", "its negation with \"not\""],
            |w| Some(format!("not {w}")),
        ),
    ];
    add_group(
        catalogue,
        "quality",
        |random| left(grammar::ANTONYMS, random),
        &own,
        &["upper", "first-letter", "length", "capitalised"],
    );
    let own = [
        operation("plural", &["its plural", "the form for several"], |w| {
            right(grammar::PLURALS, w)
        }),
        operation(
            "two",
            &["two of them", "the plural with \"two\" in front"],
            |w| right(grammar::PLURALS, w).map(|plural| format!("two {plural}")),
        ),
        operation(
            "the",
            &[
                "it with \"the\" in front",
                "the word with its definite article",
            ],
            |w| Some(format!("the {w}")),
        ),
        operation(
            "my",
            &["it with \"my\" in front", "the word as mine, with \"my\""],
            |w| Some(format!("my {w}")),
        ),
    ];
    add_group(
        catalogue,
        "noun",
        |random| left(grammar::PLURALS, random),
        &own,
        &["upper", "first-letter", "length", "twice"],
    );
}
