//! Writes the built-in suite as a folder that [`TaskFolder`](crate::TaskFolder) reads.

use std::fs;
use std::path::Path;

use serde::Serialize;

use super::{SuiteTask, tasks};
use crate::task::with_hint;
use crate::{Line, Role};
use dnd_files::{Error, Observer};

/// An entry of the index.
#[derive(Serialize)]
struct Entry {
    name: String,
    family: &'static str,
    role: Role,
    train: usize,
    test: usize,
    metric: &'static str,
    source: &'static str,
    ship: bool,
    templates: Vec<String>,
}

#[derive(Serialize)]
struct Index {
    tasks: Vec<Entry>,
}

/// Writes the tasks named in `only`, or all if it is empty, and returns their number. The index
/// is written last, so a folder with an index is complete.
///
/// # Errors
/// [`Error::Argument`] for an unknown name or zero lines, [`Error::Cancelled`], or
/// [`Error::File`].
pub fn write(
    folder: &Path,
    seed: u64,
    train: usize,
    test: usize,
    only: &[String],
    observer: &dyn Observer,
) -> Result<usize, Error> {
    for (field, count) in [("train", train), ("test", test)] {
        if count == 0 {
            return Err(Error::argument(field, "at least one line per task", count));
        }
    }
    let tasks = select(tasks(), only)?;
    dnd_files::make_folder(folder)?;
    let index = folder.join("index.json");
    if index.exists() {
        fs::remove_file(&index).map_err(|e| Error::file(&index, "cannot replace", e))?;
    }
    observer.begin("tasks", tasks.len() as u64);
    let mut entries = Vec::with_capacity(tasks.len());
    for task in tasks {
        observer.check()?;
        let (train, test) = task.lines(seed, train, test);
        write_lines(&folder.join(format!("{}.train.jsonl", task.name)), &train)?;
        write_lines(&folder.join(format!("{}.test.jsonl", task.name)), &test)?;
        observer.advance(1, &task.name);
        entries.push(Entry {
            templates: task.templates().to_vec(),
            name: task.name,
            family: task.family,
            role: task.role,
            train: train.len(),
            test: test.len(),
            metric: "exact_match",
            source: "dnd",
            ship: true,
        });
    }
    let count = entries.len();
    dnd_files::write_json(&index, &Index { tasks: entries })?;
    Ok(count)
}

/// Checks that the suite has tasks of these names.
///
/// # Errors
/// [`Error::Argument`] for the first that it has not.
pub fn check_names(only: &[String]) -> Result<(), Error> {
    select(tasks(), only).map(|_| ())
}

/// The tasks named in `only`, in suite order, or all if it is empty.
fn select(tasks: Vec<SuiteTask>, only: &[String]) -> Result<Vec<SuiteTask>, Error> {
    let names = || tasks.iter().map(|task| task.name.as_str());
    if let Some(name) = only.iter().find(|only| names().all(|name| name != **only)) {
        let expected = "task names, as listed by `dnd tasks --list`";
        return Err(Error::argument("only", expected, with_hint(name, names())));
    }
    Ok(tasks
        .into_iter()
        .filter(|task| only.is_empty() || only.contains(&task.name))
        .collect())
}

fn write_lines(path: &Path, lines: &[Line]) -> Result<(), Error> {
    let mut text = Vec::new();
    for line in lines {
        serde_json::to_writer(&mut text, line).map_err(|e| Error::content(path, e))?;
        text.push(b'\n');
    }
    dnd_files::write(path, &text)
}
