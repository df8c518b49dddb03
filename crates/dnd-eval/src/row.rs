//! The result of one method on one task.

use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use crate::{Scores, asked_label, label};
use dnd_tasks::Asked;

/// The result of one method on one task.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The task's name.
    pub task: String,
    /// The method's name.
    pub method: String,
    /// How the base model was asked.
    #[serde(default)]
    pub asked: Asked,
    /// Exact match: fraction of lines, 0 to 1.
    pub exact_match: f64,
    /// Lenient match: fraction of lines with the response in the first line, ignoring case.
    pub lenient_match: f64,
    /// Valid answers: fraction of lines, right or wrong.
    pub valid_answers: f64,
    /// Number of lines.
    pub n: usize,
    /// Wall-clock seconds to get the adapter.
    pub adapt_seconds: f64,
    /// Wall-clock seconds to complete all lines.
    pub answer_seconds: f64,
    /// Mean tokens of the prompt that the base model reads for a line, chat template included.
    #[serde(default)]
    pub prompt_tokens: f64,
    /// Bytes of the adapter in half precision; 0 without an adapter.
    pub bytes: u64,
    /// Mean cosine between this generated adapter's difference from the mean adapter and those of
    /// the other tasks: 1 where the prompts do not matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cosine: Option<f64>,
    /// A note, such as which adapter was the nearest.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Fingerprint of the inputs: models, lines, adapters, settings and seed.
    pub inputs: String,
    /// Exact match per line: 0 or 1, or a fraction for a mean over adapters.
    #[serde(serialize_with = "short_numbers")]
    pub exact: Vec<f64>,
    /// Lenient match per line.
    #[serde(serialize_with = "short_numbers")]
    pub lenient: Vec<f64>,
    /// Validity per line.
    #[serde(serialize_with = "short_numbers")]
    pub valid: Vec<f64>,
}

impl Row {
    /// What was measured: the method, and how the base model was asked.
    pub fn key(&self) -> (&str, Asked) {
        (&self.method, self.asked)
    }

    /// The name of what was measured, for tables and charts.
    pub fn label(&self) -> String {
        asked_label(&label(&self.method), self.asked)
    }

    /// A row with the outcomes of each line, and their means.
    pub(super) fn from_scores(scores: &[Scores]) -> Self {
        let outcomes = |right: fn(&Scores) -> bool| -> Vec<f64> {
            let lines = scores.iter();
            lines
                .map(|line| if right(line) { 1.0 } else { 0.0 })
                .collect()
        };
        let mut row = Self {
            exact: outcomes(|line| line.exact),
            lenient: outcomes(|line| line.lenient),
            valid: outcomes(|line| line.valid),
            ..Self::default()
        };
        row.share();
        row
    }

    /// The mean of several rows of one task, line by line; an empty row if there are none.
    pub(super) fn mean_of(rows: &[&Row]) -> Self {
        let Some(first) = rows.first() else {
            return Self::default();
        };
        let count = rows.len() as f64;
        let mean = |values: fn(&Row) -> &[f64]| -> Vec<f64> {
            let sum = |line: usize| rows.iter().map(|row| values(row)[line]).sum::<f64>();
            (0..first.n).map(|line| sum(line) / count).collect()
        };
        let mut row = Self {
            exact: mean(|row| &row.exact),
            lenient: mean(|row| &row.lenient),
            valid: mean(|row| &row.valid),
            adapt_seconds: rows.iter().map(|row| row.adapt_seconds).sum::<f64>() / count,
            answer_seconds: rows.iter().map(|row| row.answer_seconds).sum::<f64>() / count,
            prompt_tokens: first.prompt_tokens,
            bytes: first.bytes,
            ..Self::default()
        };
        row.share();
        row
    }

    /// Sets `n` and the mean scores from the outcomes.
    fn share(&mut self) {
        let mean = |outcomes: &[f64]| outcomes.iter().sum::<f64>() / outcomes.len().max(1) as f64;
        self.n = self.exact.len();
        self.exact_match = mean(&self.exact);
        self.lenient_match = mean(&self.lenient);
        self.valid_answers = mean(&self.valid);
    }
}

/// Writes 0 and 1 as integers, because most outcomes are 0 or 1.
fn short_numbers<S: Serializer>(values: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(values.iter().map(|&value| {
        if value == 0.0 || value == 1.0 {
            Value::from(value as u8)
        } else {
            Value::from(value)
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(exact: bool, valid: bool) -> Scores {
        Scores {
            exact,
            lenient: exact,
            valid,
        }
    }

    #[test]
    fn shares_come_from_the_lines() {
        let row = Row::from_scores(&[
            score(true, true),
            score(false, true),
            score(false, false),
            score(false, true),
        ]);
        assert_eq!((row.n, row.exact_match, row.valid_answers), (4, 0.25, 0.75));
        let json = serde_json::to_string(&row).unwrap();
        assert!(json.contains("\"exact\":[1,0,0,0]"), "{json}");
        assert_eq!(serde_json::from_str::<Row>(&json).unwrap(), row);
    }

    #[test]
    fn a_mean_is_taken_line_by_line() {
        let one = Row::from_scores(&[score(true, true), score(true, false)]);
        let other = Row::from_scores(&[score(false, true), score(true, false)]);
        let mean = Row::mean_of(&[&one, &other]);
        assert_eq!(mean.exact, [0.5, 1.0]);
        assert_eq!((mean.n, mean.exact_match), (2, 0.75));
        assert_eq!(Row::mean_of(&[]), Row::default());
    }
}
