//! Tasks of our own: made from word tables and templates, so that they need no data from outside and
//! may be given away with what was trained on them.
//!
//! Families overlap in surface form. The same list of words asks for its first item in one task and
//! for its fruit in another, so that reading the instruction is the only way to a right answer.

mod catalogue;
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

pub use write::write;

/// Tasks that are never trained on, by name: about one in ten, with siblings that stay in training.
/// The first block asks for what held-out tasks of `shared/data` ask for, which our own
/// tasks must not give away.
const HELD_OUT: [&str; 45] = [
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
    // Held out for their families' sake.
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
];

/// Lines a task to train on, where nobody asks for another number.
pub const TRAIN_LINES: usize = 300;
/// Lines a task to measure with, where nobody asks for another number.
pub const TEST_LINES: usize = 60;

/// Raised whenever a line of any task changes, so that copies of older tasks are not taken for these.
pub const REVISION: u32 = 1;

/// Draws for each example wanted, before a pool counts as exhausted.
const PATIENCE: usize = 30;

/// One task: its instruction in several phrasings, and where its inputs come from.
pub struct SuiteTask {
    /// Name, and stem of its files.
    pub name: String,
    /// Tasks of one family ask for similar things.
    pub family: &'static str,
    /// Whether generators may be trained on it.
    pub role: Role,
    phrasings: Vec<String>,
    source: Source,
}

/// All tasks, family by family.
pub fn tasks() -> Vec<SuiteTask> {
    let mut catalogue = Catalogue::default();
    families::add_all(&mut catalogue);
    catalogue.tasks
}

impl SuiteTask {
    /// At most `train` lines to train on and `test` lines to measure with, in that order. The two
    /// share no input, and a small pool gives fewer lines. They depend on the seed and the name alone.
    pub fn lines(&self, seed: u64, train: usize, test: usize) -> (Vec<Line>, Vec<Line>) {
        let mut random = Random::new(seed, &self.name);
        // Three quarters of a pool always remain for training; asking for no less keeps the
        // test lines the same whatever number of training lines is asked for.
        let examples = self.examples(&mut random, (train + test).max(4 * test));
        let (held_out, rest) = examples.split_at(test.min(examples.len() / 4));
        let test = self.render(held_out, test, &mut random);
        (self.render(rest, train, &mut random), test)
    }

    /// `count` examples with different inputs, or as many as there are, in random order.
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

    /// Every example in one phrasing, then all in another, until there are `count` lines.
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
