//! Weight tokens: an adapter as a sequence of equal tiles, the generator's unit of output.
//!
//! A module gives `A` (rank x in) cut along its columns, then the transposed `B` (rank x out) cut along
//! its columns, into tiles of rank x [`Layout::tile_width`]. The last tile of a factor is filled up with
//! zeros when the width does not divide its length. Unlike the published scheme ([`crate::published`])
//! tokens carry no border: mean and scale come from a set of adapters, not from each tile.

use crate::adapter::{Adapter, Factors};
use crate::error::Error;
use crate::layout::Layout;
pub use crate::statistics::Statistics;

/// Cuts an adapter into tokens: (tokens, rank, tile width), row-major.
///
/// Fails when the modules have different ranks, or the factors disagree with the layout.
pub fn cut(adapter: &Adapter) -> Result<Vec<f32>, Error> {
    adapter.validate()?;
    let layout = &adapter.layout;
    let rank = layout.uniform_rank()?;
    let width = layout.tile_width();
    let mut tokens = Vec::with_capacity(layout.token_count(width) * rank * width);
    for (module, factors) in layout.modules.iter().zip(&adapter.factors) {
        cut_matrix(&factors.a, rank, module.in_features, width, &mut tokens);
        let transposed = transpose(&factors.b, module.out_features, rank);
        cut_matrix(&transposed, rank, module.out_features, width, &mut tokens);
    }
    Ok(tokens)
}

/// Puts tokens made by [`cut`], or by a generator, together to an adapter. Padding is left out.
///
/// Fails when the modules have different ranks, or there are not as many numbers as the layout has.
pub fn join(layout: &Layout, tokens: &[f32]) -> Result<Adapter, Error> {
    layout.validate("layout")?;
    let rank = layout.uniform_rank()?;
    let width = layout.tile_width();
    let token_count = layout.token_count(width);
    if tokens.len() != token_count * rank * width {
        let expected = format!("({token_count}, {rank}, {width})");
        return Err(Error::tensor(
            "weight tokens",
            "tokens",
            expected,
            format!("{} numbers", tokens.len()),
        ));
    }
    let mut tiles = tokens.chunks_exact(rank * width);
    let factors = layout
        .modules
        .iter()
        .map(|module| {
            let a = join_matrix(&mut tiles, rank, module.in_features, width);
            let transposed = join_matrix(&mut tiles, rank, module.out_features, width);
            Factors {
                a,
                b: transpose(&transposed, rank, module.out_features),
            }
        })
        .collect();
    Adapter::new(layout.clone(), factors)
}

/// Where the numbers of a token stand in an adapter's own order: module after module, `A` (rank x in) and then `B` (out x
/// rank), row-major.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where the token's first number stands.
    pub start: usize,
    /// How far apart its rows are there.
    pub row: usize,
    /// How far apart its columns are there.
    pub column: usize,
    /// How many of its columns are no padding.
    pub taken: usize,
}

/// The place of every token.
///
/// Fails when the layout is malformed, or the modules have different ranks.
pub fn places(layout: &Layout) -> Result<Vec<Place>, Error> {
    layout.validate("layout")?;
    let rank = layout.uniform_rank()?;
    let width = layout.tile_width();
    let mut places = Vec::with_capacity(layout.token_count(width));
    let mut offset = 0;
    for module in &layout.modules {
        let (input, output) = (module.in_features, module.out_features);
        places.extend((0..input).step_by(width).map(|start| Place {
            start: offset + start,
            row: input,
            column: 1,
            taken: width.min(input - start),
        }));
        offset += rank * input;
        places.extend((0..output).step_by(width).map(|start| Place {
            start: offset + start * rank,
            row: 1,
            column: rank,
            taken: width.min(output - start),
        }));
        offset += rank * output;
    }
    Ok(places)
}

/// The adapter whose numbers stand in its own order, as [`places`] has it.
///
/// Fails when the layout is malformed, or there are not as many numbers as it has.
pub fn in_order(layout: &Layout, numbers: &[f32]) -> Result<Adapter, Error> {
    layout.validate("layout")?;
    let expected: usize = layout
        .modules
        .iter()
        .map(|module| module.rank * (module.in_features + module.out_features))
        .sum();
    if numbers.len() != expected {
        return Err(Error::tensor(
            "adapter",
            "numbers",
            format!("{expected} numbers"),
            format!("{} numbers", numbers.len()),
        ));
    }
    let mut rest = numbers;
    let mut take = |count: usize| {
        let (taken, after) = rest.split_at(count);
        rest = after;
        taken.to_vec()
    };
    let factors = layout.modules.iter().map(|module| Factors {
        a: take(module.rank * module.in_features),
        b: take(module.out_features * module.rank),
    });
    let factors = factors.collect();
    Adapter::new(layout.clone(), factors)
}

/// Which tokens hold the `B` factors, ascending.
///
/// Fails when the layout is malformed.
pub fn of_b(layout: &Layout) -> Result<Vec<usize>, Error> {
    layout.validate("layout")?;
    let width = layout.tile_width();
    let mut found = Vec::new();
    let mut start = 0;
    for module in &layout.modules {
        start += module.in_features.div_ceil(width);
        let end = start + module.out_features.div_ceil(width);
        found.extend(start..end);
        start = end;
    }
    Ok(found)
}

