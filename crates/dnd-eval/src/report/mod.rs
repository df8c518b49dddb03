//! `dnd report`: what `dnd eval` measured as one page and one table.

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

/// Why a picture could not be drawn.
type Unwritten = Box<dyn std::error::Error + Send + Sync>;

/// The page's name in its folder.
pub const PAGE: &str = "index.html";
/// The table's name in its folder.
pub const TABLE: &str = "report.csv";

/// What to report.
pub struct ReportOptions<'a> {
    /// What `dnd eval --suite` wrote.
    pub results: &'a Path,
    /// Loss curves that `dnd train` wrote.
    pub curves: &'a [PathBuf],
    /// Results of generators trained on fewer or more tasks.
    pub tasks_curve: &'a [CountedResults],
    /// Folder for the page and the table.
    pub out: &'a Path,
}

/// Writes [`PAGE`], which needs nothing besides itself, and [`TABLE`] with the figures behind it.
/// What was not measured is left out with a sentence. The same input gives the same bytes.
///
/// # Errors
/// When a file cannot be read, is malformed or holds no results, or one cannot be written.
pub fn report(options: &ReportOptions) -> Result<(), Error> {
    let rows = read_some(options.results)?;
    let curves = options.curves.iter().map(|path| TrainingCurve::read(path));
    let curves = curves.collect::<Result<Vec<_>, _>>()?;
    let counted = options.tasks_curve.iter().map(|counted| {
        let rows = read_some(&counted.results)?;
        Ok::<_, Error>((counted.count, rows))
    });
    let counted = counted.collect::<Result<Vec<_>, _>>()?;
    let page_path = options.out.join(PAGE);
    let text = compose(&rows, &curves, &counted).map_err(|e| Error::content(&page_path, e))?;
    dnd_files::make_folder(options.out)?;
    spreadsheet::write(&options.out.join(TABLE), &rows)?;
    Ok(dnd_files::write(&page_path, text.as_bytes())?)
}

/// Reads results, of which there has to be one.
fn read_some(path: &Path) -> Result<Vec<Row>, Error> {
    let rows = read_rows(path)?;
    if rows.is_empty() {
        let message = "expected results of `dnd eval`, found none";
        return Err(Error::content(path, message));
    }
    Ok(rows)
}

/// The page's text.
fn compose(
    rows: &[Row],
    curves: &[TrainingCurve],
    counted: &[(usize, Vec<Row>)],
) -> Result<String, Unwritten> {
    let summaries = summarize(rows);
    let introduction = tables::introduction(rows, &summaries);
    let sections = [
        tables::methods(&summaries),
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
