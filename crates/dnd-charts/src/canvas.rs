//! Drawing text, lines, dots and rectangles to SVG.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::Error;

/// Series colours, of medium lightness for light and dark pages.
pub(super) const COLOURS: [RGBColor; 6] = [
    RGBColor(59, 130, 196),
    RGBColor(217, 119, 6),
    RGBColor(46, 150, 90),
    RGBColor(160, 100, 200),
    RGBColor(214, 69, 80),
    RGBColor(20, 150, 160),
];
/// Colour of baselines and grid lines.
pub(super) const GREY: RGBColor = RGBColor(140, 140, 140);

/// Font size.
const FONT_SIZE: i32 = 14;

/// Result of drawing.
pub(super) type DrawResult = Result<(), Error>;

/// A position in pixels, from the upper left corner.
pub(super) type Position = (i32, i32);

/// Where text goes relative to its position.
#[derive(Clone, Copy)]
pub(super) enum TextAlign {
    /// The text starts at the position.
    Right,
    /// The text ends at the position.
    Left,
    /// The text is centred on the position.
    Middle,
}

/// An SVG being drawn.
pub(super) struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
}

/// Draws an SVG of this width and height. The background is transparent, and the CSS of the page
/// sets the text colour.
pub(super) fn draw_svg(
    size: (u32, u32),
    draw: impl FnOnce(&Canvas) -> DrawResult,
) -> Result<String, Error> {
    let mut text = String::new();
    let canvas = Canvas {
        area: SVGBackend::with_string(&mut text, size).into_drawing_area(),
    };
    draw(&canvas)?;
    canvas.area.present()?;
    drop(canvas);
    Ok(text)
}

impl Canvas<'_> {
    /// Draws text, vertically centred.
    pub(super) fn text(&self, text: &str, place: Position, side: TextAlign) -> DrawResult {
        let side = match side {
            TextAlign::Right => HPos::Left,
            TextAlign::Left => HPos::Right,
            TextAlign::Middle => HPos::Center,
        };
        let style = TextStyle::from(("sans-serif", FONT_SIZE).into_font());
        let style = style.pos(Pos::new(side, VPos::Center));
        self.area.draw(&Text::new(text.to_owned(), place, style))?;
        Ok(())
    }

    /// Draws a line through points.
    pub(super) fn line(&self, points: Vec<Position>, colour: RGBColor, width: u32) -> DrawResult {
        let style = colour.stroke_width(width);
        self.area.draw(&PathElement::new(points, style))?;
        Ok(())
    }

    /// Draws a faint grid line.
    pub(super) fn grid_line(&self, from: Position, to: Position) -> DrawResult {
        let style = GREY.mix(0.4).stroke_width(1);
        self.area.draw(&PathElement::new(vec![from, to], style))?;
        Ok(())
    }

    /// Draws a dot.
    pub(super) fn dot(&self, place: Position, colour: RGBColor) -> DrawResult {
        self.area.draw(&Circle::new(place, 4, colour.filled()))?;
        Ok(())
    }

    /// Draws a filled rectangle between two corners.
    pub(super) fn bar(&self, corners: [Position; 2], colour: RGBColor) -> DrawResult {
        self.area.draw(&Rectangle::new(corners, colour.filled()))?;
        Ok(())
    }
}
