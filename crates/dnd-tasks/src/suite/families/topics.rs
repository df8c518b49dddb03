//! Sentences sorted into classes whose names stand in the prompt, and questions whether a sentence
//! belongs to one class.

use super::super::catalogue::{Catalogue, Example, fill};
use super::super::random::Random;
use super::super::words::sentences::expand;
use super::super::words::topics::{GROUPS, Topic};
use super::capitalised;
use super::classification::choice;

/// Phrasings. `{Labels}` begins with a capital letter, `{lines}` has one class a line.
const ASK: [&str; 12] = [
    "Classify the message as {labels}.\n\n{0}",
    "{0}\n\nIs this {labels}?",
    "Which label fits, {labels}?\nText: {0}",
    "Text: {0}\nLabels: {list}\nLabel:",
    "Choose one of: {list}.\n{0}",
    "{0}\nAnswer with one of these words: {list}.",
    "Read the sentence and name its class ({list}): {0}",
    "To which of these does it belong?\n{lines}\n\n{0}",
    "{Labels}? {0}",
    "Sort the text \"{0}\" into one of the classes {list}.",
    "Assign a class to the text. The classes are {list}.\n\n{0}",
    "Here is a text: {0} Would you call it {labels}?",
];

/// Phrasings of yes-or-no questions.
const IS_IT: [&str; 9] = [
    "Does this belong to the class \"{label}\"? {0}",
    "{0}\nIs the label \"{label}\" right? Answer yes or no.",
    "Yes or no: the text is a case of {label}.\n{0}",
    "Is this {label}, yes or no? {0}",
    "{0} Would you file this under {label}?",
    "Does \"{label}\" describe this text?\n\n{0}",
    "Check whether the text fits the label {label}: {0}",
    "Text: {0}\nLabel: {label}\nCorrect (yes/no):",
    "Say yes if this is {label}, otherwise no.\n{0}",
];

/// What may stand in front of a sentence of any class.
const GREETINGS: [&str; 8] = [
    "",
    "",
    "",
    "",
    "",
    "Hello. ",
    "Hi, [name] here. ",
    "Dear [name]! ",
];
/// Number of tasks with several classes.
const CHOICES: usize = 200;
/// Number of names that each class has.
const NAMES: usize = 3;

/// Adds the family.
pub(super) fn add(catalogue: &mut Catalogue) {
    catalogue.family("topics");
    for turn in 0..CHOICES {
        let (group, topics) = GROUPS[turn % GROUPS.len()];
        let mut random = Random::new(0, &format!("topics-{turn}"));
        let count = 2 + (turn / GROUPS.len()) % 4;
        let chosen = random.sample(topics, count);
        let variant = random.index(NAMES);
        let style = random.index(4);
        let names: Vec<String> = chosen
            .iter()
            .map(|topic| styled(name(topic, variant), style))
            .collect();
        let task = format!("topic-{group}-{}", names.join("-").replace(' ', "-"));
        let task = match style {
            1 => format!("{task}-upper").to_lowercase(),
            2 => format!("{task}-capitalised").to_lowercase(),
            _ => task,
        };
        if !catalogue.has(&task) {
            add_choice(catalogue, &task, chosen, names);
        }
    }
    for (group, topics) in GROUPS {
        for (turn, topic) in topics.iter().enumerate() {
            add_question(catalogue, group, topics, topic, turn % NAMES);
        }
    }
}

/// A name of a topic.
fn name(topic: &Topic, variant: usize) -> &'static str {
    topic.0.split(", ").nth(variant).unwrap_or(topic.0)
}

/// The name as it is, in capitals, or with a capital first letter.
fn styled(name: &str, style: usize) -> String {
    match style {
        1 => name.to_uppercase(),
        2 => capitalised(name),
        _ => name.to_owned(),
    }
}

/// Adds a task with these classes.
fn add_choice(catalogue: &mut Catalogue, task: &str, classes: Vec<Topic>, names: Vec<String>) {
    let plain: Vec<&str> = names.iter().map(String::as_str).collect();
    let labels = choice(&plain);
    let phrasings = fill(&ASK, "{labels}", &labels);
    let phrasings = fill(&phrasings, "{Labels}", &capitalised(&labels));
    let phrasings = fill(&phrasings, "{list}", &names.join(", "));
    let phrasings = fill(&phrasings, "{lines}", &format!("- {}", names.join("\n- ")));
    catalogue.draw(task, &phrasings, move |random| {
        let place = random.index(classes.len());
        let text = sentence(&classes[place], random);
        Some(Example::one(text, &names[place]))
    });
}

/// Adds the question whether a sentence is of this topic; every second one is.
fn add_question(
    catalogue: &mut Catalogue,
    group: &str,
    topics: &'static [Topic],
    topic: &'static Topic,
    variant: usize,
) {
    let label = name(topic, variant);
    let phrasings = fill(&IS_IT, "{label}", label);
    let task = format!("topic-{group}-is-{label}");
    catalogue.draw(&task, &phrasings, move |random| {
        if random.index(2) == 0 {
            return Some(Example::one(sentence(topic, random), "yes"));
        }
        let other = random.pick(topics);
        (other.0 != topic.0).then(|| Example::one(sentence(&other, random), "no"))
    });
}

/// One sentence of the topic or two, slots filled, some behind a greeting.
fn sentence(topic: &Topic, random: &mut Random) -> String {
    let count = 1 + usize::from(random.index(3) == 0);
    let sentences = random.sample(topic.1, count).join(" ");
    let text = format!("{}{sentences}", random.pick(&GREETINGS));
    expand(&text, "", random).0
}
