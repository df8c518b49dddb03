//! Horizontal bars with intervals.

use crate::Error;
use crate::canvas::{COLOURS, GREY, TextAlign, draw_svg};

const WIDTH: u32 = 560;
const LABELS: i32 = 160;
const END: i32 = 500;
const BAR: i32 = 20;

/// A bar. Values are fractions from 0 to 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// Label to the left. Bars whose name starts with `generated` are highlighted.
    pub name: String,
    /// The length of the bar.
    pub mean: f64,
    /// Lower and upper end of the interval.
    pub interval: (f64, f64),
}

/// Draws bars as SVG, in percent.
///
/// # Errors
/// When plotters fails.
pub fn draw_bars(bars: &[Bar]) -> Result<String, Error> {
    let height = BAR * bars.len() as i32 + 32;
    let x = |part: f64| LABELS + (part * f64::from(END - LABELS)).round() as i32;
    draw_svg((WIDTH, height as u32), |canvas| {
        let bottom = BAR * bars.len() as i32 + 4;
        for step in 0..=4 {
            let part = f64::from(step) / 4.0;
            canvas.grid_line((x(part), 2), (x(part), bottom))?;
            let text = format!("{:.0}", part * 100.0);
            canvas.text(&text, (x(part), bottom + 12), TextAlign::Middle)?;
        }
        for (index, bar) in bars.iter().enumerate() {
            let top = BAR * index as i32 + 4;
            let middle = top + BAR / 2 - 2;
            let colour = match bar.name.as_str() {
                "generated" => COLOURS[0],
                name if name.starts_with("generated") => COLOURS[5],
                _ => GREY,
            };
            canvas.text(&bar.name, (LABELS - 8, middle), TextAlign::Left)?;
            let corners = [(LABELS, top), (x(bar.mean), top + BAR - 5)];
            canvas.bar(corners, colour)?;
            let (low, high) = bar.interval;
            canvas.line(vec![(x(low), middle), (x(high), middle)], COLOURS[1], 2)?;
            let text = format!("{:.0}", bar.mean * 100.0);
            let right = x(high.max(bar.mean)) + 6;
            canvas.text(&text, (right, middle), TextAlign::Right)?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_has_its_name_and_figure() {
        let bar = Bar {
            name: "generated".to_owned(),
            mean: 0.5,
            interval: (0.4, 0.6),
        };
        let picture = draw_bars(&[bar]).unwrap();
        assert!(
            picture.contains("generated") && picture.contains("\n50\n"),
            "{picture}"
        );
    }
}
