//! The numbers of the page, as CSV.

use std::path::Path;

use serde::Serialize;

use crate::{
    Estimate, Row, Summary, exact_match, generated_ahead, is_training_adapter, label, summarize,
};
use dnd_train::Error;

/// Value in the task column for the mean over all tasks.
const ALL_TASKS: &str = "all tasks";

/// One line of the table. Scores are fractions from 0 to 1.
#[derive(Serialize)]
struct Line<'a> {
    task: &'a str,
    method: String,
    asked: &'a str,
    lines: usize,
    exact_match: f64,
    exact_match_low: f64,
    exact_match_high: f64,
    lenient_match: f64,
    valid_answers: f64,
    generated_ahead: Option<f64>,
    generated_ahead_low: Option<f64>,
    generated_ahead_high: Option<f64>,
    adapt_seconds: f64,
    answer_seconds: f64,
    prompt_tokens: f64,
    adapter_bytes: u64,
}

impl<'a> Line<'a> {
    /// A method over all its tasks.
    fn of_summary(summary: &Summary, rows: &[Row]) -> Self {
        let key = (summary.method.as_str(), summary.asked);
        let of_method = rows.iter().filter(|row| row.key() == key);
        Self {
            task: ALL_TASKS,
            method: label(&summary.method),
            asked: summary.asked.name(),
            lines: of_method.map(|row| row.n).sum(),
            exact_match: summary.exact.mean,
            exact_match_low: summary.exact.low,
            exact_match_high: summary.exact.high,
            lenient_match: summary.lenient.mean,
            valid_answers: summary.valid.mean,
            generated_ahead: None,
            generated_ahead_low: None,
            generated_ahead_high: None,
            adapt_seconds: summary.adapt_seconds,
            answer_seconds: summary.answer_seconds,
            prompt_tokens: summary.prompt_tokens,
            adapter_bytes: summary.bytes,
        }
        .with_ahead(summary.ahead)
    }

    /// A method on one task.
    fn of_row(row: &'a Row, exact: Estimate, ahead: Option<Estimate>) -> Self {
        Self {
            task: &row.task,
            method: label(&row.method),
            asked: row.asked.name(),
            lines: row.n,
            exact_match: exact.mean,
            exact_match_low: exact.low,
            exact_match_high: exact.high,
            lenient_match: row.lenient_match,
            valid_answers: row.valid_answers,
            generated_ahead: None,
            generated_ahead_low: None,
            generated_ahead_high: None,
            adapt_seconds: row.adapt_seconds,
            answer_seconds: row.answer_seconds,
            prompt_tokens: row.prompt_tokens,
            adapter_bytes: row.bytes,
        }
        .with_ahead(ahead)
    }

    fn with_ahead(self, ahead: Option<Estimate>) -> Self {
        Self {
            generated_ahead: ahead.map(|ahead| ahead.mean),
            generated_ahead_low: ahead.map(|ahead| ahead.low),
            generated_ahead_high: ahead.map(|ahead| ahead.high),
            ..self
        }
    }
}

/// Writes one line per method over all tasks, then one line per task and method, including
/// single training adapters.
pub(super) fn write(path: &Path, rows: &[Row]) -> Result<(), Error> {
    let summaries = summarize(rows);
    let over_tasks = summaries
        .iter()
        .map(|summary| Line::of_summary(summary, rows));
    let of_tasks = rows.iter().filter_map(|row| {
        let ahead = if is_training_adapter(&row.method) {
            None
        } else {
            generated_ahead(rows, row)
        };
        Some(Line::of_row(row, exact_match(row)?, ahead))
    });
    let mut writer = csv::Writer::from_writer(Vec::new());
    for line in over_tasks.chain(of_tasks) {
        writer
            .serialize(line)
            .map_err(|e| Error::content(path, e))?;
    }
    let bytes = writer.into_inner().map_err(|e| Error::content(path, e))?;
    Ok(dnd_files::write(path, &bytes)?)
}
