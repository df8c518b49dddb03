//! Questions with marked options, answered with the mark or with the option itself.

use super::super::catalogue::{Catalogue, Example, fill};
use super::super::words::{grammar, knowledge, pairs};

/// Phrasings; the input is {0}, what it is asked about, and {1}, the options.
const ASK: [&str; 8] = [
    "{question}\n{1}\nAnswer with the {mark}.",
    "{question} Give the {mark} of the right answer.\n{1}",
    "Choose the {mark} of the right answer.\n{question}\n{1}",
    "Question: {question}\nOptions:\n{1}\nReply with the {mark} alone.",
    "{question}\nPick one, by its {mark}:\n{1}",
    "Which {mark}? {question}\n{1}",
    "Read the options and say the {mark}.\n{question}\n{1}",
    "{question}\n\n{1}\n\nThe {mark} of the right one?",
];

/// Name, table, and question about a left side.
const QUESTIONS: [(&str, &str, &str); 12] = [
    (
        "capital",
        knowledge::CAPITALS,
        "What is the capital of {0}?",
    ),
    (
        "nationality",
        knowledge::NATIONALITIES,
        "What are things from {0} called?",
    ),
    (
        "continent",
        knowledge::CONTINENTS,
        "Where in the world is {0}?",
    ),
    ("young", knowledge::YOUNG, "What is a young {0} called?"),
    ("container", knowledge::CONTAINERS, "What holds {0}?"),
    (
        "material",
        knowledge::MATERIALS,
        "What is this made of: {0}?",
    ),
    (
        "workplace",
        knowledge::WORKPLACES,
        "Where does this person work: {0}?",
    ),
    ("symbol", knowledge::ELEMENTS, "Which symbol has {0}?"),
    (
        "opposite",
        grammar::ANTONYMS,
        "What is the opposite of {0}?",
    ),
    ("synonym", grammar::SYNONYMS, "What else means {0}?"),
    ("plural", grammar::PLURALS, "What is the plural of {0}?"),
    ("past", grammar::VERBS, "Which is the past tense of {0}?"),
];

/// Suffix of task names, what marks are called, the marks, and what stands behind them.
type Marks = (&'static str, &'static str, [&'static str; 4], &'static str);

const MARKS: [Marks; 5] = [
    ("letter", "letter", ["A", "B", "C", "D"], ": "),
    ("letter-dot", "letter", ["A", "B", "C", "D"], ". "),
    ("small-letter", "letter", ["a", "b", "c", "d"], ") "),
    ("number", "number", ["1", "2", "3", "4"], ". "),
    ("text", "text", ["-", "-", "-", "-"], " "),
];
/// Questions have that many of them, by turns.
const MARKS_EACH: usize = 3;

/// Adds the family.
pub(super) fn add(catalogue: &mut Catalogue) {
    catalogue.family("options");
    for (turn, (name, table, question)) in QUESTIONS.into_iter().enumerate() {
        let marks = MARKS.iter().cycle().skip(turn);
        for &(suffix, called, marks, behind) in marks.take(MARKS_EACH) {
            let phrasings = fill(&fill(&ASK, "{question}", question), "{mark}", called);
            let rows = pairs(table);
            let name = format!("option-{name}-{suffix}");
            catalogue.draw(&name, &phrasings, move |random| {
                let (left, right) = random.pick(&rows);
                let count = random.between(2, 4) as usize;
                let mut options = vec![right];
                while options.len() < count {
                    let (_, other) = random.pick(&rows);
                    if !options.contains(&other) && other != left {
                        options.push(other);
                    }
                }
                random.shuffle(&mut options);
                let place = options.iter().position(|&option| option == right)?;
                let lines = options.iter().zip(marks);
                let lines: Vec<String> = lines
                    .map(|(option, mark)| format!("{mark}{behind}{option}"))
                    .collect();
                let answer = if suffix == "text" {
                    right
                } else {
                    marks[place]
                };
                Some(Example::many([left, &lines.join("\n")], answer))
            });
        }
    }
}
