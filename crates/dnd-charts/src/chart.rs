//! Line charts with intervals.

use crate::Error;
use crate::canvas::{COLOURS, Canvas, DrawResult, GREY, Position, TextAlign, draw_svg};

const SIZE: (u32, u32) = (760, 400);
const LEFT: i32 = 56;
const RIGHT: i32 = 560;
const TOP: i32 = 16;
const BOTTOM: i32 = 340;
/// Steps of the vertical axis.
const STEPS: usize = 5;

/// A point of a series.
pub struct Point {
    /// Value on the horizontal axis.
    pub x: f64,
    /// Value on the vertical axis.
    pub y: f64,
    /// Lower and upper end of the interval, if any.
    pub interval: Option<(f64, f64)>,
    /// Label next to the point; empty for none.
    pub label: String,
}

/// Points that share a colour.
pub struct Series {
    /// Name in the legend; empty for no entry.
    pub name: String,
    /// The points, from left to right.
    pub points: Vec<Point>,
    /// Whether a line connects the points.
    pub is_joined: bool,
}

/// A chart.
pub struct Chart {
    /// Title of the horizontal axis.
    pub x_title: String,
    /// Title of the vertical axis.
    pub y_title: String,
    /// Whether the horizontal axis is logarithmic.
    pub is_logarithmic: bool,
    /// Ticks of the horizontal axis.
    pub ticks: Vec<f64>,
    /// The series.
    pub series: Vec<Series>,
    /// Horizontal reference lines: name and value.
    pub levels: Vec<(String, f64)>,
}

impl Chart {
    /// Draws the chart as SVG.
    ///
    /// # Errors
    /// When plotters fails.
    pub fn draw(&self) -> Result<String, Error> {
        draw_svg(SIZE, |canvas| {
            self.draw_scales(canvas)?;
            let mut key = TOP + 8;
            for (index, (name, level)) in self.levels.iter().enumerate() {
                let y = self.y(*level);
                let colour = level_colour(index);
                canvas.line(vec![(LEFT, y), (RIGHT, y)], colour, 2)?;
                self.draw_legend_entry(canvas, &mut key, name, colour)?;
            }
            for (index, series) in self.series.iter().enumerate() {
                let colour = COLOURS[(index + 1) % COLOURS.len()];
                if series.is_joined {
                    let points = series.points.iter().map(|point| self.place(point));
                    canvas.line(points.collect(), colour, 2)?;
                }
                for point in &series.points {
                    let (x, y) = self.place(point);
                    if let Some((low, high)) = point.interval {
                        canvas.line(vec![(x, self.y(low)), (x, self.y(high))], colour, 1)?;
                    }
                    // Dots would hide a long curve.
                    if series.points.len() <= 30 {
                        canvas.dot((x, y), colour)?;
                    }
                    if !point.label.is_empty() {
                        canvas.text(&point.label, (x + 8, y), TextAlign::Right)?;
                    }
                }
                if !series.name.is_empty() {
                    self.draw_legend_entry(canvas, &mut key, &series.name, colour)?;
                }
            }
            Ok(())
        })
    }

    fn draw_scales(&self, canvas: &Canvas) -> DrawResult {
        let top = self.top();
        for step in 0..=STEPS {
            let value = top * step as f64 / STEPS as f64;
            let y = self.y(value);
            canvas.grid_line((LEFT, y), (RIGHT, y))?;
            let text = number(value);
            canvas.text(&text, (LEFT - 8, y), TextAlign::Left)?;
        }
        for tick in &self.ticks {
            let x = self.x(*tick);
            canvas.grid_line((x, BOTTOM), (x, BOTTOM + 6))?;
            canvas.text(&number(*tick), (x, BOTTOM + 18), TextAlign::Middle)?;
        }
        let middle = (LEFT + RIGHT) / 2;
        canvas.text(&self.x_title, (middle, BOTTOM + 42), TextAlign::Middle)?;
        canvas.text(&self.y_title, (LEFT + 6, TOP - 6), TextAlign::Right)
    }

