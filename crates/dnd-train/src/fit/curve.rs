//! Loss curves: a CSV file, and a picture of it.

use std::path::Path;

use plotters::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Error, files};

/// One row of the curve: means since the row before.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// Steps done.
    pub step: usize,
    /// Learning rate.
    pub rate: f64,
    /// Weighted mean squared error of training pairs; 1 is what the mean adapter scores, about.
    pub loss: f32,
    /// The same of prompts that training does not see.
    pub validation_loss: f32,
    /// Mean norm of the gradients before clipping.
    pub gradient_norm: f32,
    /// Seconds of computing so far.
    pub seconds: f64,
}

/// Reads a curve; one that does not exist is empty.
///
/// # Errors
/// When the file is malformed.
pub fn read_curve(path: &Path) -> Result<Vec<CurvePoint>, Error> {
    read_rows(path)
}

/// Reads the rows of a curve of any kind; one that does not exist is empty.
///
/// # Errors
/// When the file is malformed.
pub fn read_rows<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, Error> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = files::read_text(path)?;
    csv::Reader::from_reader(text.as_bytes())
        .deserialize()
        .map(|row| row.map_err(|e| Error::content(path, e)))
        .collect()
}

/// Writes a curve of any kind as CSV.
///
/// # Errors
/// When the file cannot be written.
pub fn write_rows<T: Serialize>(path: &Path, rows: &[T]) -> Result<(), Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.serialize(row).map_err(|e| Error::content(path, e))?;
    }
    let bytes = writer.into_inner().map_err(|e| Error::content(path, e))?;
    files::write(path, &bytes)
}

/// Draws a curve as SVG.
///
/// # Errors
/// When the file cannot be written.
pub fn draw_curve(path: &Path, points: &[CurvePoint]) -> Result<(), Error> {
    let line = |loss: fn(&CurvePoint) -> f32| -> Vec<(usize, f32)> {
        let points = points.iter().map(|point| (point.step, loss(point)));
        points.collect()
    };
    draw_lines(
        path,
        "weighted mean squared error",
        &[
            ("training prompts", BLUE, line(|point| point.loss)),
            ("unseen prompts", RED, line(|point| point.validation_loss)),
        ],
    )
}

/// A line of a picture: its name, its colour and its points (step, loss).
pub type Line<'a> = (&'a str, RGBColor, Vec<(usize, f32)>);

/// Draws losses over steps as SVG; `unit` names the losses' axis.
///
/// # Errors
/// When the file cannot be written.
pub fn draw_lines(path: &Path, unit: &str, lines: &[Line]) -> Result<(), Error> {
    let mut picture = String::new();
    draw(&mut picture, unit, lines).map_err(|e| Error::content(path, e))?;
    files::write(path, picture.as_bytes())
}

fn draw(
    picture: &mut String,
    unit: &str,
    lines: &[Line],
) -> Result<(), Box<dyn std::error::Error>> {
    let points = || lines.iter().flat_map(|(_, _, points)| points);
    let last = points().map(|(step, _)| *step).max().unwrap_or(0).max(1);
    let top = points().map(|(_, loss)| *loss).fold(0.0f32, f32::max) * 1.05;
    let root = SVGBackend::with_string(picture, (720, 420)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .margin(16)
        .x_label_area_size(36)
        .y_label_area_size(48)
        .build_cartesian_2d(0..last, 0.0..top.max(0.1))?;
    chart.configure_mesh().x_desc("step").y_desc(unit).draw()?;
    for (name, colour, points) in lines {
        let colour = *colour;
        chart
            .draw_series(LineSeries::new(
                points.iter().copied(),
                colour.stroke_width(2),
            ))?
            .label(*name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], colour));
    }
    chart
        .configure_series_labels()
        .background_style(WHITE)
        .border_style(BLACK)
        .draw()?;
    root.present()?;
    drop(chart);
    drop(root);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_survives_its_file_and_is_drawn() {
        let folder = tempfile::tempdir().unwrap();
        let points: Vec<CurvePoint> = (1..5)
            .map(|i| CurvePoint {
                step: i * 10,
                rate: 1e-3,
                loss: 1.0 / i as f32,
                validation_loss: 1.1 / i as f32,
                gradient_norm: 0.5,
                seconds: i as f64,
            })
            .collect();
        let path = folder.path().join("curve.csv");
        write_rows(&path, &points).unwrap();
        assert_eq!(read_curve(&path).unwrap(), points);
        let path = folder.path().join("curve.svg");
        draw_curve(&path, &points).unwrap();
        let picture = files::read_text(&path).unwrap();
        assert!(picture.contains("<polyline") && picture.contains("unseen prompts"));
    }
}
