//! Results as JSON, CSV and Markdown.

use std::path::Path;

use serde::Serialize;

use crate::summary::distinct;
use crate::{Row, asked_label, is_training_adapter};
use dnd_tasks::Asked;
use dnd_train::Error;

/// Reads rows from JSON; none if the file does not exist.
///
/// # Errors
/// When the file is malformed, or the outcomes of a row do not match its number of lines.
pub fn read_rows(path: &Path) -> Result<Vec<Row>, Error> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let rows: Vec<Row> = dnd_files::read_json(path)?;
    for row in &rows {
        for (field, outcomes) in [
            ("exact", &row.exact),
            ("lenient", &row.lenient),
            ("valid", &row.valid),
        ] {
            if outcomes.len() != row.n {
                return Err(Error::content(
                    path,
                    format!(
                        "task `{}`, method `{}`, {field}: expected {} outcomes, found {}",
                        row.task,
                        row.method,
                        row.n,
                        outcomes.len()
                    ),
                ));
            }
        }
    }
    Ok(rows)
}

/// A CSV row: a result without the outcomes of each line.
#[derive(Serialize)]
struct Shares<'a> {
    task: &'a str,
    method: &'a str,
    asked: &'a str,
    exact_match: f64,
    lenient_match: f64,
    valid_answers: f64,
    n: usize,
    adapt_seconds: f64,
    answer_seconds: f64,
    prompt_tokens: f64,
    bytes: u64,
    note: &'a str,
}

/// Writes rows to `path` as JSON, one per line, and next to it as CSV without the outcomes of
/// each line.
///
/// # Errors
/// When a file cannot be written.
pub fn write_rows(path: &Path, rows: &[Row]) -> Result<(), Error> {
    let lines = rows
        .iter()
        .map(serde_json::to_string)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| Error::content(path, e))?;
    dnd_files::write(path, format!("[\n{}\n]\n", lines.join(",\n")).as_bytes())?;
    let path = path.with_extension("csv");
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer
            .serialize(Shares {
                task: &row.task,
                method: &row.method,
                asked: row.asked.name(),
                exact_match: row.exact_match,
                lenient_match: row.lenient_match,
                valid_answers: row.valid_answers,
                n: row.n,
                adapt_seconds: row.adapt_seconds,
                answer_seconds: row.answer_seconds,
                prompt_tokens: row.prompt_tokens,
                bytes: row.bytes,
                note: &row.note,
            })
            .map_err(|e| Error::content(&path, e))?;
    }
    let bytes = writer.into_inner().map_err(|e| Error::content(&path, e))?;
    Ok(dnd_files::write(&path, &bytes)?)
}

/// A Markdown table of exact match in percent, with one row per task, one column per method, and
/// the mean at the end. Single training adapters are left out, except through `mean` and `best`.
pub fn table(rows: &[Row]) -> String {
    let rows: Vec<&Row> = rows
        .iter()
        .filter(|row| !is_training_adapter(&row.method))
        .collect();
    let tasks = distinct(rows.iter().map(|row| row.task.as_str()));
    let columns = distinct(rows.iter().map(|row| row.key()));
    let methods: Vec<String> = columns
        .iter()
        .map(|(method, asked)| asked_label(method, *asked))
        .collect();
    let score = |task: &str, column: &(&str, Asked)| {
        rows.iter()
            .find(|row| row.task == task && row.key() == *column)
            .map(|row| row.exact_match * 100.0)
    };
    let width = tasks.iter().map(|task| task.len()).max();
    let width = width.unwrap_or(0).max(4);
    let line = |name: &str, cells: Vec<String>| {
        let mut line = format!("| {name:<width$} |");
        for (cell, method) in cells.iter().zip(&methods) {
            let width = method.len().max(5);
            line.push_str(&format!(" {cell:>width$} |"));
        }
        line + "\n"
    };
    let mut text = line("task", methods.clone());
    let rule = |method: &String| format!("{}:", "-".repeat(method.len().max(5) - 1));
    text.push_str(&line(
        &"-".repeat(width),
        methods.iter().map(rule).collect(),
    ));
    for task in &tasks {
        let cells = columns
            .iter()
            .map(|column| score(task, column).map_or(String::new(), |score| format!("{score:.0}")));
        text.push_str(&line(task, cells.collect()));
    }
    let means = columns.iter().map(|column| {
        let scores: Vec<f64> = tasks
            .iter()
            .filter_map(|task| score(task, column))
            .collect();
        if scores.len() < tasks.len() {
            return String::new();
        }
        format!("{:.1}", scores.iter().sum::<f64>() / scores.len() as f64)
    });
    text + &line("mean", means.collect())
}

/// A Markdown table with one row per method: means over tasks with their intervals.
pub fn summary_table(summaries: &[super::Summary]) -> String {
    let mut text = String::from(
        "| method | tasks | exact % | lenient % | valid % | generated is ahead by \
         | adapt s | answer s | prompt tokens | bytes |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for summary in summaries {
        let ahead = summary.ahead.map(super::percent).unwrap_or_default();
        text.push_str(&format!(
            "| {} | {} | {} | {} | {} | {ahead} | {:.3} | {:.1} | {:.0} | {} |\n",
            summary.label(),
            summary.tasks,
            super::percent(summary.exact),
            super::percent(summary.lenient),
            super::percent(summary.valid),
            summary.adapt_seconds,
            summary.answer_seconds,
            summary.prompt_tokens,
            summary.bytes,
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summarize;
    use crate::summary::test_data::row;

    #[test]
    fn the_table_has_means_and_gaps() {
        let rows = [
            row("a", "base", &[0.0]),
            row("a", "training:x", &[0.0]),
            row("a", "mean", &[0.5]),
            row("b", "base", &[1.0]),
        ];
        assert_eq!(
            table(&rows),
            "| task |  base |  mean |\n| ---- | ----: | ----: |\n| a    |     0 |    50 |\n\
             | b    |   100 |       |\n| mean |  50.0 |       |\n"
        );
        let text = summary_table(&summarize(&rows));
        assert!(text.contains("| base | 2 | 50.0 [50.0, 50.0] |"), "{text}");
    }

    #[test]
    fn rows_survive_their_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.json");
        assert_eq!(read_rows(&path).unwrap(), []);
        let mut rows = [row("a", "base", &[1.0, 0.0]), row("b", "mean", &[0.25])];
        write_rows(&path, &rows).unwrap();
        assert_eq!(read_rows(&path).unwrap(), rows);
        assert_eq!(dnd_files::read_text(&path).unwrap().lines().count(), 4);
        let table = dnd_files::read_text(&path.with_extension("csv")).unwrap();
        assert!(table.contains("\na,base,full,0.5,"), "{table}");
        rows[0].n = 3;
        write_rows(&path, &rows).unwrap();
        let message = read_rows(&path).unwrap_err().to_string();
        assert!(
            message.contains("expected 3 outcomes, found 2"),
            "{message}"
        );
    }
}
