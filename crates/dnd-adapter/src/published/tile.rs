//! Converts one factor to tokens of the published scheme and back.

use super::PublishedTokens;

/// Number of border rows and of border columns, which hold the statistics of a tile.
pub(super) const BORDER: usize = 2;
const MEAN_SCALE: f64 = 8.0;
const DEVIATION_SLOPE: f64 = 0.9;
const DEVIATION_OFFSET: f64 = 0.1;
const DEVIATION_SHIFT: f64 = 1.6;

/// Appends the tokens of a factor of shape (rank, width); `number` returns the value at a row
/// and column.
pub(super) fn push_tiles(
    tokens: &mut PublishedTokens,
    (tile_rows, tile_columns): (usize, usize),
    (rank, width): (usize, usize),
    number: impl Fn(usize, usize) -> f32,
) {
    for start in (0..width).step_by(tile_columns) {
        let taken = tile_columns.min(width - start);
        let number = |row: usize, column: usize| f64::from(number(row, start + column));
        let numbers = || (0..rank).flat_map(|row| (0..taken).map(move |column| (row, column)));
        let count = (rank * taken) as f64;
        let mean = numbers()
            .map(|(row, column)| number(row, column))
            .sum::<f64>()
            / count;
        let squares = numbers().map(|(row, column)| (number(row, column) - mean).powi(2));
        // The published code uses a deviation of 1 for a single value.
        let deviation = if count > 1.0 {
            (squares.sum::<f64>() / (count - 1.0)).sqrt()
        } else {
            1.0
        };
        let border = [
            (mean * MEAN_SCALE) as f32,
            ((deviation * DEVIATION_SLOPE + DEVIATION_OFFSET).ln() + DEVIATION_SHIFT) as f32,
        ];
        for row in 0..tile_rows + BORDER {
            for column in 0..tile_columns + BORDER {
                let (value, mask) = if row >= tile_rows || column >= tile_columns {
                    (border[column % 2], 1)
                } else if row >= rank || column >= taken {
                    (0.0, 0)
                } else if deviation > 0.0 {
                    (((number(row, column) - mean) / deviation) as f32, 1)
                } else {
                    (0.0, 1)
                };
                tokens.data.push(value);
                tokens.mask.push(mask);
            }
        }
    }
}

/// Reads the tokens of a factor of shape (rank, width) and calls `set` with row, column and
/// value.
pub(super) fn read_tiles<'a>(
    tokens: &mut impl Iterator<Item = &'a [f32]>,
    tile: (usize, usize),
    (rank, width): (usize, usize),
    mut set: impl FnMut(usize, usize, f32),
) {
    let columns = tile.1;
    for (start, token) in (0..width).step_by(columns).zip(tokens) {
        let (mean, deviation) = read_border(token, tile);
        for row in 0..rank {
            for column in 0..columns.min(width - start) {
                let value = f64::from(token[row * (columns + BORDER) + column]);
                set(row, start + column, (value * deviation + mean) as f32);
            }
        }
    }
}

/// Mean and deviation of a tile.
///
/// The border gives two estimates of each: one from its even rows and one from its odd rows. An
/// estimate averages the lower border row and the right border columns of that parity. The
/// deviation is decoded before the two estimates are averaged, which matters when a generator's
/// border is uneven.
fn read_border(token: &[f32], (tile_rows, tile_columns): (usize, usize)) -> (f64, f64) {
    let width = tile_columns + BORDER;
    let average = |cells: &mut dyn Iterator<Item = (usize, usize)>| {
        let (mut sum, mut count) = (0.0, 0.0);
        for (row, column) in cells {
            sum += f64::from(token[row * width + column]);
            count += 1.0;
        }
        sum / count
    };
    let estimate = |parity: usize, which: usize| {
        let lower = average(
            &mut (which..width)
                .step_by(2)
                .map(|column| (tile_rows + parity, column)),
        );
        let rows = (parity..tile_rows + BORDER).step_by(2);
        let right = average(&mut rows.map(|row| (row, tile_columns + which)));
        (lower + right) / 2.0
    };
    let mean = (estimate(0, 0) + estimate(1, 0)) / 2.0 / MEAN_SCALE;
    let undo = |value: f64| ((value - DEVIATION_SHIFT).exp() - DEVIATION_OFFSET) / DEVIATION_SLOPE;
    (mean, (undo(estimate(0, 1)) + undo(estimate(1, 1))) / 2.0)
}
