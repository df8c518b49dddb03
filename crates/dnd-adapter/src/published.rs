//! The weight tokens of the published Drag-and-Drop code (`workspace/dnd/tokenizer` of
//! jerryliang24/Drag-and-Drop-LLMs), to read and write tokens of its generators.
//!
//! Tokens are ordered by layer, and in a layer by q, k, v, o, up, gate, down: up comes before
//! gate, unlike in [`Projection::ALL`]. A module gives the tiles of `A`, then those of the
//! transposed `B`, as in [`crate::tokens`].
//!
//! A tile is normalized by its own mean and sample standard deviation (divisor n - 1). A token
//! has two rows and two columns more than its tile. This border repeats two values, also in the
//! corner: 8 * mean in even columns, and ln(0.9 * deviation + 0.1) + 1.6 in odd columns.

mod tile;

use tile::{BORDER, push_tiles, read_tiles};

use crate::adapter::{Adapter, Factors};
use crate::error::Error;
use crate::layout::{Layout, Module};
use crate::projection::Projection;

/// Order of the projections of a layer in the published scheme.
const ORDER: [Projection; 7] = [
    Projection::Query,
    Projection::Key,
    Projection::Value,
    Projection::Output,
    Projection::Up,
    Projection::Gate,
    Projection::Down,
];

/// Tokens of the published scheme.
#[derive(Clone, Debug, PartialEq)]
pub struct PublishedTokens {
    /// (tokens, tile rows + 2, tile columns + 2).
    pub shape: [usize; 3],
    /// The values, row-major; 0 where the mask is 0.
    pub data: Vec<f32>,
    /// 1 for values of the adapter and of the border, 0 for padding.
    pub mask: Vec<u8>,
}

/// Splits an adapter into tokens of the published scheme. `tile` is (rows, columns) without the
/// border, such as (8, 128) for Qwen2.5-0.5B.
///
/// Tiles are padded when the rank is less than the rows or the columns do not divide a length.
/// A constant tile is stored as zeros with deviation 0; the published code divides zero by zero
/// there.
///
/// Fails when a side of the tile is odd or zero, or a rank exceeds the rows.
pub fn tokenize(adapter: &Adapter, tile: (usize, usize)) -> Result<PublishedTokens, Error> {
    adapter.validate()?;
    let shape = token_shape(&adapter.layout, tile)?;
    let mut tokens = PublishedTokens {
        shape,
        data: Vec::new(),
        mask: Vec::new(),
    };
    tokens.data.reserve_exact(shape.iter().product());
    tokens.mask.reserve_exact(shape.iter().product());
    for index in published_order(&adapter.layout) {
        let module = &adapter.layout.modules[index];
        let factors = &adapter.factors[index];
        let (rank, width) = (module.rank, module.in_features);
        push_tiles(&mut tokens, tile, (rank, width), |row, column| {
            factors.a[row * width + column]
        });
        let width = module.out_features;
        push_tiles(&mut tokens, tile, (rank, width), |row, column| {
            factors.b[column * rank + row]
        });
    }
    Ok(tokens)
}

/// Converts tokens of the published scheme, from [`tokenize`] or a generator, to an adapter.
///
/// Mean and deviation of a tile are averages over its border, as in the published code.
///
/// Fails when the shape of the tokens does not match the layout.
pub fn detokenize(layout: &Layout, tokens: &PublishedTokens) -> Result<Adapter, Error> {
    layout.validate("layout")?;
    let [_, rows, columns] = tokens.shape;
    let tile = (rows.saturating_sub(BORDER), columns.saturating_sub(BORDER));
    let shape = token_shape(layout, tile)?;
    let numbers: usize = shape.iter().product();
    if tokens.shape != shape || tokens.data.len() != numbers {
        let found = format!("{:?} with {} values", tokens.shape, tokens.data.len());
        return Err(Error::tensor(
            "published tokens",
            "tokens",
            format!("{shape:?}"),
            found,
        ));
    }
    let mut adapter = Adapter::zeros(layout.clone());
    let mut tiles = tokens.data.chunks_exact(rows * columns);
    for index in published_order(layout) {
        let Module {
            rank,
            in_features,
            out_features,
            ..
        } = layout.modules[index];
        let Factors { a, b } = &mut adapter.factors[index];
        read_tiles(
            &mut tiles,
            tile,
            (rank, in_features),
            |row, column, value| {
                a[row * in_features + column] = value;
            },
        );
        read_tiles(
            &mut tiles,
            tile,
            (rank, out_features),
            |row, column, value| {
                b[column * rank + row] = value;
            },
        );
    }
    Ok(adapter)
}

/// Indices of the layout's modules in the published order.
fn published_order(layout: &Layout) -> Vec<usize> {
    let place = |projection| ORDER.iter().position(|&other| other == projection);
    let mut indices: Vec<usize> = (0..layout.modules.len()).collect();
    indices.sort_by_key(|&index| {
        let module = &layout.modules[index];
        (module.layer, place(module.projection))
    });
    indices
}

/// Shape (tokens, tile rows + 2, tile columns + 2) of an adapter's tokens.
///
/// Fails when a side of the tile is odd or zero, or a rank exceeds the rows.
pub fn token_shape(layout: &Layout, (rows, columns): (usize, usize)) -> Result<[usize; 3], Error> {
    // The border alternates mean and deviation, which needs even sides.
    let side_is_usable = |side: usize| side > 0 && side.is_multiple_of(2) && side < 1 << 16;
    if !side_is_usable(rows) || !side_is_usable(columns) {
        let found = format!("({rows}, {columns})");
        return Err(Error::field(
            "published tokens",
            "tile",
            "even sides, 2 to 65534",
            found,
        ));
    }
    if let Some(module) = layout.modules.iter().find(|module| module.rank > rows) {
        let field = format!("{}: rank", module.path());
        return Err(Error::field(
            "layout",
            field,
            format!("at most {rows} tile rows"),
            module.rank,
        ));
    }
    let shape = [layout.token_count(columns), rows + BORDER, columns + BORDER];
    let product = shape
        .iter()
        .try_fold(1_usize, |product, &side| product.checked_mul(side));
    match product {
        Some(numbers) if numbers <= isize::MAX as usize / size_of::<f32>() => Ok(shape),
        _ => Err(Error::field(
            "published tokens",
            "shape",
            "a size that fits in memory",
            format!("{shape:?}"),
        )),
    }
}

#[cfg(test)]
mod tests;
