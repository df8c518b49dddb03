//! Words by their relation to another word, in both directions where the answer is unambiguous.

use super::super::catalogue::{Catalogue, fill};
use super::super::words::{grammar, knowledge, pairs};

/// Which side of a pair is given.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

type Relation = (&'static str, &'static str, Side, [&'static str; 5]);

/// Name, table, given side, phrasings.
#[rustfmt::skip]
const RELATIONS: [Relation; 23] = [
    ("opposite", grammar::ANTONYMS, Side::Left, [
        "What is the opposite of {0}?", "Give the opposite of the word {0}.",
        "Word: {0}\nOpposite?", "Which word means the contrary of \"{0}\"?",
        "Name the antonym of {0}.",
    ]),
    ("same-meaning", grammar::SYNONYMS, Side::Left, [
        "Give another word for {0}.", "Which word means the same as {0}?", "Word: {0}\nSynonym?",
        "Say \"{0}\" with a different word.", "Name a synonym of {0}.",
    ]),
    ("plural-of", grammar::PLURALS, Side::Left, [
        "What is the plural of {0}?", "Write the word {0} in the plural.", "Word: {0}\nPlural?",
        "One {0}, two what?", "Give the plural form: {0}",
    ]),
    ("singular-of", grammar::PLURALS, Side::Right, [
        "What is the singular of {0}?", "Write the word {0} in the singular.",
        "Word: {0}\nSingular?", "Many {0}, but one what?", "Give the singular form: {0}",
    ]),
    ("past-of", grammar::VERBS, Side::Left, [
        "What is the past tense of {0}?", "Write the verb {0} in the simple past.",
        "Verb: {0}\nPast tense?", "They {0} today. What did they do yesterday?",
        "Give the past form: {0}",
    ]),
    ("infinitive-of", grammar::VERBS, Side::Right, [
        "What is the infinitive of {0}?", "Write the verb {0} in the present, as with \"they\".",
        "Verb: {0}\nInfinitive?", "They {0} yesterday. What do they do today?",
        "Give the basic form: {0}",
    ]),
    ("agent-of", grammar::AGENTS, Side::Left, [
        "What do you call someone who can {0}?", "Which noun names a person whose work is to {0}?",
        "Verb: {0}\nWho does it?", "Make a noun for the doer from the verb {0}.",
        "Someone who does it: {0}",
    ]),
    ("deed-of", grammar::AGENTS, Side::Right, [
        "What does a {0} do? Answer with a verb.", "Which verb tells what a {0} does?",
        "Person: {0}\nWhich verb is it from?", "Give the verb behind the noun {0}.",
        "The verb for what this person does: {0}",
    ]),
    ("quality-of", grammar::QUALITIES, Side::Left, [
        "Which noun belongs to the adjective {0}?", "Make a noun from {0}.",
        "Adjective: {0}\nNoun?", "What is the quality of being {0} called?",
        "Give the noun for the state of being {0}.",
    ]),
    ("adjective-of", grammar::QUALITIES, Side::Right, [
        "Which adjective belongs to the noun {0}?", "Make an adjective from {0}.",
        "Noun: {0}\nAdjective?",
        "What is someone or something with {0}? Answer with the adjective.",
        "Give the adjective behind the noun {0}.",
    ]),
    ("female-of", grammar::GENDERS, Side::Left, [
        "What is the female form of {0}?", "Change {0} into the female form.", "Male: {0}\nFemale?",
        "Which word is to a woman what {0} is to a man?", "Name the feminine counterpart of {0}.",
    ]),
    ("male-of", grammar::GENDERS, Side::Right, [
        "What is the male form of {0}?", "Change {0} into the male form.", "Female: {0}\nMale?",
        "Which word is to a man what {0} is to a woman?", "Name the masculine counterpart of {0}.",
    ]),
    ("capital-of", knowledge::CAPITALS, Side::Left, [
        "What is the capital of {0}?", "Name the capital city of {0}.", "Country: {0}\nCapital?",
        "From which city is {0} governed?", "Which city is the capital of {0}?",
    ]),
    ("country-of-capital", knowledge::CAPITALS, Side::Right, [
        "{0} is the capital of which country?", "Name the country whose capital is {0}.",
        "Capital: {0}\nCountry?", "Which country is governed from {0}?",
        "In which country is the city {0}?",
    ]),
    ("nationality-of", knowledge::NATIONALITIES, Side::Left, [
        "What is the adjective for {0}?", "Someone from {0} has which nationality?",
        "Country: {0}\nAdjective?", "How do you call things from {0}?",
        "Give the nationality of people from {0}.",
    ]),
    ("country-of-nationality", knowledge::NATIONALITIES, Side::Right, [
        "Which country is meant by {0}?", "Name the country of people who are {0}.",
        "Adjective: {0}\nCountry?", "Where do {0} people come from?",
        "Give the country that is called {0}.",
    ]),
    ("continent-of", knowledge::CONTINENTS, Side::Left, [
        "On which continent is {0}?", "Name the continent of {0}.", "Country: {0}\nContinent?",
        "Which continent does {0} belong to?",
        "Say in which part of the world {0} lies: the continent.",
    ]),
    ("young-of", knowledge::YOUNG, Side::Left, [
        "What is a young {0} called?", "Give the word for a baby {0}.", "Animal: {0}\nIts young?",
        "Which word names the young of a {0}?", "How do you call the offspring of a {0}?",
    ]),
    ("container-of", knowledge::CONTAINERS, Side::Left, [
        "What is used to keep {0}?", "Name what holds {0}.", "Content: {0}\nContainer?",
        "Where does one usually put {0}? Name the container or place.",
        "In what would you look for {0}?",
    ]),
    ("material-of", knowledge::MATERIALS, Side::Left, [
        "What is a {0} made of?", "Name the material of a {0}.", "Thing: {0}\nMaterial?",
        "Which material is needed for a {0}?", "Out of what does one make a {0}?",
    ]),
    ("workplace-of", knowledge::WORKPLACES, Side::Left, [
        "Where does a {0} work?", "Name the place of work of a {0}.",
        "Profession: {0}\nPlace of work?", "Where would you go to meet a {0} at work?",
        "Which place belongs to the work of a {0}?",
    ]),
    ("symbol-of", knowledge::ELEMENTS, Side::Left, [
        "What is the chemical symbol of {0}?", "Give the symbol for the element {0}.",
        "Element: {0}\nSymbol?", "How does a chemist abbreviate {0}?",
        "Which letters stand for {0} in the periodic table?",
    ]),
    ("element-of", knowledge::ELEMENTS, Side::Right, [
        "Which element has the symbol {0}?", "Name the chemical element {0}.",
        "Symbol: {0}\nElement?", "What does {0} stand for in the periodic table?",
        "Spell out the element that chemists write {0}.",
    ]),
];

/// Name, index of the given form, index of the requested form, and description. The forms are
/// adjective, comparative and superlative.
const DEGREES: [(&str, usize, usize, &str); 4] = [
    ("comparative", 0, 1, "the comparative"),
    ("superlative", 0, 2, "the superlative"),
    ("positive-of-comparative", 1, 0, "the basic form"),
    ("superlative-of-comparative", 1, 2, "the superlative"),
];
const DEGREE: [&str; 5] = [
    "What is {degree} of {0}?",
    "Write {degree} of the adjective {0}.",
    "Adjective: {0}\nGive {degree}.",
    "Find {degree}: {0}",
    "Which word is {degree} of \"{0}\"?",
];

/// Adds the family.
pub(super) fn add(catalogue: &mut Catalogue) {
    catalogue.family("relations");
    for (name, table, given, phrasings) in RELATIONS {
        let rows = pairs(table).into_iter().map(|(left, right)| match given {
            Side::Left => (left, right),
            Side::Right => (right, left),
        });
        catalogue.table(name, &phrasings, rows);
    }
    for (name, given, asked, degree) in DEGREES {
        let rows = pairs(grammar::DEGREES)
            .into_iter()
            .filter_map(|(adjective, degrees)| {
                let (comparative, superlative) = degrees.split_once(' ')?;
                let forms = [adjective, comparative, superlative];
                Some((forms[given], forms[asked]))
            });
        catalogue.table(name, &fill(&DEGREE, "{degree}", degree), rows);
    }
}
