//! SVG charts, drawn with plotters: line charts and horizontal bars.
//!
//! Backgrounds are transparent and colours have medium lightness, so charts fit light and dark
//! pages.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

mod bars;
mod canvas;
mod chart;

pub use bars::{Bar, draw_bars};
pub use chart::{Chart, Point, Series};

/// Why a chart could not be drawn.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
