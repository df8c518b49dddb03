//! The loss curve of a fit through behaviour.

use std::path::Path;

use plotters::style::{BLACK, BLUE, GREEN, RED};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::fit::curve::{Line, draw_lines};

/// One row of the curve: means since the row before, and losses on held-out tasks. Losses are
/// cross-entropies in nats a token of the answers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BehaviourPoint {
    /// Steps done.
    pub step: usize,
    /// Learning rate of the generator.
    pub rate: f64,
    /// Loss of the training tasks.
    pub loss: f32,
    /// Loss of the held-out tasks under the mean adapter alone; none without held-out tasks.
    pub mean_loss: Option<f32>,
    /// The same under adapters generated from their prompts; none without a generator either.
    pub generated_loss: Option<f32>,
    /// The same under adapters generated from another task's prompts.
    pub shuffled_loss: Option<f32>,
    /// Mean norm of the generator's gradients before clipping.
    pub generator_norm: Option<f32>,
    /// Mean norm of the mean adapter's gradient before clipping.
    pub mean_norm: f32,
    /// Root mean square of the generator's output, in units of the scale.
    pub size: Option<f32>,
    /// Tokens of the training lines, prompts included, that a second computed.
    pub tokens_per_second: f64,
    /// Seconds of computing so far.
    pub seconds: f64,
}

impl BehaviourPoint {
    /// The row as a line for the user.
    pub fn words(&self) -> String {
        let mut words = format!("step {}: loss {:.3}", self.step, self.loss);
        let figures = [
            ("mean", self.mean_loss),
            ("generated", self.generated_loss),
            ("from other prompts", self.shuffled_loss),
        ];
        let figures: Vec<String> = figures
            .iter()
            .filter_map(|(name, loss)| loss.map(|loss| format!("{name} {loss:.3}")))
            .collect();
        if !figures.is_empty() {
            words += &format!("; held out: {}", figures.join(", "));
        }
        if let Some(size) = self.size {
            words += &format!("; size {size:.2}");
        }
        words + &format!("; {:.0} tokens/s", self.tokens_per_second)
    }
}

/// Draws a curve as SVG.
///
/// # Errors
/// When the file cannot be written.
pub fn draw_curve(path: &Path, points: &[BehaviourPoint]) -> Result<(), Error> {
    let line = |loss: fn(&BehaviourPoint) -> Option<f32>| -> Vec<(usize, f32)> {
        let points = points.iter();
        points
            .filter_map(|point| Some((point.step, loss(point)?)))
            .collect()
    };
    let lines: Vec<Line> = [
        ("training tasks", BLUE, line(|point| Some(point.loss))),
        ("held out, mean alone", BLACK, line(|point| point.mean_loss)),
        (
            "held out, generated",
            RED,
            line(|point| point.generated_loss),
        ),
        (
            "held out, other task's prompts",
            GREEN,
            line(|point| point.shuffled_loss),
        ),
    ]
    .into_iter()
    .filter(|(_, _, points)| !points.is_empty())
    .collect();
    draw_lines(path, "cross-entropy in nats a token", &lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files;
    use crate::fit::curve::{read_rows, write_rows};

    #[test]
    fn rows_without_held_out_tasks_survive_their_file() {
        let folder = tempfile::tempdir().unwrap();
        let full = BehaviourPoint {
            step: 10,
            rate: 1e-3,
            loss: 1.5,
            mean_loss: Some(1.75),
            generated_loss: Some(1.25),
            shuffled_loss: Some(2.0),
            generator_norm: Some(0.5),
            mean_norm: 0.25,
            size: Some(1.0),
            tokens_per_second: 400.0,
            seconds: 8.0,
        };
        let bare = BehaviourPoint {
            step: 20,
            mean_loss: None,
            generated_loss: None,
            shuffled_loss: None,
            generator_norm: None,
            size: None,
            ..full
        };
        let path = folder.path().join("curve.csv");
        write_rows(&path, &[full, bare]).unwrap();
        let read: Vec<BehaviourPoint> = read_rows(&path).unwrap();
        assert_eq!(read, [full, bare]);
        assert!(full.words().contains("generated 1.250"));
        assert!(!bare.words().contains("held out"));
        let path = folder.path().join("curve.svg");
        draw_curve(&path, &[full, bare]).unwrap();
        let picture = files::read_text(&path).unwrap();
        assert!(picture.contains("held out, generated"));
    }
}