    fn draw_legend_entry(
        &self,
        canvas: &Canvas,
        y: &mut i32,
        name: &str,
        colour: plotters::style::RGBColor,
    ) -> DrawResult {
        canvas.line(vec![(RIGHT + 16, *y), (RIGHT + 36, *y)], colour, 3)?;
        canvas.text(name, (RIGHT + 42, *y), TextAlign::Right)?;
        *y += 22;
        Ok(())
    }

    fn place(&self, point: &Point) -> Position {
        (self.x(point.x), self.y(point.y))
    }

    /// X coordinate of a value, in pixels.
    fn x(&self, value: f64) -> i32 {
        let scale = |value: f64| {
            if self.is_logarithmic {
                value.log10()
            } else {
                value
            }
        };
        let points = self.series.iter().flat_map(|series| &series.points);
        let values = points
            .map(|point| point.x)
            .chain(self.ticks.iter().copied());
        let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        let range = scale(high) - scale(low);
        // A single value is centred.
        let part = if range > 0.0 {
            (scale(value) - scale(low)) / range
        } else {
            0.5
        };
        LEFT + 16 + (part * f64::from(RIGHT - LEFT - 32)).round() as i32
    }

    /// Y coordinate of a value, in pixels.
    fn y(&self, value: f64) -> i32 {
        BOTTOM - (value / self.top() * f64::from(BOTTOM - TOP - 12)).round() as i32
    }

    /// Upper end of the vertical axis: a round number above all values.
    fn top(&self) -> f64 {
        let points = self.series.iter().flat_map(|series| &series.points);
        let heights = points.map(|point| point.interval.map_or(point.y, |(_, high)| high));
        let levels = self.levels.iter().map(|(_, level)| *level);
        let largest = heights.chain(levels).fold(0.0, f64::max);
        if largest <= 0.0 {
            return 1.0;
        }
        let unit = 10f64.powf(largest.log10().floor());
        let round = [1.0, 2.0, 2.5, 5.0, 10.0].map(|factor| factor * unit);
        round
            .into_iter()
            .find(|end| *end >= largest)
            .unwrap_or(largest)
    }
}

/// The first level is the reference, so it is highlighted.
fn level_colour(index: usize) -> plotters::style::RGBColor {
    if index == 0 { COLOURS[0] } else { GREY }
}

/// A number without trailing zeros.
fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(values: &[(f64, f64)]) -> Chart {
        let points = values.iter().map(|&(x, y)| Point {
            x,
            y,
            interval: Some((y - 1.0, y + 1.0)),
            label: String::new(),
        });
        Chart {
            x_title: "examples".to_owned(),
            y_title: "exact match in %".to_owned(),
            is_logarithmic: true,
            ticks: values.iter().map(|(x, _)| *x).collect(),
            series: vec![Series {
                name: "tuned <few>".to_owned(),
                points: points.collect(),
                is_joined: true,
            }],
            levels: vec![("generated".to_owned(), 30.0)],
        }
    }

    #[test]
    fn equal_factors_are_equal_steps() {
        let chart = chart(&[(1.0, 10.0), (16.0, 20.0), (256.0, 48.0)]);
        let (first, second, third) = (chart.x(1.0), chart.x(16.0), chart.x(256.0));
        assert!((second - first - (third - second)).abs() <= 1);
        assert_eq!(chart.top(), 50.0);
        let picture = chart.draw().unwrap();
        assert!(picture.contains("tuned &lt;few&gt;") && picture.contains("generated"));
        assert!(picture.starts_with("<svg") && picture.trim_end().ends_with("</svg>"));
    }

    #[test]
    fn one_point_is_enough() {
        let chart = chart(&[(4.0, 0.0)]);
        assert_eq!(chart.x(4.0), (LEFT + RIGHT) / 2);
        chart.draw().unwrap();
    }

    #[test]
    fn numbers_have_no_needless_digits() {
        assert_eq!(
            (number(20.0), number(0.25)),
            ("20".to_owned(), "0.25".to_owned())
        );
        assert_eq!(number(0.0), "0");
    }
}
