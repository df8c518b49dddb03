//! Judgements with two answers: is a claim true, do two texts belong together. The same inputs are
//! judged with several pairs of labels.

use super::super::catalogue::{Catalogue, Example, fill};
use super::super::random::Random;
use super::super::words::categories::CATEGORIES;
use super::super::words::messages::{Labelled, NEWS};
use super::super::words::opinions::{FILMS, MEALS};
use super::super::words::sentences::expand;
use super::super::words::{grammar, knowledge, pairs};
use super::{member, word};

/// Phrasings; the instruction stands before the input or after it.
const ASK: [&str; 8] = [
    "{question} Answer {yes} or {no}.\n{text}",
    "{text}\n{question} {yes} or {no}?",
    "{text}\n\n{question}\nOptions:\n- {yes}\n- {no}",
    "{question}\nOptions:\n- {yes}\n- {no}\n\n{text}",
    "{question} ({yes}/{no}) {text}",
    "{text} {question} Say {yes} or {no}.",
    "{text}\n{question} Reply with {yes} or {no}.",
    "Read this. {text}\n{question} Choose {yes} or {no}.",
];

/// Suffix of task names, and the answers, yes first.
type Labels = (&'static str, [&'static str; 2]);

/// Labels for claims.
const VERDICTS: [Labels; 6] = [
    ("yes", ["yes", "no"]),
    ("yes-capital", ["Yes", "No"]),
    ("truth", ["true", "false"]),
    ("truth-capital", ["True", "False"]),
    ("right", ["right", "wrong"]),
    ("letter", ["Y", "N"]),
];
/// Claims have that many of them, by turns.
const VERDICTS_EACH: usize = 3;

/// Labels for pairs.
const RELATIONS: [Labels; 4] = [
    ("yes", ["yes", "no"]),
    ("yes-capital", ["Yes", "No"]),
    ("same", ["same", "different"]),
    ("digit", ["1", "0"]),
];

/// Name, table, and the claim about a left side {l} and a right side {r}.
const CLAIMS: [(&str, &str, &str); 12] = [
    ("capital", knowledge::CAPITALS, "{r} is the capital of {l}."),
    (
        "nationality",
        knowledge::NATIONALITIES,
        "Things from {l} are called {r}.",
    ),
    ("continent", knowledge::CONTINENTS, "{l} lies in {r}."),
    ("young", knowledge::YOUNG, "A young {l} is called a {r}."),
    (
        "container",
        knowledge::CONTAINERS,
        "A {r} is for keeping {l}.",
    ),
    ("material", knowledge::MATERIALS, "A {l} is made of {r}."),
    ("workplace", knowledge::WORKPLACES, "A {l} works in a {r}."),
    ("symbol", knowledge::ELEMENTS, "The symbol of {l} is {r}."),
    ("opposite", grammar::ANTONYMS, "The opposite of {l} is {r}."),
    (
        "synonym",
        grammar::SYNONYMS,
        "The words {l} and {r} mean the same.",
    ),
    ("plural", grammar::PLURALS, "Many of them: {l}, {r}."),
    (
        "past",
        grammar::VERBS,
        "Today they {l}, yesterday they {r}.",
    ),
];

/// Draws the fields of an input and whether it is so.
type Draw = fn(&mut Random) -> Option<(Vec<String>, bool)>;

/// Claims about numbers and words: name, claim, draw.
const CHECKS: [(&str, &str, Draw); 4] = [
    ("sum", "{0} + {1} = {2}", |random| {
        let (a, b) = (random.between(2, 60), random.between(2, 60));
        let is_true = random.coin();
        let wrong = a + b + random.between(1, 9);
        let sum = if is_true { a + b } else { wrong };
        Some((vec![a.to_string(), b.to_string(), sum.to_string()], is_true))
    }),
    ("greater", "{0} is more than {1}", |random| {
        let (a, b) = (random.between(1, 999), random.between(1, 999));
        (a != b).then(|| (vec![a.to_string(), b.to_string()], a > b))
    }),
    ("spelled", "{0}", |random| {
        let word = word(random);
        if random.coin() {
            return Some((vec![word.to_owned()], true));
        }
        let mut letters: Vec<char> = word.chars().collect();
        let place = random.index(letters.len() - 1);
        letters.swap(place, place + 1);
        let wrong: String = letters.into_iter().collect();
        (wrong != word).then(|| (vec![wrong], false))
    }),
    ("sorted", "{0}, {1}, {2}", |random| {
        let mut words = [word(random), word(random), word(random)];
        let is_sorted = random.coin();
        if is_sorted {
            words.sort_unstable();
        }
        (words.is_sorted() == is_sorted).then(|| (words.map(str::to_owned).to_vec(), is_sorted))
    }),
];

