//! The drawing area: text, lines, dots and rectangles on an SVG.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::Error;

/// Colours of series, of medium lightness: the page may be light or dark.
pub(super) const COLOURS: [RGBColor; 6] = [
    RGBColor(59, 130, 196),
    RGBColor(217, 119, 6),
    RGBColor(46, 150, 90),
    RGBColor(160, 100, 200),
    RGBColor(214, 69, 80),
    RGBColor(20, 150, 160),
];
/// What is only compared with.
pub(super) const GREY: RGBColor = RGBColor(140, 140, 140);

/// Size of letters.
const LETTERS: i32 = 14;

/// The outcome of drawing.
pub(super) type Drawn = Result<(), Error>;

/// A point of a picture, from its upper left corner.
pub(super) type Place = (i32, i32);

/// Where a text stands relative to its place.
#[derive(Clone, Copy)]
pub(super) enum Side {
    /// It begins there.
    Right,
    /// It ends there.
    Left,
    /// Its middle is there.
    Middle,
}

/// A picture being drawn.
pub(super) struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
}

/// Draws a picture of this width and height. Its background stays clear, and the page's style gives
/// its text the page's own colour.
pub(super) fn picture(
    size: (u32, u32),
    draw: impl FnOnce(&Canvas) -> Drawn,
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
    /// Writes a text, centred on its line.
    pub(super) fn text(&self, text: &str, place: Place, side: Side) -> Drawn {
        let side = match side {
            Side::Right => HPos::Left,
            Side::Left => HPos::Right,
            Side::Middle => HPos::Center,
        };
        let style = TextStyle::from(("sans-serif", LETTERS).into_font());
        let style = style.pos(Pos::new(side, VPos::Center));
        self.area.draw(&Text::new(text.to_owned(), place, style))?;
        Ok(())
    }

    /// Draws a line through points.
    pub(super) fn line(&self, points: Vec<Place>, colour: RGBColor, width: u32) -> Drawn {
        let style = colour.stroke_width(width);
        self.area.draw(&PathElement::new(points, style))?;
        Ok(())
    }

    /// Draws a faint line, for scales.
    pub(super) fn scale_line(&self, from: Place, to: Place) -> Drawn {
        let style = GREY.mix(0.4).stroke_width(1);
        self.area.draw(&PathElement::new(vec![from, to], style))?;
        Ok(())
    }

    /// Draws a dot.
    pub(super) fn dot(&self, place: Place, colour: RGBColor) -> Drawn {
        self.area.draw(&Circle::new(place, 4, colour.filled()))?;
        Ok(())
    }

    /// Draws a filled rectangle between two corners.
    pub(super) fn bar(&self, corners: [Place; 2], colour: RGBColor) -> Drawn {
        self.area.draw(&Rectangle::new(corners, colour.filled()))?;
        Ok(())
    }
}
