//! Task folders: `index.json`, and JSON Lines files for each task.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use dnd_files::Error;

/// How the base model is asked a line of a task.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Asked {
    /// With the whole prompt.
    #[default]
    Full,
    /// With the input alone, so that only the adapter knows the task.
    Bare,
}

impl Asked {
    /// Its name in options and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Bare => "bare",
        }
    }
}

impl FromStr for Asked {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let all = [Self::Full, Self::Bare].into_iter();
        let mut found = all.filter(|asked| asked.name() == text);
        found
            .next()
            .ok_or_else(|| Error::argument("asked", "full or bare", format!("`{text}`")))
    }
}

/// One example of a task: a user message and the expected response.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The user's message.
    pub prompt: String,
    /// The part of the prompt that differs from line to line; `None` where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    /// The expected response.
    pub response: String,
    /// A system message; `None` leaves the model's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
}

impl Line {
    /// What the base model is asked; `None` for a line asked bare that has no input.
    pub fn asked(&self, asked: Asked) -> Option<&str> {
        match asked {
            Asked::Full => Some(&self.prompt),
            Asked::Bare => self.input.as_deref(),
        }
    }

    /// The line with what the base model is asked as its prompt; `None` as for
    /// [`asked`](Self::asked).
    pub fn as_asked(&self, asked: Asked) -> Option<Self> {
        let prompt = self.asked(asked)?.to_owned();
        Some(Self {
            prompt,
            ..self.clone()
        })
    }
}

/// Whether a task is for training or held out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Generators are trained on it.
    Train,
    /// Held out: never trained on.
    Dev,
}

/// One entry of `index.json`.
#[derive(Debug, Clone, Deserialize)]
pub struct Task {
    /// Name, and stem of its files.
    pub name: String,
    /// Group of similar tasks.
    pub family: String,
    /// Train or dev.
    pub role: Role,
    /// Whether weights trained on it may be distributed.
    #[serde(default)]
    pub ship: bool,
    /// The instruction in the wordings that occur, with `{}`, or `{0}`, `{1}` and so on, where the
    /// input stands.
    #[serde(default)]
    pub templates: Vec<String>,
}

impl Task {
    /// Descriptions of the task: its templates without the places of inputs.
    pub fn descriptions(&self) -> Vec<String> {
        let described = self.templates.iter().map(|template| describe(template));
        described.filter(|text| !text.is_empty()).collect()
    }
}

/// A template without the places of inputs, and without what is left around them.
fn describe(template: &str) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((mark, behind)) = after.split_once('}') else {
            break;
        };
        text.push_str(before);
        if mark.bytes().any(|byte| !byte.is_ascii_digit()) {
            text.push_str(&format!("{{{mark}}}"));
        }
        rest = behind;
    }
    text.push_str(rest);
    let words: Vec<&str> = text
        .split_whitespace()
        .filter(|word| *word != "\"\"")
        .collect();
    let is_left_over = |c: char| c.is_whitespace() || matches!(c, ':' | ',' | '-' | '>');
    words.join(" ").trim_matches(is_left_over).to_owned()
}

#[derive(Deserialize)]
struct Index {
    tasks: Vec<Task>,
}

/// A folder of tasks.
#[derive(Debug, Clone)]
pub struct TaskFolder {
    folder: PathBuf,
    /// The tasks, in index order.
    pub tasks: Vec<Task>,
}

/// One of the two files of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// `NAME.train.jsonl`: prompts for the generator, and lines to fine-tune on.
    Train,
    /// `NAME.test.jsonl`: lines to score.
    Test,
}

impl TaskFolder {
    /// Reads `index.json` of a folder.
    ///
    /// # Errors
    /// When it is missing or malformed, has an invalid task name, or lists a task twice.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let path = folder.join("index.json");
        let index: Index = dnd_files::read_json(&path)?;
        for Task { name, .. } in &index.tasks {
            // The name becomes part of paths. `collection.json` is the header file of a
            // collection, which has a folder per task.
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
    /// [`Error::Argument`] with the first unknown name.
    pub fn select(&self, names: &[String]) -> Result<Vec<Task>, Error> {
        names
            .iter()
            .map(|name| {
                self.tasks
                    .iter()
                    .find(|task| task.name == *name)
                    .cloned()
                    .ok_or_else(|| {
                        let expected =
                            format!("a task of {}", self.folder.join("index.json").display());
                        let names = self.tasks.iter().map(|task| task.name.as_str());
                        let found = with_hint(name, names);
                        Error::argument("task", &expected, found)
                    })
            })
            .collect()
    }

    /// Reads the lines of one split.
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

/// Reads a JSON Lines file. Blank lines are skipped.
///
/// # Errors
/// When the file is missing or empty, or a line is malformed; the message has the line number.
pub fn read_lines(path: &Path) -> Result<Vec<Line>, Error> {
    parse_lines(&dnd_files::read_text(path)?, path)
}

/// Reads the text of a JSON Lines file; `path` names it in errors.
///
/// # Errors
/// As [`read_lines`].
pub fn parse_lines(text: &str, path: &Path) -> Result<Vec<Line>, Error> {
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

/// A name that is none of `names`, for an error message, and the one that is most like it.
pub(crate) fn with_hint<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> String {
    let likeness = |other: &&str| (1000.0 * strsim::jaro_winkler(name, other)) as u32;
    match names
        .max_by_key(likeness)
        .filter(|near| likeness(near) > 800)
    {
        Some(near) => format!("`{name}`; did you mean `{near}`?"),
        None => format!("`{name}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_has_no_place_for_an_input() {
        let described = [
            (
                "{} is the opposite of which word?",
                "is the opposite of which word?",
            ),
            ("Give the first word: {0}", "Give the first word"),
            ("{0}\nWhat comes after {1}?", "What comes after ?"),
            ("Answer as {\"a\": 1}: {}", "Answer as {\"a\": 1}"),
        ];
        for (template, expected) in described {
            assert_eq!(describe(template), expected);
        }
    }

    #[test]
    fn a_name_that_is_nearly_right_gets_a_hint() {
        let folder = tempfile::tempdir().unwrap();
        let index = br#"{"tasks":[{"name":"word-length","family":"f","role":"train"}]}"#;
        dnd_files::write(&folder.path().join("index.json"), index).unwrap();
        let tasks = TaskFolder::open(folder.path()).unwrap();
        let message = |name: &str| tasks.select(&[name.to_owned()]).unwrap_err().to_string();
        assert!(
            message("word-lengths").ends_with("found `word-lengths`; did you mean `word-length`?")
        );
        assert!(message("capitals").ends_with("found `capitals`"));
    }

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
