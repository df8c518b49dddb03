//! A picture of the means: one bar a method.

use std::path::Path;

use plotters::prelude::*;

use crate::{Row, is_training_adapter, label};
use dnd_train::Error;

/// Draws the mean exact match of each method over its tasks as SVG.
///
/// # Errors
/// When the file cannot be written.
pub fn draw_bars(path: &Path, rows: &[Row]) -> Result<(), Error> {
    let mut picture = String::new();
    draw(&mut picture, &means(rows)).map_err(|e| Error::content(path, e))?;
    Ok(dnd_files::write(path, picture.as_bytes())?)
}

/// Mean exact match in percent of each method, in the order of the rows.
fn means(rows: &[Row]) -> Vec<(String, f64)> {
    let mut means: Vec<(String, f64, usize)> = Vec::new();
    for row in rows.iter().filter(|row| !is_training_adapter(&row.method)) {
        let name = label(&row.method);
        match means.iter_mut().find(|(other, _, _)| *other == name) {
            Some((_, sum, count)) => {
                *sum += row.exact_match;
                *count += 1;
            }
            None => means.push((name, row.exact_match, 1)),
        }
    }
    means
        .into_iter()
        .map(|(name, sum, count)| (name, 100.0 * sum / count as f64))
        .collect()
}

fn draw(picture: &mut String, means: &[(String, f64)]) -> Result<(), Box<dyn std::error::Error>> {
    const BAR: i32 = 34;
    const LABELS: i32 = 150;
    const SCALE: i32 = 460;
    let height = BAR * means.len() as i32 + 48;
    let root = SVGBackend::with_string(picture, (720, height as u32)).into_drawing_area();
    root.fill(&WHITE)?;
    let text = ("sans-serif", 15).into_font();
    root.draw(&Text::new(
        "exact match on held-out tasks, mean in %",
        (LABELS, 12),
        text.clone(),
    ))?;
    let top = means.iter().map(|(_, mean)| *mean).fold(1.0, f64::max);
    for (index, (name, mean)) in means.iter().enumerate() {
        let y = 40 + BAR * index as i32;
        let end = LABELS + (f64::from(SCALE) * mean / top) as i32;
        let colour = if name == "generated" {
            RGBColor(0, 110, 180)
        } else {
            RGBColor(170, 170, 170)
        };
        root.draw(&Text::new(name.as_str(), (10, y + 4), text.clone()))?;
        root.draw(&Rectangle::new(
            [(LABELS, y), (end, y + BAR - 12)],
            colour.filled(),
        ))?;
        root.draw(&Text::new(
            format!("{mean:.1}"),
            (end + 8, y + 4),
            text.clone(),
        ))?;
    }
    root.present()?;
    drop(root);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::test_data::row;

    #[test]
    fn bars_show_the_mean_of_each_method() {
        let rows = [
            row("a", "base", &[0.0]),
            row("b", "base", &[0.5]),
            row("a", "training:x", &[1.0]),
            row("a", "adapter:x/{task}", &[1.0]),
        ];
        let expected = [("base".to_owned(), 25.0), ("own adapter".to_owned(), 100.0)];
        assert_eq!(means(&rows), expected);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bars.svg");
        draw_bars(&path, &rows).unwrap();
        let picture = dnd_files::read_text(&path).unwrap();
        assert!(picture.contains("own adapter") && picture.contains("25.0"));
    }
}
