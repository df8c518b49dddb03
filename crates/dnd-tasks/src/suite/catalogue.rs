//! Building blocks of tasks, and the catalogue that families add tasks to.

use super::random::Random;
use super::{HELD_OUT, SuiteTask};
use crate::{Line, Role};

/// Input fields, which phrasings reference as `{0}`, `{1}` and so on, and the answer.
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

    /// Renders the example with one phrasing.
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
            input: Some(self.fields.join("\n")),
            response: self.answer.clone(),
            system: None,
        }
    }
}

/// Draws one example; `None` rejects an ambiguous draw.
pub(super) type Draw = Box<dyn Fn(&mut Random) -> Option<Example> + Send + Sync>;

/// Where a task's examples come from.
pub(super) enum Source {
    /// All examples of the task.
    Table(Vec<Example>),
    /// Examples drawn on demand.
    Draw(Draw),
}

/// The tasks added so far.
#[derive(Default)]
pub(super) struct Catalogue {
    pub(super) tasks: Vec<SuiteTask>,
    family: &'static str,
}

impl Catalogue {
    /// Sets the family of the tasks added after this call.
    pub(super) fn family(&mut self, name: &'static str) {
        self.family = name;
    }

    /// Adds a task with randomly drawn examples.
    pub(super) fn draw(
        &mut self,
        name: &str,
        phrasings: &[impl AsRef<str>],
        draw: impl Fn(&mut Random) -> Option<Example> + Send + Sync + 'static,
    ) {
        self.add(name, phrasings, Source::Draw(Box::new(draw)));
    }

    /// Adds a task with a fixed table of examples.
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
            phrasings: worded(phrasings),
            source,
        });
    }
}

/// Ways to put an instruction that do not change it, for tasks with few wordings of their own.
const FRAMES: [&str; 3] = [
    "Please answer briefly. {}",
    "{}\nReply with the answer only.",
    "Here is a question. {}",
];

/// Fewest wordings of a task.
pub(super) const WORDINGS: usize = 8;

/// The phrasings, and some of them in a frame where they are fewer than [`WORDINGS`].
fn worded(phrasings: &[impl AsRef<str>]) -> Vec<String> {
    let plain = phrasings
        .iter()
        .map(|phrasing| phrasing.as_ref().to_owned());
    let frames = FRAMES.iter().cycle();
    let framed = phrasings
        .iter()
        .cycle()
        .zip(frames)
        .map(|(phrasing, frame)| frame.replace("{}", phrasing.as_ref()));
    let missing = WORDINGS.saturating_sub(phrasings.len());
    plain.chain(framed.take(missing)).collect()
}

/// Replaces `mark` with `value` in all phrasings.
pub(super) fn fill(phrasings: &[impl AsRef<str>], mark: &str, value: &str) -> Vec<String> {
    phrasings
        .iter()
        .map(|phrasing| phrasing.as_ref().replace(mark, value))
        .collect()
}
