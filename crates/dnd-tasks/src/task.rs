//! Tasks: a folder with an index and JSON lines.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use dnd_files::Error;

/// One line of a task: what the user says, what the model should answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The user's message.
    pub prompt: String,
    /// The right answer.
    pub response: String,
    /// A system message; where there is none, the model's own default stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
}

/// Whether a task may be trained on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Its adapters train generators.
    Train,
    /// Held out: never trained on.
    Dev,
}

/// One entry of `index.json`.
#[derive(Debug, Clone, Deserialize)]
pub struct Task {
    /// Name, and stem of its files.
    pub name: String,
    /// Tasks of one family share their answers' form.
    pub family: String,
    /// Train or dev.
    pub role: Role,
    /// Whether weights trained on it may be given away.
    #[serde(default)]
    pub ship: bool,
}

#[derive(Deserialize)]
struct Index {
    tasks: Vec<Task>,
}

/// A folder of tasks.
#[derive(Debug, Clone)]
pub struct TaskFolder {
    folder: PathBuf,
    /// The tasks in the order of the index.
    pub tasks: Vec<Task>,
}

/// Which file of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// `NAME.train.jsonl`: prompts come from here, and lines to fine-tune on.
    Train,
    /// `NAME.test.jsonl`: scores come from here.
    Test,
}

impl TaskFolder {
    /// Reads `index.json` of a folder.
    ///
    /// # Errors
    /// When it is missing, malformed or names a task twice.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let path = folder.join("index.json");
        let index: Index = dnd_files::read_json(&path)?;
        for Task { name, .. } in &index.tasks {
            // The name becomes a folder and a file name.
            let is_plain = !name.is_empty()
                && !name.starts_with('.')
                && name
                    .chars()
                    .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
            if !is_plain || name == "collection.json" {
                return Err(Error::content(
                    &path,
                    format!(
                        "task name: expected letters, digits, `-`, `_` and `.`, found `{name}`"
                    ),
                ));
            }
        }
        let mut names: Vec<&str> = index.tasks.iter().map(|task| task.name.as_str()).collect();
        names.sort_unstable();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(Error::content(
                &path,
                format!("task `{}` is listed twice", pair[0]),
            ));
        }
        Ok(Self {
            folder: folder.to_owned(),
            tasks: index.tasks,
        })
    }

    /// The tasks called `names`, in that order.
    ///
    /// # Errors
    /// [`Error::Argument`] naming the first that does not exist.
    pub fn select(&self, names: &[String]) -> Result<Vec<Task>, Error> {
        names
            .iter()
            .map(|name| {
                self.tasks
                    .iter()
                    .find(|task| task.name == *name)
                    .cloned()
                    .ok_or_else(|| {
                        Error::argument(
                            "task",
                            &format!("a task of {}", self.folder.join("index.json").display()),
                            format!("`{name}`"),
                        )
                    })
            })
            .collect()
    }

    /// The lines of one file of a task.
    ///
    /// # Errors
    /// When it is missing, empty, or a line is not an object with `prompt` and `response`.
    pub fn lines(&self, task: &Task, split: Split) -> Result<Vec<Line>, Error> {
        let split = match split {
            Split::Train => "train",
            Split::Test => "test",
        };
        read_lines(&self.folder.join(format!("{}.{split}.jsonl", task.name)))
    }
}

/// Reads JSON lines; blank ones are passed over.
///
/// # Errors
/// When the file is missing or empty, or a line is malformed: the message has its number.
pub fn read_lines(path: &Path) -> Result<Vec<Line>, Error> {
    let text = dnd_files::read_text(path)?;
    let lines = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(index, line)| {
            serde_json::from_str(line)
                .map_err(|e| Error::content(path, format!("line {}: {e}", index + 1)))
        })
        .collect::<Result<Vec<Line>, _>>()?;
    if lines.is_empty() {
        return Err(Error::content(
            path,
            "expected at least one line, found none",
        ));
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_line_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.train.jsonl");
        dnd_files::write(
            &path,
            b"{\"prompt\":\"a\",\"response\":\"b\"}\n\n{\"prompt\":\"a\"}\n",
        )
        .unwrap();
        let message = read_lines(&path).unwrap_err().to_string();
        assert!(
            message.contains("line 3") && message.contains("response"),
            "{message}"
        );
    }

    #[test]
    fn a_name_that_leaves_the_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["../out", "/tmp/x", "", ".", "a/b", "collection.json"] {
            let index = format!(r#"{{"tasks":[{{"name":"{name}","family":"f","role":"train"}}]}}"#);
            dnd_files::write(&folder.path().join("index.json"), index.as_bytes()).unwrap();
            let message = TaskFolder::open(folder.path()).unwrap_err().to_string();
            assert!(message.contains("task name"), "{message}");
        }
    }

    #[test]
    fn a_task_listed_twice_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let task = r#"{"name":"a","family":"f","role":"train"}"#;
        let index = format!(r#"{{"tasks":[{task},{task}]}}"#);
        dnd_files::write(&folder.path().join("index.json"), index.as_bytes()).unwrap();
        let message = TaskFolder::open(folder.path()).unwrap_err().to_string();
        assert!(message.contains("`a` is listed twice"), "{message}");
    }
}