/// Appends the tiles of a `rows` x `columns` matrix.
fn cut_matrix(matrix: &[f32], rows: usize, columns: usize, width: usize, tokens: &mut Vec<f32>) {
    for start in (0..columns).step_by(width) {
        let taken = width.min(columns - start);
        for row in 0..rows {
            tokens.extend_from_slice(&matrix[row * columns + start..][..taken]);
            tokens.resize(tokens.len() + width - taken, 0.0);
        }
    }
}

/// Takes the tiles of a `rows` x `columns` matrix from `tiles`.
fn join_matrix<'a>(
    tiles: &mut impl Iterator<Item = &'a [f32]>,
    rows: usize,
    columns: usize,
    width: usize,
) -> Vec<f32> {
    let mut matrix = vec![0.0; rows * columns];
    for (start, tile) in (0..columns).step_by(width).zip(tiles) {
        let taken = width.min(columns - start);
        for (row, values) in tile.chunks_exact(width).enumerate() {
            matrix[row * columns + start..][..taken].copy_from_slice(&values[..taken]);
        }
    }
    matrix
}

/// Turns a `rows` x `columns` matrix into `columns` x `rows`.
fn transpose(matrix: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let mut transposed = Vec::with_capacity(matrix.len());
    for column in 0..columns {
        transposed.extend((0..rows).map(|row| matrix[row * columns + column]));
    }
    transposed
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::layout::Module;
    use crate::projection::Projection;
    use crate::test_data::{adapter, tiny_adapter, uniform_layouts};

    #[test]
    fn tiles_follow_columns_and_b_is_transposed() {
        let module = Module {
            layer: 0,
            projection: Projection::Query,
            in_features: 16,
            out_features: 8,
            rank: 2,
            alpha: 2.0,
        };
        let layout = Layout {
            base_model: String::new(),
            use_rslora: false,
            modules: vec![module],
        };
        let count = |length: usize| (0..length).map(|number| number as f32).collect::<Vec<_>>();
        let factors = Factors {
            a: count(32),
            b: count(16),
        };
        assert_eq!(of_b(&layout).unwrap(), [2]);
        let tokens = cut(&Adapter::new(layout, vec![factors]).unwrap()).unwrap();
        let rows: Vec<&[f32]> = tokens.chunks(8).collect();
        assert_eq!(rows.len(), 6);
        assert_eq!(rows[0], [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
        assert_eq!(rows[1], [16.0, 17.0, 18.0, 19.0, 20.0, 21.0, 22.0, 23.0]);
        assert_eq!(rows[2], [8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0]);
        assert_eq!(rows[4], [0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0]);
        assert_eq!(rows[5], [1.0, 3.0, 5.0, 7.0, 9.0, 11.0, 13.0, 15.0]);
    }

    proptest! {
        #[test]
        fn join_undoes_cut(layout in uniform_layouts(), seed: u32) {
            let adapter = adapter(layout, seed.into());
            let tokens = cut(&adapter).unwrap();
            let layout = &adapter.layout;
            let width = layout.tile_width();
            let rank = layout.uniform_rank().unwrap();
            prop_assert_eq!(tokens.len(), layout.token_count(width) * rank * width);
            prop_assert_eq!(join(layout, &tokens).unwrap(), adapter);
        }
    }

    proptest! {
        #[test]
        fn numbers_put_into_their_places_are_the_adapter(layout in uniform_layouts(), seed: u32) {
            let adapter = adapter(layout, seed.into());
            let tokens = cut(&adapter).unwrap();
            let layout = &adapter.layout;
            let width = layout.tile_width();
            let size = layout.uniform_rank().unwrap() * width;
            let numbers = adapter.factors.iter().map(|factors| factors.a.len() + factors.b.len()).sum();
            let mut placed = vec![f32::NAN; numbers];
            for (token, place) in tokens.chunks(size).zip(places(layout).unwrap()) {
                for (number, &value) in token.iter().enumerate() {
                    let (row, column) = (number / width, number % width);
                    if column < place.taken {
                        placed[place.start + row * place.row + column * place.column] = value;
                    }
                }
            }
            prop_assert_eq!(&in_order(layout, &placed).unwrap(), &adapter);
            placed.pop();
            prop_assert!(in_order(layout, &placed).is_err());
        }
    }

    #[test]
    fn wrong_lengths_and_ranks_are_refused() {
        let mut adapter = tiny_adapter();
        let mut tokens = cut(&adapter).unwrap();
        tokens.pop();
        let message = join(&adapter.layout, &tokens).unwrap_err().to_string();
        assert!(
            message.contains("weight tokens: tensor tokens"),
            "{message}"
        );
        adapter.factors[0].a.pop();
        assert!(cut(&adapter).is_err());
        adapter.layout.modules[0].rank = 3;
        assert!(join(&adapter.layout, &tokens).is_err());
    }
}
