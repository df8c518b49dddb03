//! What a task is made of, and the list that families add theirs to.

use super::random::Random;
use super::{HELD_OUT, SuiteTask};
use crate::{Line, Role};

/// An input, which phrasings name `{0}`, `{1}` and so on, with its answer.
#[derive(Debug, Clone)]
pub(super) struct Example {
    pub(super) fields: Vec<String>,
    pub(super) answer: String,
}

impl Example {
    /// An example with one field.
    pub(super) fn one(field: impl ToString, answer: impl ToString) -> Self {
        Self::many([field], answer)
    }

    /// An example with several fields.
    pub(super) fn many<T: ToString>(
        fields: impl IntoIterator<Item = T>,
        answer: impl ToString,
    ) -> Self {
        Self {
            fields: fields.into_iter().map(|field| field.to_string()).collect(),
            answer: answer.to_string(),
        }
    }

    /// The example in one phrasing.
    pub(super) fn render(&self, phrasing: &str) -> Line {
        let mut prompt = phrasing.to_owned();
        for (index, field) in self.fields.iter().enumerate() {
            if field.starts_with(['a', 'e', 'i', 'o', 'u']) {
                prompt = prompt.replace(&format!(" a {{{index}}}"), &format!(" an {{{index}}}"));
            }
            prompt = prompt.replace(&format!("{{{index}}}"), field);
        }
        Line {
            prompt,
            response: self.answer.clone(),
            system: None,
        }
    }
}

/// Draws one example, or none where the draw would be ambiguous.
pub(super) type Draw = Box<dyn Fn(&mut Random) -> Option<Example> + Send + Sync>;

/// Where a task's examples come from.
pub(super) enum Source {
    /// All there are.
    Table(Vec<Example>),
    /// As many as are asked for.
    Draw(Draw),
}

/// The tasks so far.
#[derive(Default)]
pub(super) struct Catalogue {
    pub(super) tasks: Vec<SuiteTask>,
    family: &'static str,
}

impl Catalogue {
    /// Tasks added from here on belong to this family.
    pub(super) fn family(&mut self, name: &'static str) {
        self.family = name;
    }

    /// Adds a task whose examples are drawn.
    pub(super) fn draw(
        &mut self,
        name: &str,
        phrasings: &[impl AsRef<str>],
        draw: impl Fn(&mut Random) -> Option<Example> + Send + Sync + 'static,
    ) {
        self.add(name, phrasings, Source::Draw(Box::new(draw)));
    }

    /// Adds a task whose examples are all in a table.
    pub(super) fn table<T: ToString>(
        &mut self,
        name: &str,
        phrasings: &[impl AsRef<str>],
        rows: impl IntoIterator<Item = (T, T)>,
    ) {
        let rows = rows
            .into_iter()
            .map(|(input, answer)| Example::one(input, answer));
        self.add(name, phrasings, Source::Table(rows.collect()));
    }

    fn add(&mut self, name: &str, phrasings: &[impl AsRef<str>], source: Source) {
        let role = if HELD_OUT.contains(&name) {
            Role::Dev
        } else {
            Role::Train
        };
        self.tasks.push(SuiteTask {
            name: name.to_owned(),
            family: self.family,
            role,
            phrasings: phrasings.iter().map(|p| p.as_ref().to_owned()).collect(),
            source,
        });
    }
}

/// Phrasings with `value` in the place of `mark`.
pub(super) fn fill(phrasings: &[impl AsRef<str>], mark: &str, value: &str) -> Vec<String> {
    phrasings
        .iter()
        .map(|phrasing| phrasing.as_ref().replace(mark, value))
        .collect()
}
