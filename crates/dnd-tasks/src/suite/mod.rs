//! The built-in suite of tasks, made from word tables and templates. It needs no outside data,
//! and weights trained on it may be distributed.
//!
//! Families overlap in surface form. One task asks for the first item of a list of words,
//! another for the fruit in the same list, so the answer depends on the instruction.

mod catalogue;
mod composed;
mod families;
mod random;
mod style;
#[cfg(test)]
mod tests;
mod words;
mod write;

use std::collections::BTreeSet;

use crate::{Line, Role};
use catalogue::{Catalogue, Example, Source};
use random::Random;

pub use write::{check_names, write};

/// Names of the tasks that are never trained on: about one in ten, each with similar tasks in
/// training, but for one whole family. The first block tests the same skills as held-out tasks of
/// `shared/data`, so training on the suite must not cover them.
const HELD_OUT: [&str; 80] = [
    "letter-last-upper",
    "letter-last-upper-sentence",
    "item-middle",
    "choose-object",
    "weekday-before",
    "month-before",
    "letter-before",
    "number-before",
    "roman-before",
    "find-company",
    "sentiment-product",
    "to-german",
    // Held out to cover more families.
    "letter-third-lower",
    "letters-first-two",
    "item-last-but-one",
    "items-without-last",
    "count-vowels",
    "count-colour",
    "sort-numbers-down",
    "longest-word",
    "reverse-digits",
    "choose-insect",
    "choose-profession",
    "odd-vehicle",
    "keep-country",
    "spell-dots",
    "kebab-case",
    "double",
    "kilograms-to-grams",
    "csv-second",
    "url-host",
    "is-country",
    "find-price",
    "urgency",
    "comparative",
    "item-by-number",
    "letter-following",
    "choose-currency",
    "sequence-gap",
    "find-city-json",
    "times-labelled",
    "clock-to-12",
    "kind-of-place",
    "agent-of",
    "write-brackets",
    // A whole family.
    "person-first",
    "person-last",
    "person-swapped",
    "person-upper",
    "person-lower",
    "person-greeting",
    "person-initial",
    "person-email",
    "person-first-upper",
    "person-last-upper",
    // Siblings of composed training tasks.
    "list-semicolons",
    "list-without-last",
    "term-first-two",
    "verb-negated",
    "quality-not",
    "number-plus-ten",
    "number-percent",
    "pair-smaller",
    "calendar-day-first",
    "text-underscores",
    // Combinations of parts that occur in training.
    "list-second-length",
    "list-longest-upper",
    "list-fruit-first-letter",
    "list-last-twice",
    "list-animal-capitalised",
    "list-country-last-letter",
    "list-first-length",
    "list-alphabet-first-upper",
    "list-vehicle-length",
    "list-colour-upper",
    "list-third-first-letter",
    "list-profession-twice",
    "list-clothing-last-letter",
    "list-shortest-capitalised",
    "list-instrument-first-letter",
];

/// Default number of training lines per task.
pub const TRAIN_LINES: usize = 300;
/// Default number of test lines per task.
pub const TEST_LINES: usize = 60;

/// Incremented when a line of any task changes, so that cached copies of older tasks are not used.
pub const REVISION: u32 = 5;

/// Maximum draws per requested example, after which the pool counts as exhausted.
const PATIENCE: usize = 30;

/// A task: phrasings of its instruction, and the source of its inputs.
pub struct SuiteTask {
    /// Name, and stem of its files.
    pub name: String,
    /// Group of similar tasks.
    pub family: &'static str,
    /// Whether generators may be trained on it.
    pub role: Role,
    phrasings: Vec<String>,
    source: Source,
}

/// All tasks, grouped by family.
pub fn tasks() -> Vec<SuiteTask> {
    let mut catalogue = Catalogue::default();
    families::add_all(&mut catalogue);
    composed::add_all(&mut catalogue);
    catalogue.tasks
}

impl SuiteTask {
    /// The instruction in all wordings, with `{0}`, `{1}` and so on where the input stands.
    pub fn templates(&self) -> &[String] {
        &self.phrasings
    }

    /// Returns at most `train` training lines and at most `test` test lines. The two share no
    /// input; a small pool gives fewer lines. The result depends only on the arguments and the
    /// task name.
    pub fn lines(&self, seed: u64, train: usize, test: usize) -> (Vec<Line>, Vec<Line>) {
        let mut random = Random::new(seed, &self.name);
        // At least three quarters of the pool are for training. Requesting at least `4 * test`
        // examples keeps the test inputs independent of `train`.
        let examples = self.examples(&mut random, (train + test).max(4 * test));
        let (held_out, rest) = examples.split_at(test.min(examples.len() / 4));
        let test = self.render(held_out, test, &mut random);
        (self.render(rest, train, &mut random), test)
    }

    /// Examples with distinct inputs, in random order: all of a table, or at most `count` draws.
    fn examples(&self, random: &mut Random, count: usize) -> Vec<Example> {
        match &self.source {
            Source::Table(examples) => {
                let mut examples = examples.clone();
                random.shuffle(&mut examples);
                examples
            }
            Source::Draw(draw) => {
                let mut seen = BTreeSet::new();
                let mut examples = Vec::with_capacity(count);
                for _ in 0..count * PATIENCE {
                    if examples.len() == count {
                        break;
                    }
                    if let Some(example) = draw(random)
                        && seen.insert(example.fields.clone())
                    {
                        examples.push(example);
                    }
                }
                examples
            }
        }
    }

    /// Renders every example with one phrasing, then with the next, up to `count` lines in
    /// total, and shuffles them.
    fn render(&self, examples: &[Example], count: usize, random: &mut Random) -> Vec<Line> {
        let starts: Vec<usize> = examples
            .iter()
            .map(|_| random.index(self.phrasings.len()))
            .collect();
        let mut lines: Vec<Line> = (0..self.phrasings.len())
            .flat_map(|round| {
                examples.iter().zip(&starts).map(move |(example, start)| {
                    example.render(&self.phrasings[(start + round) % self.phrasings.len()])
                })
            })
            .take(count)
            .collect();
        random.shuffle(&mut lines);
        lines
    }
}
