//! Members of a category among words of other categories. The same lists occur in tasks that ask
//! for another category.

use super::super::catalogue::{Catalogue, Example, fill};
use super::super::random::Random;
use super::super::style::Style;
use super::super::words::categories::{CATEGORIES, Category, named};
use super::super::words::words;
use super::member;

const PICK: [&str; 6] = [
    "Which of these is {phrase}? {0}",
    "Pick the word for {phrase}: {0}",
    "Find the {label} in this list: {0}",
    "{0}\nOnly one of these words is {phrase}. Which?",
    "List: {0}\nName the {label}.",
    "Among these words is {phrase}. Give that word: {0}",
];
const ODD: [&str; 5] = [
    "Which of these is not {phrase}? {0}",
    "Pick the word that is not {phrase}: {0}",
    "{0}\nAll but one of these words are examples of {phrase}. Which does not belong?",
    "List: {0}\nName the item that is no {label}.",
    "Every word here but one is {phrase}. Give the odd one out: {0}",
];
const KEEP: [&str; 5] = [
    "Keep each word that is {phrase}, drop the others: {0}",
    "Write only the words that are {phrase}, with commas: {0}",
    "{0}\nCopy every {label} of this list in order.",
    "List: {0}\nWhich items are {phrase}?",
    "Go through the list and write down every {label}: {0}",
];
const KIND: [&str; 5] = [
    "Is {0} an animal, a fruit, a colour, a country, a profession or a tool? Answer with one word.",
    "Sort the word {0} into animal, fruit, colour, country, profession or tool.",
    "{0}\nWhich kind is it: animal, fruit, colour, country, profession or tool?",
    "Choose the class of {0}: animal, fruit, colour, country, profession, tool.",
    "What does {0} name? Say animal, fruit, colour, country, profession or tool.",
];

/// Adds the family.
pub(super) fn add(catalogue: &mut Catalogue) {
    catalogue.family("categories");
    for category in &CATEGORIES {
        let styles: &[Style] = match category.name {
            "animal" => &[Style::Upper, Style::Json],
            "fruit" => &[Style::Upper, Style::Sentence],
            "colour" => &[Style::Quoted, Style::Upper],
            "clothing" | "vehicle" => &[Style::Labelled],
            _ => &[],
        };
        let members = words(category.words);
        let rivals: Vec<&Category> = category.rivals().collect();
        catalogue.draw_in_styles(
            &format!("choose-{}", category.name),
            &phrasings(&PICK, category.phrase, category.label()),
            styles,
            move |random| Some(pick(random, &members, &rivals)),
        );
    }
    // Nouns that are neither verbs nor adjectives.
    let nouns =
        "animal fruit vegetable furniture clothing profession relative instrument reptile flower";
    add_wide(
        catalogue,
        "noun",
        "a noun",
        nouns,
        "verb adjective adverb preposition",
    );
    let things = "tool furniture clothing kitchenware vehicle instrument container";
    let ideas = "abstract emotion verb adjective adverb preposition";
    add_wide(catalogue, "object", "a physical object", things, ideas);
    for name in [
        "animal",
        "fruit",
        "colour",
        "country",
        "clothing",
        "vehicle",
        "profession",
        "vegetable",
    ] {
        if let Some(category) = named(name) {
            add_odd(catalogue, category);
        }
    }
    for name in [
        "animal",
        "fruit",
        "colour",
        "country",
        "instrument",
        "number",
    ] {
        if let Some(category) = named(name) {
            add_keep(catalogue, category);
        }
    }
    let kinds: Vec<&Category> = all_of("animal fruit colour country profession tool").collect();
    catalogue.draw("kind-of-word", &KIND, move |random| {
        let category = random.pick(&kinds);
        Some(Example::one(member(random, category), category.name))
    });
}

/// The categories with these names.
fn all_of(names: &str) -> impl Iterator<Item = &'static Category> {
    names.split_whitespace().filter_map(named)
}

fn phrasings(templates: &[&str], phrase: &str, label: &str) -> Vec<String> {
    fill(&fill(templates, "{phrase}", phrase), "{label}", label)
}

/// One member among two to four words of other categories.
fn pick(random: &mut Random, members: &[&str], rivals: &[&'static Category]) -> Example {
    let answer = random.pick(members);
    let others = random.between(2, 4) as usize;
    let mut items = vec![answer];
    for rival in random.sample(rivals, others) {
        items.push(member(random, rival));
    }
    random.shuffle(&mut items);
    Example::one(items.join(", "), answer)
}

/// Adds a task whose members come from several categories.
fn add_wide(
    catalogue: &mut Catalogue,
    name: &str,
    phrase: &'static str,
    members: &str,
    rivals: &str,
) {
    let label = phrase.trim_start_matches("a ");
    let members: Vec<&str> = all_of(members).flat_map(|c| words(c.words)).collect();
    let rivals: Vec<&Category> = all_of(rivals).collect();
    catalogue.draw(
        &format!("choose-{name}"),
        &phrasings(&PICK, phrase, label),
        move |random| Some(pick(random, &members, &rivals)),
    );
}

/// Adds a task that asks for the only item that is not a member.
fn add_odd(catalogue: &mut Catalogue, category: &'static Category) {
    let rivals: Vec<&Category> = category.rivals().collect();
    catalogue.draw(
        &format!("odd-{}", category.name),
        &phrasings(&ODD, category.phrase, category.label()),
        move |random| {
            let members = random.between(2, 4) as usize;
            let mut items = random.sample(&words(category.words), members);
            let rival = random.pick(&rivals);
            let answer = member(random, rival);
            items.push(answer);
            random.shuffle(&mut items);
            Some(Example::one(items.join(", "), answer))
        },
    );
}

/// Adds a task that asks for all members, one to three of the items.
fn add_keep(catalogue: &mut Catalogue, category: &'static Category) {
    let rivals: Vec<&Category> = category.rivals().collect();
    catalogue.draw(
        &format!("keep-{}", category.name),
        &phrasings(&KEEP, category.phrase, category.label()),
        move |random| {
            let members = random.between(1, 3) as usize;
            let members = random.sample(&words(category.words), members);
            let others = random.between(1, 3) as usize;
            let mut items = members.clone();
            for rival in random.sample(&rivals, others) {
                items.push(member(random, rival));
            }
            random.shuffle(&mut items);
            let kept: Vec<&str> = items
                .iter()
                .copied()
                .filter(|i| members.contains(i))
                .collect();
            Some(Example::one(items.join(", "), kept.join(", ")))
        },
    );
}
