//! Classes whose names stand in the prompt. The same words and texts are sorted with many choices
//! of names, so that only the prompt says which.

use super::super::catalogue::{Catalogue, Example, fill};
use super::super::random::Random;
use super::super::words::categories::{CATEGORIES, Category};
use super::super::words::messages::{FEELINGS, HOME, Labelled, NEWS, REQUESTS};
use super::super::words::opinions::{DEVICES, FILMS, MEALS};
use super::super::words::sentences::expand;
use super::classification::choice;
use super::{capitalised, member};

/// Phrasings. `{Labels}` begins with a capital letter.
const ASK: [&str; 10] = [
    "Is this {labels}? {0}",
    "{Labels}? {0}",
    "{0}\n{Labels}?",
    "Label the text as {labels}: {0}",
    "Which of these fits, {labels}? {0}",
    "{0} Is it {labels}?",
    "Choose between {labels}.\n{0}",
    "Sort this into {labels}: {0}",
    "Decide whether this is {labels}. {0}",
    "{0}\n\nAnswer with {labels}.",
];

/// Names of a good and a bad opinion.
const OPINIONS: [[&str; 2]; 14] = [
    ["praise", "complaint"],
    ["happy", "unhappy"],
    ["good", "bad"],
    ["like", "dislike"],
    ["fan", "critic"],
    ["satisfied", "disappointed"],
    ["plus", "minus"],
    ["favourable", "unfavourable"],
    ["friendly", "hostile"],
    ["thumbs up", "thumbs down"],
    ["approval", "rejection"],
    ["warm", "cold"],
    ["pass", "fail"],
    ["yes", "no"],
];
/// Each table of opinions gets this many of the names, by turns.
const OPINIONS_EACH: usize = 9;

/// Part of task names, labelled sentences, and other names of their classes.
type Messages = (
    &'static str,
    &'static [Labelled; 4],
    &'static [[&'static str; 4]],
);

const MESSAGES: [Messages; 4] = [
    (
        "news",
        &NEWS,
        &[
            ["athletics", "government", "climate", "economy"],
            ["games", "elections", "forecast", "money"],
        ],
    ),
    (
        "request",
        &REQUESTS,
        &[
            ["returns", "shipping", "login", "thanks"],
            ["money back", "parcel", "access", "compliment"],
            ["Payments", "Logistics", "Profile", "Feedback"],
        ],
    ),
    (
        "home",
        &HOME,
        &[
            ["lamps", "sound", "warmth", "security"],
            ["brightness", "audio", "temperature", "alert"],
        ],
    ),
    (
        "feeling",
        &FEELINGS,
        &[
            ["happy", "angry", "afraid", "sad"],
            ["delighted", "annoyed", "worried", "gloomy"],
            ["Cheerful", "Furious", "Scared", "Unhappy"],
        ],
    ),
];
/// The classes that a task has: all, or these.
const CHOICES: [&[usize]; 4] = [&[0, 1, 2, 3], &[1, 2, 3], &[0, 2, 3], &[0, 1, 3]];

/// Number of tasks that sort words by category.
const KINDS: usize = 60;
/// Words in front of a noun, which do not change its kind.
const ARTICLES: [&str; 5] = ["", "the ", "my ", "one ", "this "];

/// Adds the family.
pub(super) fn add(catalogue: &mut Catalogue) {
    catalogue.family("labels");
    let tables = [("film", &FILMS), ("meal", &MEALS), ("device", &DEVICES)];
    for (turn, (name, classes)) in tables.into_iter().enumerate() {
        let names = OPINIONS.iter().cycle().skip(5 * turn).take(OPINIONS_EACH);
        for names in names {
            let name = format!("label-{name}-{}", names[0].replace(' ', "-"));
            add_messages(catalogue, &name, classes, names);
        }
    }
    for (name, classes, others) in MESSAGES {
        for names in others {
            for choice in CHOICES {
                let classes: Vec<Labelled> = choice.iter().map(|&class| classes[class]).collect();
                let names: Vec<&str> = choice.iter().map(|&class| names[class]).collect();
                let name = format!("label-{name}-{}", names.join("-").replace(' ', "-"));
                add_messages(catalogue, &name.to_lowercase(), &classes, &names);
            }
        }
    }
    add_kinds(catalogue);
}

/// Adds a task whose classes have these names.
fn add_messages(
    catalogue: &mut Catalogue,
    name: &str,
    classes: &[Labelled],
    names: &[&'static str],
) {
    let (classes, names) = (classes.to_vec(), names.to_vec());
    catalogue.draw(name, &phrasings(&names), move |random| {
        let place = random.index(classes.len());
        let sentence = random.pick(classes[place].1);
        let (text, _) = expand(sentence, "", random);
        Some(Example::one(text, names[place]))
    });
}

/// Adds tasks that sort words into three to five categories.
fn add_kinds(catalogue: &mut Catalogue) {
    let nouns: Vec<&Category> = CATEGORIES
        .iter()
        .filter(|category| category.takes_an_article())
        .collect();
    for turn in 0..KINDS {
        let mut random = Random::new(0, &format!("label-kind-{turn}"));
        let mut chosen: Vec<&'static Category> = vec![nouns[turn % nouns.len()]];
        while chosen.len() < 3 + turn % 3 {
            let next = random.pick(&nouns);
            let is_apart = |one: &&Category| one.rivals().any(|rival| rival.name == next.name);
            if chosen.iter().all(is_apart) {
                chosen.push(next);
            }
        }
        let names: Vec<&str> = chosen.iter().map(|category| category.name).collect();
        let name = format!("label-kind-{}", names.join("-"));
        catalogue.draw(&name, &phrasings(&names), move |random| {
            let category = random.pick(&chosen);
            let article = random.pick(&ARTICLES);
            let word = member(random, category);
            Some(Example::one(format!("{article}{word}"), category.name))
        });
    }
}

/// The phrasings for these names.
fn phrasings(names: &[&str]) -> Vec<String> {
    let labels = choice(names);
    let phrasings = fill(&ASK, "{labels}", &labels);
    fill(&phrasings, "{Labels}", &capitalised(&labels))
}
