//! Inputs of a report other than the results.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use dnd_train::Error;

/// Results of a generator trained on `count` tasks, given as `COUNT=FILE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedResults {
    /// Number of training tasks.
    pub count: usize,
    /// Results of `dnd eval`.
    pub results: PathBuf,
}

impl FromStr for CountedResults {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parts = text.split_once('=').and_then(|(count, path)| {
            let count = count.trim().parse::<usize>().ok()?;
            (count > 0 && !path.is_empty()).then_some((count, path))
        });
        match parts {
            Some((count, path)) => Ok(Self {
                count,
                results: path.into(),
            }),
            None => {
                let expected = "COUNT=FILE with a count above 0";
                Err(Error::argument(
                    "tasks-curve",
                    expected,
                    format!("`{text}`"),
                ))
            }
        }
    }
}

/// The losses of a training run.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TrainingCurve {
    /// The file's name.
    pub(super) name: String,
    /// For each loss column, its name and its points (step, loss).
    pub(super) losses: Vec<(String, Vec<(f64, f64)>)>,
}

impl TrainingCurve {
    /// Reads the CSV that `dnd train` writes next to a bundle: a column `step`, and columns with
    /// `loss` in their name.
    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        let text = dnd_files::read_text(path)?;
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let headings = reader
            .headers()
            .map_err(|e| Error::content(path, e))?
            .clone();
        let step = headings.iter().position(|name| name == "step");
        let step =
            step.ok_or_else(|| Error::content(path, "expected a column `step`, found none"))?;
        let columns: Vec<usize> = (0..headings.len())
            .filter(|&column| headings[column].contains("loss"))
            .collect();
        let mut losses: Vec<(String, Vec<(f64, f64)>)> = columns
            .iter()
            .map(|&column| (headings[column].to_owned(), Vec::new()))
            .collect();
        for (index, record) in reader.records().enumerate() {
            let record = record.map_err(|e| Error::content(path, e))?;
            let number = |column: usize| -> Result<f64, Error> {
                record[column].trim().parse().map_err(|_| {
                    Error::content(
                        path,
                        format!(
                            "line {}, column `{}`: expected a number, found `{}`",
                            index + 2,
                            &headings[column],
                            &record[column]
                        ),
                    )
                })
            };
            for (&column, (_, points)) in columns.iter().zip(&mut losses) {
                // A cell is empty at steps where the loss was not measured.
                if !record[column].trim().is_empty() {
                    points.push((number(step)?, number(column)?));
                }
            }
        }
        losses.retain(|(_, points)| !points.is_empty());
        if losses.is_empty() {
            let message = "expected a column with `loss` in its name and numbers in it, found none";
            return Err(Error::content(path, message));
        }
        let name = path.file_name().unwrap_or_default();
        Ok(Self {
            name: name.to_string_lossy().into_owned(),
            losses,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_come_before_files() {
        let counted = "10=a=b.json".parse::<CountedResults>().unwrap();
        assert_eq!((counted.count, counted.results), (10, "a=b.json".into()));
        for text in ["", "10", "10=", "0=a", "x=a"] {
            assert!(text.parse::<CountedResults>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_curve_may_have_gaps() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("curve.csv");
        dnd_files::write(
            &path,
            b"step,rate,loss,held_out_loss\n1,0.1,2.5,\n2,0.1,2,3\n",
        )
        .unwrap();
        let curve = TrainingCurve::read(&path).unwrap();
        let expected = [
            ("loss".to_owned(), vec![(1.0, 2.5), (2.0, 2.0)]),
            ("held_out_loss".to_owned(), vec![(2.0, 3.0)]),
        ];
        assert_eq!(curve.losses, expected);
        dnd_files::write(&path, b"step,loss\n1,much\n").unwrap();
        let message = TrainingCurve::read(&path).unwrap_err().to_string();
        assert!(
            message.contains("line 2") && message.contains("`much`"),
            "{message}"
        );
        dnd_files::write(&path, b"loss\n1\n").unwrap();
        assert!(TrainingCurve::read(&path).is_err());
    }
}
