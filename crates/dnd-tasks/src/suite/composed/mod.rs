//! Tasks composed of parts. A contrast group has one kind of input, and all its tasks ask
//! something else about such inputs, so that only the instruction tells them apart: the first
//! word of a list, its longest, the fruit in it; the double of a number, its last digit.
//!
//! A task is an [`Operation`], at most one [`Transform`] of its result, and a style of answer.

mod dates;
mod lists;
mod numbers;
mod texts;
mod words;

use super::HELD_OUT;
use super::catalogue::{Catalogue, Example};
use super::families;
use super::random::Random;
use super::style::Style;

/// What a task asks about its input.
#[derive(Clone, Copy)]
struct Operation {
    /// Part of task names.
    name: &'static str,
    /// What is asked for, as noun phrases.
    phrases: &'static [&'static str],
    /// The answer; `None` where the input has none, or an ambiguous one.
    apply: fn(&str) -> Option<String>,
}

const fn operation(
    name: &'static str,
    phrases: &'static [&'static str],
    apply: fn(&str) -> Option<String>,
) -> Operation {
    Operation {
        name,
        phrases,
        apply,
    }
}

/// What is done to the result of an operation; its phrases have the operation's at `{x}`.
type Transform = Operation;

/// Tasks over the same inputs.
struct Group {
    /// Family of the tasks, and first part of their names.
    name: &'static str,
    /// Ways to ask for `{what}` of the input `{0}`.
    templates: &'static [&'static str],
    /// Draws an input.
    input: fn(&mut Random) -> String,
}

/// Styles of answers that each plain task has a variant of.
const STYLES: [Style; 4] = [Style::Quoted, Style::Json, Style::Sentence, Style::Labelled];

/// Adds all composed tasks.
pub(super) fn add_all(catalogue: &mut Catalogue) {
    for add in [lists::add, words::add, numbers::add, dates::add, texts::add] {
        add(catalogue);
    }
}

impl Group {
    /// Adds a task for each operation, with variants in all [`STYLES`]. One that is held out has
    /// no variants, so that nothing like it is trained on.
    fn add(&self, catalogue: &mut Catalogue, operations: &[Operation]) {
        for operation in operations {
            let name = format!("{}-{}", self.name, operation.name);
            let styles: &[Style] = if HELD_OUT.contains(&&*name) {
                &[]
            } else {
                &STYLES
            };
            self.add_task(catalogue, &name, operation, None, styles);
        }
    }

    /// Adds a task for each pair of an operation and a transform, with a variant in one style.
    fn add_pairs(
        &self,
        catalogue: &mut Catalogue,
        operations: &[Operation],
        transforms: &[Transform],
    ) {
        for (row, operation) in operations.iter().enumerate() {
            for (column, transform) in transforms.iter().enumerate() {
                let name = format!("{}-{}-{}", self.name, operation.name, transform.name);
                let style = [STYLES[(row + column) % STYLES.len()]];
                let styles: &[Style] = if HELD_OUT.contains(&&*name) {
                    &[]
                } else {
                    &style
                };
                self.add_task(catalogue, &name, operation, Some(transform), styles);
            }
        }
    }

    fn add_task(
        &self,
        catalogue: &mut Catalogue,
        name: &str,
        operation: &Operation,
        transform: Option<&Transform>,
        styles: &[Style],
    ) {
        catalogue.family(self.name);
        let phrases: Vec<String> = match transform {
            None => operation.phrases.iter().map(|&p| p.to_owned()).collect(),
            Some(transform) => {
                let frames = transform.phrases.iter();
                frames
                    .flat_map(|frame| operation.phrases.iter().map(|p| frame.replace("{x}", p)))
                    .collect()
            }
        };
        let templates = self.templates.iter().zip(phrases.iter().cycle());
        let phrasings: Vec<String> = templates
            .map(|(template, phrase)| template.replace("{what}", phrase))
            .collect();
        let (input, apply) = (self.input, operation.apply);
        let change = transform.map(|transform| transform.apply);
        catalogue.draw_in_styles(name, &phrasings, styles, move |random| {
            let input = input(random);
            let mut answer = apply(&input)?;
            if let Some(change) = change {
                answer = change(&answer)?;
            }
            Some(Example::one(input, answer))
        });
    }
}

fn capitalised(text: &str) -> Option<String> {
    Some(families::capitalised(text))
}

fn upper(text: &str) -> Option<String> {
    Some(text.to_uppercase())
}

fn first_letter(text: &str) -> Option<String> {
    text.chars().next().map(String::from)
}

fn last_letter(text: &str) -> Option<String> {
    text.chars().next_back().map(String::from)
}

fn length(text: &str) -> Option<String> {
    Some(text.chars().count().to_string())
}

/// `yes` or `no`.
fn yes(is: bool) -> Option<String> {
    Some(if is { "yes" } else { "no" }.to_owned())
}