/// Pairs of texts: name, question, draw.
const PAIRS: [(&str, &str, Draw); 6] = [
    ("kind", "Are the two of the same kind?", |random| {
        let category = random.pick(&CATEGORIES.iter().collect::<Vec<_>>());
        let is_same = random.coin();
        let other = if is_same {
            category
        } else {
            random.pick(&category.rivals().collect::<Vec<_>>())
        };
        let pair = [member(random, category), member(random, other)];
        (pair[0] != pair[1]).then(|| (pair.map(str::to_owned).to_vec(), is_same))
    }),
    (
        "first-letter",
        "Do both begin with the same letter?",
        |random| {
            let pair = [word(random), word(random)];
            let is_same = pair[0].as_bytes()[0] == pair[1].as_bytes()[0];
            balanced(random, pair, is_same, 12)
        },
    ),
    (
        "length",
        "Do both have the same number of letters?",
        |random| {
            let pair = [word(random), word(random)];
            let is_same = pair[0].len() == pair[1].len();
            balanced(random, pair, is_same, 5)
        },
    ),
    ("topic", "Are both about the same topic?", |random| {
        alike(random, &NEWS)
    }),
    (
        "film-opinion",
        "Do both think the same of the film?",
        |random| alike(random, &FILMS),
    ),
    ("meal-opinion", "Do both guests agree?", |random| {
        alike(random, &MEALS)
    }),
];

/// Adds the family.
pub(super) fn add(catalogue: &mut Catalogue) {
    catalogue.family("judgements");
    let claims = CLAIMS.iter().map(|claim| (claim.0, claim));
    for (turn, (name, &(_, table, claim))) in claims.enumerate() {
        let labels = VERDICTS.iter().cycle().skip(turn).step_by(2);
        for &(suffix, labels) in labels.take(VERDICTS_EACH) {
            let question = ["Is this true?", "Is that correct?"][turn % 2];
            catalogue.table(
                &format!("claim-{name}-{suffix}"),
                &phrasings(question, "{0}", labels),
                claims_of(table, claim, labels),
            );
        }
    }
    for (turn, (name, claim, draw)) in CHECKS.into_iter().enumerate() {
        let question = match name {
            "spelled" => "Is this word spelled correctly?",
            "sorted" => "Are these words in alphabetical order?",
            _ => "Is this correct?",
        };
        let labels = VERDICTS.iter().cycle().skip(turn);
        for &(suffix, labels) in labels.take(VERDICTS_EACH) {
            let name = format!("check-{name}-{suffix}");
            add_drawn(catalogue, &name, question, claim, labels, draw);
        }
    }
    for (name, question, draw) in PAIRS {
        for (suffix, labels) in RELATIONS {
            let name = format!("both-{name}-{suffix}");
            add_drawn(catalogue, &name, question, "1: {0}\n2: {1}", labels, draw);
        }
    }
}

/// Each pair of a table as a true claim, and once with the right side of another pair.
fn claims_of(table: &'static str, claim: &str, labels: [&'static str; 2]) -> Vec<(String, String)> {
    let rows = pairs(table);
    // Sentences without slots draw nothing.
    let mut random = Random::new(0, "");
    let mut claims = Vec::with_capacity(2 * rows.len());
    for (place, (left, right)) in rows.iter().enumerate() {
        let others = rows.iter().cycle().skip(place).map(|(_, other)| other);
        let mut others = others.take(rows.len()).filter(|other| *other != right);
        for (shown, is_true) in [(Some(right), true), (others.next(), false)] {
            let text = claim.replace("{l}", left);
            let text = text.replace("{r}", shown.unwrap_or(right));
            let (text, _) = expand(&text, "", &mut random);
            claims.push((text, label(labels, is_true).to_owned()));
        }
    }
    claims
}

fn add_drawn(
    catalogue: &mut Catalogue,
    name: &str,
    question: &str,
    text: &str,
    labels: [&'static str; 2],
    draw: Draw,
) {
    catalogue.draw(name, &phrasings(question, text, labels), move |random| {
        let (fields, is_so) = draw(random)?;
        Some(Example::many(fields, label(labels, is_so)))
    });
}

fn phrasings(question: &str, text: &str, [yes, no]: [&str; 2]) -> Vec<String> {
    let asked = fill(&fill(&ASK, "{question}", question), "{text}", text);
    fill(&fill(&asked, "{yes}", yes), "{no}", no)
}

fn label([yes, no]: [&'static str; 2], is_so: bool) -> &'static str {
    if is_so { yes } else { no }
}

/// Keeps one in `rarity` of the pairs that are not the same, so that both answers are frequent.
fn balanced(
    random: &mut Random,
    pair: [&str; 2],
    is_same: bool,
    rarity: u64,
) -> Option<(Vec<String>, bool)> {
    let is_kept = is_same || random.below(rarity) == 0;
    (is_kept && pair[0] != pair[1]).then(|| (pair.map(str::to_owned).to_vec(), is_same))
}

/// Two sentences, and whether they have the same label.
fn alike(random: &mut Random, classes: &[Labelled]) -> Option<(Vec<String>, bool)> {
    let first = random.index(classes.len());
    let second = if random.coin() {
        first
    } else {
        (first + 1 + random.index(classes.len() - 1)) % classes.len()
    };
    let pair = [first, second].map(|class| expand(random.pick(classes[class].1), "", random).0);
    Some((pair.to_vec(), first == second))
}
