//! Methods over all tasks: means, intervals, and the difference to `generated`.

use dnd_charts::Bar;

use crate::{Estimate, Row, asked_label, estimate, is_training_adapter, label};
use dnd_tasks::Asked;

/// The method that the others are compared with.
const GENERATED: &str = "generated";

/// Seed of the bootstrap.
const SEED: u64 = 0;

/// The results of one method over its tasks.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// The method's name.
    pub method: String,
    /// How the base model was asked.
    pub asked: Asked,
    /// Number of tasks.
    pub tasks: usize,
    /// Mean exact match.
    pub exact: Estimate,
    /// Mean lenient match.
    pub lenient: Estimate,
    /// Mean fraction of valid answers.
    pub valid: Estimate,
    /// Exact match of `generated` minus this method's, paired by line over the tasks that both
    /// have. `None` for `generated` itself, or if it was not measured.
    pub ahead: Option<Estimate>,
    /// Mean seconds to get an adapter.
    pub adapt_seconds: f64,
    /// Mean seconds to complete a task's lines.
    pub answer_seconds: f64,
    /// Mean tokens of a prompt, over tasks.
    pub prompt_tokens: f64,
    /// Mean bytes of an adapter.
    pub bytes: u64,
}

impl Summary {
    /// The name for tables and charts.
    pub fn label(&self) -> String {
        asked_label(&label(&self.method), self.asked)
    }
}

/// One summary per method and way of asking, in order of first occurrence. Single training
/// adapters are left out, except through `mean` and `best`.
pub fn summarize(rows: &[Row]) -> Vec<Summary> {
    distinct(rows.iter().map(Row::key))
        .into_iter()
        .filter(|(method, _)| !is_training_adapter(method))
        .filter_map(|(method, asked)| {
            let of_method = rows.iter().filter(|row| row.key() == (method, asked));
            let of_method: Vec<&Row> = of_method.collect();
            let over = |outcomes: fn(&Row) -> &[f64]| {
                let tasks: Vec<&[f64]> = of_method.iter().map(|row| outcomes(row)).collect();
                estimate(&tasks, SEED)
            };
            let count = of_method.len() as f64;
            let mean = |value: fn(&Row) -> f64| {
                of_method.iter().map(|row| value(row)).sum::<f64>() / count
            };
            Some(Summary {
                method: method.to_owned(),
                asked,
                tasks: of_method.len(),
                exact: over(|row| &row.exact)?,
                lenient: over(|row| &row.lenient)?,
                valid: over(|row| &row.valid)?,
                ahead: ahead(rows, &of_method),
                adapt_seconds: mean(|row| row.adapt_seconds),
                answer_seconds: mean(|row| row.answer_seconds),
                prompt_tokens: mean(|row| row.prompt_tokens),
                bytes: mean(|row| row.bytes as f64) as u64,
            })
        })
        .collect()
}

/// Exact match of `generated` minus that of `others`, paired by line. Rows pair if they have the
/// same task and number of lines.
fn ahead(rows: &[Row], others: &[&Row]) -> Option<Estimate> {
    if others.iter().any(|row| row.method == GENERATED) {
        return None;
    }
    let differences: Vec<Vec<f64>> = others
        .iter()
        .filter_map(|other| {
            let generated = rows.iter().find(|row| {
                row.key() == (GENERATED, other.asked) && row.task == other.task && row.n == other.n
            })?;
            let lines = generated.exact.iter().zip(&other.exact);
            Some(lines.map(|(generated, other)| generated - other).collect())
        })
        .collect();
    let tasks: Vec<&[f64]> = differences.iter().map(Vec::as_slice).collect();
    estimate(&tasks, SEED)
}

/// An estimate as a bar of a chart.
pub(crate) fn bar(name: String, estimate: Estimate) -> Bar {
    Bar {
        name,
        mean: estimate.mean,
        interval: (estimate.low, estimate.high),
    }
}

/// Exact match of one row with its interval; `None` for a row without lines.
pub fn exact_match(row: &Row) -> Option<Estimate> {
    estimate(&[&row.exact], SEED)
}

/// Exact match of `generated` minus that of one row.
pub fn generated_ahead(rows: &[Row], row: &Row) -> Option<Estimate> {
    ahead(rows, &[row])
}

/// The distinct values, in order of first occurrence.
pub(crate) fn distinct<T: PartialEq>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut found = Vec::new();
    for value in values {
        if !found.contains(&value) {
            found.push(value);
        }
    }
    found
}

/// An estimate in percent, with its interval.
pub fn percent(estimate: Estimate) -> String {
    let Estimate { mean, low, high } = estimate;
    // Adding 0.0 turns -0.0 into 0.0.
    let percent = |value: f64| format!("{:.1}", (value * 1000.0).round() / 10.0 + 0.0);
    format!("{} [{}, {}]", percent(mean), percent(low), percent(high))
}

#[cfg(test)]
pub(crate) mod test_data {
    use super::*;

    /// A row with the same outcomes for exact match, lenient match and validity.
    pub(crate) fn row(task: &str, method: &str, outcomes: &[f64]) -> Row {
        Row {
            task: task.to_owned(),
            method: method.to_owned(),
            exact_match: outcomes.iter().sum::<f64>() / outcomes.len() as f64,
            n: outcomes.len(),
            adapt_seconds: 0.5,
            answer_seconds: 2.0,
            bytes: 100,
            exact: outcomes.to_vec(),
            lenient: outcomes.to_vec(),
            valid: outcomes.to_vec(),
            ..Row::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::test_data::row;
    use super::*;

    #[test]
    fn differences_are_paired_by_line() {
        let rows = [
            row("a", "base", &[0.0, 1.0, 0.0, 1.0]),
            row("a", "generated", &[1.0, 1.0, 1.0, 1.0]),
            row("a", "training:x", &[1.0; 4]),
            // Different numbers of lines do not pair.
            row("b", "base", &[0.0]),
            row("b", "generated", &[0.0, 0.0]),
        ];
        let summaries = summarize(&rows);
        let names: Vec<&str> = summaries.iter().map(|s| s.method.as_str()).collect();
        assert_eq!(names, ["base", "generated"]);
        let ahead = summaries[0].ahead.unwrap();
        assert_eq!(ahead.mean, 0.5);
        assert!(ahead.low >= 0.0 && ahead.high <= 1.0);
        assert_eq!(summaries[1].ahead, None);
        assert_eq!(summaries[0].tasks, 2);
        assert_eq!(summaries[0].exact.mean, 0.25);
    }

    #[test]
    fn lines_that_differ_alike_leave_no_doubt() {
        let rows = [
            row("a", "base", &[0.0; 20]),
            row("a", "generated", &[1.0; 20]),
        ];
        let ahead = generated_ahead(&rows, &rows[0]).unwrap();
        assert_eq!((ahead.low, ahead.high), (1.0, 1.0));
        assert_eq!(percent(ahead), "100.0 [100.0, 100.0]");
    }

    #[test]
    fn nothing_is_minus_zero() {
        let nought = Estimate {
            mean: -0.0,
            low: -0.00001,
            high: 0.0,
        };
        assert_eq!(percent(nought), "0.0 [0.0, 0.0]");
    }
}
