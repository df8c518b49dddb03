//! Bars: one figure a method, with its interval.

use super::canvas::{COLOURS, GREY, Side, picture};
use crate::Estimate;

const WIDTH: u32 = 560;
const LABELS: i32 = 160;
const END: i32 = 500;
const BAR: i32 = 20;

/// Horizontal bars of parts between 0 and 1 as SVG, in percent; those called `generated` stand out.
pub(super) fn draw_bars(bars: &[(String, Estimate)]) -> Result<String, Box<dyn std::error::Error>> {
    let height = BAR * bars.len() as i32 + 32;
    let x = |part: f64| LABELS + (part * f64::from(END - LABELS)).round() as i32;
    picture((WIDTH, height as u32), |canvas| {
        let bottom = BAR * bars.len() as i32 + 4;
        for step in 0..=4 {
            let part = f64::from(step) / 4.0;
            canvas.scale_line((x(part), 2), (x(part), bottom))?;
            let text = format!("{:.0}", part * 100.0);
            canvas.text(&text, (x(part), bottom + 12), Side::Middle)?;
        }
        for (index, (name, estimate)) in bars.iter().enumerate() {
            let top = BAR * index as i32 + 4;
            let middle = top + BAR / 2 - 2;
            let colour = match name.as_str() {
                "generated" => COLOURS[0],
                name if name.starts_with("generated") => COLOURS[5],
                _ => GREY,
            };
            canvas.text(name, (LABELS - 8, middle), Side::Left)?;
            let corners = [(LABELS, top), (x(estimate.mean), top + BAR - 5)];
            canvas.bar(corners, colour)?;
            let ends = vec![(x(estimate.low), middle), (x(estimate.high), middle)];
            canvas.line(ends, COLOURS[1], 2)?;
            let text = format!("{:.0}", estimate.mean * 100.0);
            let right = x(estimate.high.max(estimate.mean)) + 6;
            canvas.text(&text, (right, middle), Side::Right)?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_has_its_name_and_figure() {
        let estimate = Estimate {
            mean: 0.5,
            low: 0.4,
            high: 0.6,
        };
        let picture = draw_bars(&[("generated".to_owned(), estimate)]).unwrap();
        assert!(
            picture.contains("generated") && picture.contains("\n50\n"),
            "{picture}"
        );
    }
}
