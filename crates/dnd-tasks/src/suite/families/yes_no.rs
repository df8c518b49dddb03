//! Questions with two answers, such as yes and no, true and false, 1 and 0.

use super::super::catalogue::{Catalogue, Example, fill};
use super::super::random::Random;
use super::super::words::categories::{Category, named};
use super::super::words::words;
use super::{capitalised, list, member, word};

const ASK: [&str; 5] = [
    "{question} Answer {yes} or {no}.",
    "Answer with {yes} or {no}: {question}",
    "{question}\nSay {yes} or {no}.",
    "Reply {yes} or {no}. {question}",
    "{question} ({yes}/{no})",
];

/// The two answers, yes first.
type Answers = (&'static str, &'static str);
const WORDS: Answers = ("yes", "no");
const TRUTH: Answers = ("true", "false");
const LETTERS: Answers = ("Y", "N");
const DIGITS: Answers = ("1", "0");
const CAPITALS: Answers = ("YES", "NO");

/// Draws fields and whether the answer is yes.
type Question = fn(&mut Random) -> Option<(Vec<String>, bool)>;

/// Name, question, variants (name suffix and answers), and draw function.
type Asked = (
    &'static str,
    &'static str,
    &'static [(&'static str, Answers)],
    Question,
);

/// Adds the family.
pub(super) fn add(catalogue: &mut Catalogue) {
    catalogue.family("yes-no");
    for (category, answers) in [
        ("animal", WORDS),
        ("fruit", WORDS),
        ("colour", TRUTH),
        ("country", WORDS),
        ("profession", LETTERS),
        ("city", CAPITALS),
        ("vegetable", DIGITS),
    ] {
        if let Some(category) = named(category) {
            add_membership(catalogue, category, answers);
        }
    }
    let questions: [Asked; 9] = [
        (
            "contains-letter",
            "Does the word {0} contain the letter {1}?",
            &[("", WORDS), ("-truth", TRUTH)],
            contains_letter,
        ),
        (
            "starts-with-vowel",
            "Of {0} and {1}, does the first begin with a vowel?",
            &[("", WORDS), ("-letters", LETTERS)],
            starts_with_vowel,
        ),
        (
            "is-even",
            "Is the number {0} even?",
            &[("", WORDS), ("-truth", TRUTH), ("-digits", DIGITS)],
            is_even,
        ),
        (
            "is-odd",
            "Is the number {0} odd?",
            &[("", WORDS)],
            |random| is_even(random).map(|(fields, even)| (fields, !even)),
        ),
        (
            "is-greater",
            "Is {0} greater than {1}?",
            &[("", WORDS), ("-capitals", CAPITALS)],
            |random| {
                let (a, b) = (random.between(1, 999), random.between(1, 999));
                (a != b).then(|| (vec![a.to_string(), b.to_string()], a > b))
            },
        ),
        (
            "is-longer",
            "Is the word {0} longer than {1}?",
            &[("", WORDS), ("-truth", TRUTH)],
            |random| {
                let (a, b) = (word(random), word(random));
                (a.len() != b.len()).then(|| (vec![a.to_owned(), b.to_owned()], a.len() > b.len()))
            },
        ),
        (
            "is-earlier",
            "Does {0} come before {1} in the alphabet?",
            &[("", WORDS)],
            |random| {
                let (a, b) = (word(random), word(random));
                (a != b).then(|| (vec![a.to_owned(), b.to_owned()], a < b))
            },
        ),
        (
            "list-contains",
            "Is {1} in this list: {0}?",
            &[("", WORDS), ("-letters", LETTERS)],
            list_contains,
        ),
        (
            "is-capitalised",
            "Does {0} begin with a capital letter?",
            &[("", TRUTH)],
            |random| {
                let word = word(random);
                let capital = random.coin();
                let text = if capital {
                    capitalised(word)
                } else {
                    word.to_owned()
                };
                Some((vec![text], capital))
            },
        ),
    ];
    for (name, question, forms, draw) in questions {
        for (suffix, answers) in forms.iter().copied() {
            catalogue.draw(
                &format!("{name}{suffix}"),
                &phrasings(question, answers),
                move |random| {
                    let (fields, is_yes) = draw(random)?;
                    Some(Example::many(fields, answer(answers, is_yes)))
                },
            );
        }
    }
}

fn phrasings(question: &str, (yes, no): Answers) -> Vec<String> {
    fill(
        &fill(&fill(&ASK, "{question}", question), "{yes}", yes),
        "{no}",
        no,
    )
}

fn answer((yes, no): Answers, is_yes: bool) -> &'static str {
    if is_yes { yes } else { no }
}

/// Adds a task that asks whether the first of two words belongs to a category. Half of the
/// answers are yes.
fn add_membership(catalogue: &mut Catalogue, category: &'static Category, answers: Answers) {
    let members = words(category.words);
    let rivals: Vec<&Category> = category.rivals().collect();
    let question = format!("Of {{0}} and {{1}}, is the first {}?", category.phrase);
    catalogue.draw(
        &format!("is-{}", category.name),
        &phrasings(&question, answers),
        move |random| {
            // A single word would give too few distinct inputs with the answer yes.
            let [first, second] = [random.coin(), random.coin()];
            let mut word = |is_member: bool| {
                if is_member {
                    random.pick(&members)
                } else {
                    let rival = random.pick(&rivals);
                    member(random, rival)
                }
            };
            let pair = [word(first), word(second)];
            (pair[0] != pair[1]).then(|| Example::many(pair, answer(answers, first)))
        },
    );
}

fn contains_letter(random: &mut Random) -> Option<(Vec<String>, bool)> {
    let word = word(random);
    let letter = if random.coin() {
        char::from(word.as_bytes()[random.index(word.len())])
    } else {
        char::from(b'a' + random.below(26) as u8)
    };
    Some((
        vec![word.to_owned(), letter.to_string()],
        word.contains(letter),
    ))
}

/// Rejects most words that begin with a consonant, to balance the answers.
fn starts_with_vowel(random: &mut Random) -> Option<(Vec<String>, bool)> {
    let (first, second) = (word(random), word(random));
    let is_vowel = first.starts_with(|letter| "aeiou".contains(letter));
    let is_kept = is_vowel || random.below(4) == 0;
    is_kept.then(|| (vec![first.to_owned(), second.to_owned()], is_vowel))
}

fn is_even(random: &mut Random) -> Option<(Vec<String>, bool)> {
    let number = random.between(1, 9_999);
    Some((vec![number.to_string()], number.is_multiple_of(2)))
}

fn list_contains(random: &mut Random) -> Option<(Vec<String>, bool)> {
    let items = list(random, 3, 6);
    let named = if random.coin() {
        random.pick(&items)
    } else {
        word(random)
    };
    Some((
        vec![items.join(", "), named.to_owned()],
        items.contains(&named),
    ))
}
