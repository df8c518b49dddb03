//! The methods that `dnd eval` compares.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use dnd_tasks::Asked;
use dnd_train::Error;

/// A method to solve a task, with or without an adapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Method {
    /// Always the most frequent response of the task's training lines.
    Majority,
    /// The base model alone.
    Base,
    /// In-context learning: the base model with this many training lines of the task as examples.
    Context(usize),
    /// The adapter that a bundle generates from the task's training prompts.
    Generated,
    /// The adapter generated from this many of the task's training prompts.
    GeneratedFrom(usize),
    /// The adapter generated from a description of the task alone.
    Described,
    /// Control: the adapter generated from the prompts of another task.
    Shuffled,
    /// Control: the adapter generated from random vectors.
    Random,
    /// The collection's adapter whose task has the most similar prompts.
    Nearest,
    /// The average of the collection's adapters, weighted by similarity of prompts.
    Similar,
    /// The element-wise average of the collection's adapters.
    Average,
    /// The collection's adapter of this task.
    Training(String),
    /// The mean of the scores of all the collection's adapters.
    Mean,
    /// The best score of all the collection's adapters: an oracle, because the test scores
    /// select it.
    Best,
    /// A PEFT directory: one adapter tuned on all training tasks.
    MultiTask(PathBuf),
    /// A PEFT directory; `{task}` in the path stands for the task's name.
    Adapter(PathBuf),
    /// An adapter tuned on this many of the task's training lines, from a start.
    Few(usize, TuneStart),
    /// An adapter tuned on all the task's training lines for this many steps.
    Full(usize),
}

/// What few-shot tuning goes on from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TuneStart {
    /// The adapter that tuning on all lines starts from.
    Initial,
    /// The adapter that a bundle generates from the task's training prompts.
    Generated,
    /// A PEFT directory, such as the multi-task adapter.
    Adapter(PathBuf),
}

/// All names, for error messages.
const NAMES: &str = "majority, base, context:K, generated, generated:N=K, generated:described, \
                     generated:shuffled, generated:random, nearest, similar, average, \
                     training:TASK, mean, best, multitask:DIR, adapter:DIR, few:K, \
                     few:K:generated, few:K:DIR or full:STEPS";

impl Method {
    /// Whether it needs a collection.
    pub fn needs_collection(&self) -> bool {
        self.needs_prompt_embeddings()
            || matches!(
                self,
                Self::Average | Self::Training(_) | Self::Mean | Self::Best
            )
    }

    /// Whether it compares prompts, which needs a text encoder.
    pub fn needs_prompt_embeddings(&self) -> bool {
        matches!(self, Self::Nearest | Self::Similar)
    }

    /// Whether it needs a bundle.
    pub fn needs_bundle(&self) -> bool {
        matches!(
            self,
            Self::Generated
                | Self::GeneratedFrom(_)
                | Self::Described
                | Self::Shuffled
                | Self::Random
                | Self::Few(_, TuneStart::Generated)
        )
    }

    /// The folder of a given adapter, with `{task}` replaced by the name of the task.
    pub fn given_adapter(&self, task: &str) -> Option<PathBuf> {
        match self {
            Self::MultiTask(folder) => Some(folder.clone()),
            Self::Adapter(folder) => Some(folder.to_string_lossy().replace("{task}", task).into()),
            _ => None,
        }
    }
}

impl FromStr for Method {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let unknown = || Error::argument("methods", NAMES, format!("`{text}`"));
        let count = |number: &str| {
            let number = number.parse::<usize>().ok();
            number.filter(|number| *number > 0).ok_or_else(unknown)
        };
        let (name, value) = match text.split_once(':') {
            Some((name, value)) if !value.is_empty() => (name, Some(value)),
            Some(_) => return Err(unknown()),
            None => (text, None),
        };
        Ok(match (name, value) {
            ("majority", None) => Self::Majority,
            ("base", None) => Self::Base,
            ("context", Some(number)) => Self::Context(count(number)?),
            ("generated", None) => Self::Generated,
            ("generated", Some("described")) => Self::Described,
            ("generated", Some("shuffled")) => Self::Shuffled,
            ("generated", Some("random")) => Self::Random,
            ("generated", Some(value)) => {
                Self::GeneratedFrom(count(value.strip_prefix("N=").unwrap_or_default())?)
            }
            ("nearest", None) => Self::Nearest,
            ("similar", None) => Self::Similar,
            ("average", None) => Self::Average,
            ("training", Some(task)) => Self::Training(task.to_owned()),
            ("mean", None) => Self::Mean,
            ("best", None) => Self::Best,
            ("multitask", Some(folder)) => Self::MultiTask(folder.into()),
            ("adapter", Some(folder)) => Self::Adapter(folder.into()),
            ("few", Some(value)) => {
                let (number, start) = match value.split_once(':') {
                    None => (value, TuneStart::Initial),
                    Some((number, "generated")) => (number, TuneStart::Generated),
                    Some((number, folder)) if !folder.is_empty() => {
                        (number, TuneStart::Adapter(folder.into()))
                    }
                    Some(_) => return Err(unknown()),
                };
                Self::Few(count(number)?, start)
            }
            ("full", Some(number)) => Self::Full(count(number)?),
            _ => return Err(unknown()),
        })
    }
}

