//! Results as JSON, CSV and a table.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{Error, files};

/// One task answered by one method.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The task's name.
    pub task: String,
    /// The method's name.
    pub method: String,
    /// Part of the lines whose answer is exactly right, 0 to 1.
    pub exact_match: f64,
    /// Number of lines.
    pub n: usize,
    /// Wall-clock seconds, the making of the adapter included.
    pub seconds: f64,
}

/// Reads rows from JSON; a file that does not exist has none.
///
/// # Errors
/// When the file is malformed.
pub fn read_rows(path: &Path) -> Result<Vec<Row>, Error> {
    if path.exists() {
        files::read_json(path)
    } else {
        Ok(Vec::new())
    }
}

/// Writes rows as JSON to `path` and as CSV beside it.
///
/// # Errors
/// When a file cannot be written.
pub fn write_rows(path: &Path, rows: &[Row]) -> Result<(), Error> {
    files::write_json(path, &rows)?;
    let path = path.with_extension("csv");
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer
            .serialize(row)
            .map_err(|e| Error::content(&path, e))?;
    }
    let bytes = writer.into_inner().map_err(|e| Error::content(&path, e))?;
    files::write(&path, &bytes)
}

/// A Markdown table of percentages, a row a task, a column a method, with the mean at the end.
pub fn table(rows: &[Row]) -> String {
    let distinct = |name: fn(&Row) -> &String| {
        let mut names: Vec<&String> = Vec::new();
        for row in rows {
            if !names.contains(&name(row)) {
                names.push(name(row));
            }
        }
        names
    };
    let (tasks, methods) = (distinct(|row| &row.task), distinct(|row| &row.method));
    let score = |task: &str, method: &str| {
        rows.iter()
            .find(|row| row.task == task && row.method == method)
            .map(|row| row.exact_match * 100.0)
    };
    let width = tasks
        .iter()
        .map(|task| task.len())
        .max()
        .unwrap_or(0)
        .max(4);
    let line = |name: &str, cells: Vec<String>| {
        let mut line = format!("| {name:<width$} |");
        for (cell, method) in cells.iter().zip(&methods) {
            let width = method.len().max(5);
            line.push_str(&format!(" {cell:>width$} |"));
        }
        line + "\n"
    };
    let mut text = line("task", methods.iter().map(ToString::to_string).collect());
    let rule = |method: &&String| format!("{}:", "-".repeat(method.len().max(5) - 1));
    text.push_str(&line(
        &"-".repeat(width),
        methods.iter().map(rule).collect(),
    ));
    for task in &tasks {
        let cells = methods
            .iter()
            .map(|method| score(task, method).map_or(String::new(), |score| format!("{score:.0}")));
        text.push_str(&line(task, cells.collect()));
    }
    let means = methods.iter().map(|method| {
        let scores: Vec<f64> = tasks
            .iter()
            .filter_map(|task| score(task, method))
            .collect();
        if scores.len() < tasks.len() {
            return String::new();
        }
        format!("{:.1}", scores.iter().sum::<f64>() / scores.len() as f64)
    });
    text + &line("mean", means.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(task: &str, method: &str, exact_match: f64) -> Row {
        Row {
            task: task.to_owned(),
            method: method.to_owned(),
            exact_match,
            n: 10,
            seconds: 1.0,
        }
    }

    #[test]
    fn the_table_has_means_and_gaps() {
        let rows = [
            row("a", "base", 0.0),
            row("a", "mean", 0.5),
            row("b", "base", 1.0),
        ];
        assert_eq!(
            table(&rows),
            "| task |  base |  mean |\n| ---- | ----: | ----: |\n| a    |     0 |    50 |\n\
             | b    |   100 |       |\n| mean |  50.0 |       |\n"
        );
    }

    #[test]
    fn rows_survive_their_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.json");
        assert_eq!(read_rows(&path).unwrap(), []);
        let rows = [row("a", "base", 0.25)];
        write_rows(&path, &rows).unwrap();
        assert_eq!(read_rows(&path).unwrap(), rows);
        assert!(path.with_extension("csv").exists());
    }
}
