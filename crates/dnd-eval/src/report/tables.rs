//! Sections with tables and bar charts: methods over all tasks, and each task.

use dnd_charts::draw_bars;

use super::RenderError;
use super::page::{Block, Section, cell};
use dnd_tasks::Asked;

use crate::{RESAMPLES, Row, Summary, bar, distinct, exact_match, is_training_adapter};

/// What was measured, in one paragraph.
pub(super) fn introduction(rows: &[Row], summaries: &[Summary]) -> Block {
    let tasks = distinct(rows.iter().map(|row| row.task.as_str())).len();
    let lines = rows.iter().map(|row| row.n).max().unwrap_or(0);
    Block::paragraph(format!(
        "{} methods on {tasks} tasks, with at most {lines} test lines each. Scores are means over \
         tasks in percent, with 95 % bootstrap intervals in brackets ({RESAMPLES} resamples of \
         the lines within tasks).",
        summaries.len()
    ))
}

/// All methods over all tasks.
pub(super) fn methods(summaries: &[Summary]) -> Section {
    let headings = [
        "method",
        "tasks",
        "exact match",
        "lenient match",
        "valid answers",
        "generated ahead by",
        "adapting, s",
        "answering, s",
        "prompt, tokens",
        "adapter, MB",
    ];
    let rows: Vec<Vec<String>> = summaries
        .iter()
        .map(|summary| {
            vec![
                summary.label(),
                summary.tasks.to_string(),
                cell(Some(summary.exact)),
                cell(Some(summary.lenient)),
                cell(Some(summary.valid)),
                cell(summary.ahead),
                format!("{:.3}", summary.adapt_seconds),
                format!("{:.1}", summary.answer_seconds),
                format!("{:.0}", summary.prompt_tokens),
                format!("{:.2}", summary.bytes as f64 / 1e6),
            ]
        })
        .collect();
    let table = Block::table(&headings, rows);
    let note = Block::note(
        "Exact match: the completion is the expected answer. Lenient match: its first line \
         contains the answer, ignoring case. Valid answers: it has the form of the task's \
         answers, right or wrong. Generated ahead by: the difference in exact match, paired by \
         line. A prompt's tokens, chat template included, are what a call costs before the \
         answer. Seconds are means per task; for a given adapter, they are the time to read it. \
         best is an oracle: the training adapter that scores best on the test lines. \
         generated:shuffled and generated:random are controls: prompts of another task, and \
         random vectors. Bare: the base model is asked with the input alone, without the \
         instruction, so that only the adapter knows the task.",
    );
    Section::new("All methods", vec![table, note])
}

/// How much generated adapters depend on the prompts.
pub(super) fn difference(rows: &[Row]) -> Section {
    let title = "Do the prompts matter?";
    let cosines: Vec<f64> = rows
        .iter()
        .filter(|row| row.asked == Asked::Full)
        .filter_map(|row| row.cosine)
        .collect();
    if cosines.is_empty() {
        let text = "Generated adapters of different tasks were not compared.";
        return Section::new(title, vec![Block::note(text)]);
    }
    let mean = cosines.iter().sum::<f64>() / cosines.len() as f64;
    let text = format!(
        "Without the mean adapter, the generated adapters of two tasks have a cosine of {mean:.2}, \
         as a mean over all pairs of {} tasks. It is 1 where the prompts do not matter, and 0 \
         where adapters have nothing in common but the mean.",
        cosines.len()
    );
    Section::new(title, vec![Block::paragraph(text)])
}

/// Exact match of every method on every task, as a table and bar charts.
pub(super) fn tasks(rows: &[Row]) -> Result<Section, RenderError> {
    let rows: Vec<&Row> = rows
        .iter()
        .filter(|row| !is_training_adapter(&row.method))
        .collect();
    let tasks = distinct(rows.iter().map(|row| row.task.as_str()));
    let methods = distinct(rows.iter().map(|row| row.label()));
    let find = |task: &str, method: &str| {
        let mut of_task = rows.iter().filter(|row| row.task == task);
        of_task.find(|row| row.label() == method).copied()
    };
    let headings: Vec<&str> = ["method"]
        .into_iter()
        .chain(tasks.iter().copied())
        .collect();
    let cells: Vec<Vec<String>> = methods
        .iter()
        .map(|method| {
            let scores = tasks.iter().map(|task| {
                let row = find(task, method);
                row.map_or(String::new(), |row| {
                    format!("{:.0}", row.exact_match * 100.0)
                })
            });
            [method.clone()].into_iter().chain(scores).collect()
        })
        .collect();
    let mut grid = Vec::new();
    for task in &tasks {
        let bars: Vec<_> = methods
            .iter()
            .filter_map(|method| Some(bar(method.clone(), exact_match(find(task, method)?)?)))
            .collect();
        grid.push(Block::figure(task, draw_bars(&bars)?));
    }
    Ok(Section {
        title: "Each task",
        blocks: vec![Block::table(&headings, cells)],
        grid,
    })
}

/// The notes of the rows.
pub(super) fn notes(rows: &[Row]) -> Section {
    let notes: Vec<Vec<String>> = rows
        .iter()
        .filter(|row| !row.note.is_empty() && !is_training_adapter(&row.method))
        .map(|row| vec![row.label(), row.task.clone(), row.note.clone()])
        .collect();
    let block = if notes.is_empty() {
        Block::note("There are no notes.")
    } else {
        Block::table(&["method", "task", "note"], notes)
    };
    Section::new("How it was measured", vec![block])
}