impl std::fmt::Display for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Majority => f.write_str("majority"),
            Self::Base => f.write_str("base"),
            Self::Context(count) => write!(f, "context:{count}"),
            Self::Generated => f.write_str("generated"),
            Self::GeneratedFrom(count) => write!(f, "generated:N={count}"),
            Self::Described => f.write_str("generated:described"),
            Self::Shuffled => f.write_str("generated:shuffled"),
            Self::Random => f.write_str("generated:random"),
            Self::Nearest => f.write_str("nearest"),
            Self::Similar => f.write_str("similar"),
            Self::Average => f.write_str("average"),
            Self::Training(task) => write!(f, "training:{task}"),
            Self::Mean => f.write_str("mean"),
            Self::Best => f.write_str("best"),
            Self::MultiTask(folder) => write!(f, "multitask:{}", folder.display()),
            Self::Adapter(folder) => write!(f, "adapter:{}", folder.display()),
            Self::Few(count, TuneStart::Initial) => write!(f, "few:{count}"),
            Self::Few(count, TuneStart::Generated) => write!(f, "few:{count}:generated"),
            Self::Few(count, TuneStart::Adapter(folder)) => {
                write!(f, "few:{count}:{}", folder.display())
            }
            Self::Full(steps) => write!(f, "full:{steps}"),
        }
    }
}

/// The name for tables and charts, without the folder of an adapter.
pub fn label(method: &str) -> String {
    match method.split_once(':') {
        Some(("multitask", _)) => "multitask".to_owned(),
        Some(("adapter", folder)) if folder.contains("{task}") => "own adapter".to_owned(),
        Some(("adapter", folder)) => format!("adapter {}", last_part(folder)),
        Some(("few", value)) => match value.split_once(':') {
            Some((count, start)) => format!("few:{count} from {}", last_part(start)),
            None => method.to_owned(),
        },
        _ => method.to_owned(),
    }
}

/// The name of a method that is asked one way; in full goes without saying.
pub(crate) fn asked_label(label: &str, asked: Asked) -> String {
    match asked {
        Asked::Full => label.to_owned(),
        Asked::Bare => format!("{label}, bare"),
    }
}

/// The last part of a path.
fn last_part(path: &str) -> String {
    let name = Path::new(path).file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// Whether this is the name of a single training adapter. Tables leave those out and show only
/// `mean` and `best`.
pub fn is_training_adapter(method: &str) -> bool {
    method.starts_with("training:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways() {
        for name in [
            "majority",
            "base",
            "context:16",
            "generated",
            "generated:N=8",
            "generated:described",
            "generated:shuffled",
            "generated:random",
            "nearest",
            "similar",
            "average",
            "training:antonym",
            "mean",
            "best",
            "multitask:a/b",
            "adapter:a/{task}",
            "few:4",
            "few:4:generated",
            "few:4:a/b",
            "full:300",
        ] {
            assert_eq!(name.parse::<Method>().unwrap().to_string(), name);
        }
    }

    #[test]
    fn other_names_are_refused() {
        for name in [
            "adapter:",
            "cleverest",
            "context",
            "few:0",
            "few:x",
            "few:4:",
            "full:-1",
            "generated:8",
            "generated:N=",
            "base:1",
            "",
        ] {
            let message = name.parse::<Method>().unwrap_err().to_string();
            assert!(message.contains("adapter:DIR"), "{name}: {message}");
        }
    }

    #[test]
    fn labels_leave_folders_out() {
        assert_eq!(label("adapter:/a/{task}"), "own adapter");
        assert_eq!(label("adapter:/a/b"), "adapter b");
        assert_eq!(label("multitask:/a/b"), "multitask");
        assert_eq!(label("generated:N=4"), "generated:N=4");
        assert_eq!(label("few:4:/a/b"), "few:4 from b");
        assert_eq!(label("few:4"), "few:4");
    }
}
