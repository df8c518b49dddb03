//! All charts of DnD as SVG, drawn with plotters: lines over a number, and horizontal bars.
//!
//! Backgrounds are clear and colours of medium lightness, so that a chart fits light and dark pages.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

mod bars;
mod canvas;
mod chart;

pub use bars::{Bar, draw_bars};
pub use chart::{Chart, Point, Series};

/// Why a chart could not be drawn.
pub type Error = Box<dyn std::error::Error + Send + Sync>;
