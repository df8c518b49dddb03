//! The loss curve of a training run: a CSV file, and a picture of it.

use std::path::Path;

use dnd_charts::{Chart, Point, Series};
use serde::{Deserialize, Serialize};

use crate::Error;

/// One row of the curve: means since the row before, and validation losses.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct CurvePoint {
    /// Steps done.
    pub(crate) step: usize,
    /// Learning rate of the generator.
    pub(crate) rate: f64,
    /// Training loss: a weighted mean squared error, of which the mean adapter scores about 1, or a
    /// cross-entropy in nats a token of the answers. The losses below have the same unit.
    pub(crate) loss: f32,
    /// Loss of the held-out tasks, asked in full, under the mean adapter alone.
    pub(crate) mean_loss: Option<f32>,
    /// Loss of unseen prompts (weights) or of held-out tasks, asked in full (behaviour).
    pub(crate) generated_loss: Option<f32>,
    /// Loss of the held-out tasks, asked in full, under adapters generated from another task's
    /// prompts.
    pub(crate) shuffled_loss: Option<f32>,
    /// The three losses of the held-out tasks, asked bare.
    pub(crate) bare_mean_loss: Option<f32>,
    /// See [`bare_mean_loss`](Self::bare_mean_loss).
    pub(crate) bare_generated_loss: Option<f32>,
    /// See [`bare_mean_loss`](Self::bare_mean_loss).
    pub(crate) bare_shuffled_loss: Option<f32>,
    /// Mean norm of the generator's gradients before clipping.
    pub(crate) generator_norm: Option<f32>,
    /// Mean norm of the mean adapter's gradient before clipping.
    pub(crate) mean_norm: Option<f32>,
    /// Root mean square of the generator's output, in units of the scale.
    pub(crate) size: Option<f32>,
    /// Tokens of the training lines, prompts included, computed a second.
    pub(crate) tokens_per_second: Option<f64>,
    /// Seconds of computing so far.
    pub(crate) seconds: f64,
}

impl CurvePoint {
    /// The row as a line for the user; `validated` names what the validation losses are of.
    pub(crate) fn words(&self, validated: &str) -> String {
        let mut words = format!("step {}: loss {:.3}", self.step, self.loss);
        let full = [self.mean_loss, self.generated_loss, self.shuffled_loss];
        let bare = [
            self.bare_mean_loss,
            self.bare_generated_loss,
            self.bare_shuffled_loss,
        ];
        for (asked, losses) in [("", full), (" asked bare", bare)] {
            let names = ["mean", "generated", "from other prompts"];
            let losses: Vec<String> = names
                .iter()
                .zip(losses)
                .filter_map(|(name, loss)| loss.map(|loss| format!("{name} {loss:.3}")))
                .collect();
            if !losses.is_empty() {
                words += &format!("; {validated}{asked}: {}", losses.join(", "));
            }
        }
        if let Some(size) = self.size {
            words += &format!("; size {size:.2}");
        }
        if let Some(speed) = self.tokens_per_second {
            words += &format!("; {speed:.0} tokens/s");
        }
        words
    }
}

/// Reads a curve; one that does not exist is empty.
///
/// # Errors
/// When the file is malformed.
pub(crate) fn read_curve(path: &Path) -> Result<Vec<CurvePoint>, Error> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = dnd_files::read_text(path)?;
    csv::Reader::from_reader(text.as_bytes())
        .deserialize()
        .map(|row| row.map_err(|e| Error::content(path, e)))
        .collect()
}

/// Writes a curve as CSV.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn write_curve(path: &Path, points: &[CurvePoint]) -> Result<(), Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for point in points {
        writer
            .serialize(point)
            .map_err(|e| Error::content(path, e))?;
    }
    let bytes = writer.into_inner().map_err(|e| Error::content(path, e))?;
    Ok(dnd_files::write(path, &bytes)?)
}

/// Draws a curve as SVG; `unit` names the losses' axis, `validated` what the validation losses are
/// of.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn draw_curve(
    path: &Path,
    unit: &str,
    validated: &str,
    points: &[CurvePoint],
) -> Result<(), Error> {
    let series = |name: String, loss: fn(&CurvePoint) -> Option<f32>| -> Series {
        let points = points.iter().filter_map(|point| {
            Some(Point {
                x: point.step as f64,
                y: loss(point)?.into(),
                interval: None,
                label: String::new(),
            })
        });
        Series {
            name,
            points: points.collect(),
            is_joined: true,
        }
    };
    let mut series = vec![
        series("training".to_owned(), |point| Some(point.loss)),
        series(format!("{validated}, mean alone"), |point| point.mean_loss),
        series(format!("{validated}, generated"), |point| {
            point.generated_loss
        }),
        series(format!("{validated}, other prompts"), |point| {
            point.shuffled_loss
        }),
        series("asked bare, mean alone".to_owned(), |point| {
            point.bare_mean_loss
        }),
        series("asked bare, generated".to_owned(), |point| {
            point.bare_generated_loss
        }),
        series("asked bare, other prompts".to_owned(), |point| {
            point.bare_shuffled_loss
        }),
    ];
    series.retain(|series| !series.points.is_empty());
    let last = points.last().map_or(1, |point| point.step.max(1)) as f64;
    let mut ticks: Vec<f64> = (0..=4)
        .map(|part| (last * f64::from(part) / 4.0).round())
        .collect();
    ticks.dedup();
    let chart = Chart {
        x_title: "step".to_owned(),
        y_title: unit.to_owned(),
        is_logarithmic: false,
        ticks,
        series,
        levels: Vec::new(),
    };
    let svg = chart.draw().map_err(|e| Error::content(path, e))?;
    Ok(dnd_files::write(path, svg.as_bytes())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_without_held_out_tasks_survive_their_file() {
        let folder = tempfile::tempdir().unwrap();
        let full = CurvePoint {
            step: 10,
            rate: 1e-3,
            loss: 1.5,
            mean_loss: Some(1.75),
            generated_loss: Some(1.25),
            shuffled_loss: Some(2.0),
            bare_mean_loss: Some(3.0),
            bare_generated_loss: Some(2.5),
            bare_shuffled_loss: Some(3.5),
            generator_norm: Some(0.5),
            mean_norm: Some(0.25),
            size: Some(1.0),
            tokens_per_second: Some(400.0),
            seconds: 8.0,
        };
        let sparse = CurvePoint {
            step: 20,
            mean_loss: None,
            generated_loss: None,
            shuffled_loss: None,
            bare_mean_loss: None,
            bare_generated_loss: None,
            bare_shuffled_loss: None,
            generator_norm: None,
            size: None,
            tokens_per_second: None,
            ..full
        };
        let path = folder.path().join("curve.csv");
        write_curve(&path, &[full, sparse]).unwrap();
        assert_eq!(read_curve(&path).unwrap(), [full, sparse]);
        assert!(full.words("held-out tasks").contains("generated 1.250"));
        assert!(!sparse.words("held-out tasks").contains("held-out tasks"));
        let path = folder.path().join("curve.svg");
        draw_curve(&path, "nats", "unseen prompts", &[full, sparse]).unwrap();
        let picture = dnd_files::read_text(&path).unwrap();
        assert!(picture.contains("<polyline") && picture.contains("unseen prompts, generated"));
    }
}
