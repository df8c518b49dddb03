//! `dnd report`: results of `dnd eval` as an HTML page and a CSV table.

mod curves;
mod inputs;
mod page;
mod spreadsheet;
mod tables;

use std::path::{Path, PathBuf};

pub use inputs::CountedResults;

use crate::{Row, read_rows, summarize};
use dnd_train::Error;
use inputs::TrainingCurve;

/// Why the page could not be rendered.
type RenderError = Box<dyn std::error::Error + Send + Sync>;

/// File name of the page.
pub const PAGE: &str = "index.html";
/// File name of the table.
pub const TABLE: &str = "report.csv";

/// Inputs and output of a report.
pub struct ReportOptions<'a> {
    /// Results of `dnd eval --suite`, in one file or, after `--shard`, in several.
    pub results: &'a [PathBuf],
    /// Loss curves of `dnd train`.
    pub curves: &'a [PathBuf],
    /// Results of generators trained on other numbers of tasks.
    pub tasks_curve: &'a [CountedResults],
    /// Folder for the page and the table.
    pub out: &'a Path,
}

/// Writes [`PAGE`], a self-contained HTML file, and [`TABLE`] with its numbers. A note replaces
/// each missing measurement. The same input gives the same bytes.
///
/// # Errors
/// When a file cannot be read, is malformed or holds no results, or one cannot be written.
pub fn report(options: &ReportOptions) -> Result<(), Error> {
    let rows = read_all(options.results)?;
    let curves = options.curves.iter().map(|path| TrainingCurve::read(path));
    let curves = curves.collect::<Result<Vec<_>, _>>()?;
    let counted = options.tasks_curve.iter().map(|counted| {
        let rows = read_non_empty(&counted.results)?;
        Ok::<_, Error>((counted.count, rows))
    });
    let counted = counted.collect::<Result<Vec<_>, _>>()?;
    let page_path = options.out.join(PAGE);
    let text = render(&rows, &curves, &counted).map_err(|e| Error::content(&page_path, e))?;
    dnd_files::make_folder(options.out)?;
    spreadsheet::write(&options.out.join(TABLE), &rows)?;
    Ok(dnd_files::write(&page_path, text.as_bytes())?)
}

/// Joins the results of several files.
fn read_all(paths: &[PathBuf]) -> Result<Vec<Row>, Error> {
    let mut all: Vec<Row> = Vec::new();
    for path in paths {
        let rows = read_non_empty(path)?;
        let is_known = |row: &&Row| {
            let mut known = all.iter();
            known.any(|other| other.task == row.task && other.key() == row.key())
        };
        if let Some(twice) = rows.iter().find(is_known) {
            let expected = "each task and method in one file";
            let found = format!("task `{}`, method `{}` again", twice.task, twice.method);
            return Err(Error::content(
                path,
                format!("expected {expected}, found {found}"),
            ));
        }
        all.extend(rows);
    }
    Ok(all)
}

/// Reads results; fails if there are none.
fn read_non_empty(path: &Path) -> Result<Vec<Row>, Error> {
    let rows = read_rows(path)?;
    if rows.is_empty() {
        let message = "expected results of `dnd eval`, found none";
        return Err(Error::content(path, message));
    }
    Ok(rows)
}

/// Renders the page.
fn render(
    rows: &[Row],
    curves: &[TrainingCurve],
    counted: &[(usize, Vec<Row>)],
) -> Result<String, RenderError> {
    let summaries = summarize(rows);
    let introduction = tables::introduction(rows, &summaries);
    let sections = [
        tables::methods(&summaries),
        tables::difference(rows),
        curves::examples(&summaries)?,
        curves::training_tasks(counted)?,
        curves::prompts(&summaries)?,
        curves::cost(&summaries)?,
        tables::tasks(rows)?,
        curves::training(curves)?,
        tables::notes(rows),
    ];
    page::page(&introduction, &sections)
}

#[cfg(test)]
mod tests;
