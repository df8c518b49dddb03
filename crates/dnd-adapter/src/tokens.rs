//! Weight tokens: an adapter as a sequence of equal tiles, the generator's unit of output.
//!
//! A module gives `A` (rank x in), then the transposed `B` (rank x out), each split along its
//! columns into tiles of rank x [`Layout::tile_width`]. The last tile of a factor is
//! zero-padded when the width does not divide its size. Unlike in the published scheme
//! ([`crate::published`]), tokens have no border: mean and scale come from a set of adapters,
//! not from each tile.

use crate::adapter::{Adapter, Factors};
use crate::error::Error;
use crate::layout::Layout;
pub use crate::statistics::Statistics;

/// Shape (tokens, rank, tile width) of an adapter as tokens.
///
/// # Errors
/// When the modules have different ranks.
pub fn shape(layout: &Layout) -> Result<[usize; 3], Error> {
    let width = layout.tile_width();
    Ok([layout.token_count(width), layout.uniform_rank()?, width])
}

/// Which factor of a module a token belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Factor {
    /// `A` (rank x in).
    A,
    /// `B` (out x rank).
    B,
}

/// Position of a token's values in the flat adapter: module after module, `A` (rank x in), then
/// `B` (out x rank), row-major.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenSpan {
    /// The factor that the token is a tile of.
    pub factor: Factor,
    /// Offset of the first value.
    pub offset: usize,
    /// Stride between the token's rows.
    pub row_stride: usize,
    /// Stride between its columns.
    pub column_stride: usize,
    /// Number of columns that are not padding.
    pub columns: usize,
}

/// The position of every token in the flat adapter: the one definition of the tiles' geometry.
///
/// # Errors
/// When the layout is invalid, or the modules have different ranks.
pub fn spans(layout: &Layout) -> Result<Vec<TokenSpan>, Error> {
    layout.validate("layout")?;
    let [count, rank, width] = shape(layout)?;
    let mut spans = Vec::with_capacity(count);
    let mut offset = 0;
    for module in &layout.modules {
        let (input, output) = (module.in_features, module.out_features);
        spans.extend((0..input).step_by(width).map(|start| TokenSpan {
            factor: Factor::A,
            offset: offset + start,
            row_stride: input,
            column_stride: 1,
            columns: width.min(input - start),
        }));
        offset += rank * input;
        spans.extend((0..output).step_by(width).map(|start| TokenSpan {
            factor: Factor::B,
            offset: offset + start * rank,
            row_stride: 1,
            column_stride: rank,
            columns: width.min(output - start),
        }));
        offset += rank * output;
    }
    Ok(spans)
}

/// Splits an adapter into tokens: (tokens, rank, tile width), row-major, padding zero.
///
/// # Errors
/// When the modules have different ranks, or the factors do not match the layout.
pub fn from_adapter(adapter: &Adapter) -> Result<Vec<f32>, Error> {
    adapter.validate()?;
    let layout = &adapter.layout;
    let [count, rank, width] = shape(layout)?;
    let factors = adapter.factors.iter();
    let flat: Vec<f32> = factors
        .flat_map(|factors| factors.a.iter().chain(&factors.b))
        .copied()
        .collect();
    let mut tokens = vec![0.0; count * rank * width];
    for (token, span) in tokens.chunks_exact_mut(rank * width).zip(spans(layout)?) {
        for (row, values) in token.chunks_exact_mut(width).enumerate() {
            let start = span.offset + row * span.row_stride;
            let flat = flat[start..].iter().step_by(span.column_stride);
            for (value, flat) in values[..span.columns].iter_mut().zip(flat) {
                *value = *flat;
            }
        }
    }
    Ok(tokens)
}

/// Assembles an adapter from tokens, made by [`from_adapter`] or a generator. Padding is dropped.
///
/// # Errors
/// When the modules have different ranks, or the number of values does not match the layout.
pub fn to_adapter(layout: &Layout, tokens: &[f32]) -> Result<Adapter, Error> {
    layout.validate("layout")?;
    let [count, rank, width] = shape(layout)?;
    if tokens.len() != count * rank * width {
        let expected = format!("({count}, {rank}, {width})");
        return Err(Error::tensor(
            "weight tokens",
            "tokens",
            expected,
            format!("{} values", tokens.len()),
        ));
    }
    let mut flat = vec![0.0; layout.parameter_count()];
    for (token, span) in tokens.chunks_exact(rank * width).zip(spans(layout)?) {
        for (row, values) in token.chunks_exact(width).enumerate() {
            let start = span.offset + row * span.row_stride;
            let flat = flat[start..].iter_mut().step_by(span.column_stride);
            for (flat, value) in flat.zip(&values[..span.columns]) {
                *flat = *value;
            }
        }
    }
    from_flat(layout, &flat)
}

/// The adapter from its flat values, in the order that [`spans`] describes.
///
/// # Errors
/// When the layout is invalid, or the number of values does not match it.
pub fn from_flat(layout: &Layout, values: &[f32]) -> Result<Adapter, Error> {
    layout.validate("layout")?;
    let expected = layout.parameter_count();
    if values.len() != expected {
        return Err(Error::tensor(
            "adapter",
            "values",
            format!("{expected} values"),
            format!("{} values", values.len()),
        ));
    }
    let mut rest = values;
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
        let tokens = from_adapter(&Adapter::new(layout, vec![factors]).unwrap()).unwrap();
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
        fn to_adapter_undoes_from_adapter(layout in uniform_layouts(), seed: u32) {
            let adapter = adapter(layout, seed.into());
            let tokens = from_adapter(&adapter).unwrap();
            let layout = &adapter.layout;
            prop_assert_eq!(tokens.len(), shape(layout).unwrap().iter().product::<usize>());
            prop_assert_eq!(to_adapter(layout, &tokens).unwrap(), adapter);
        }
    }

    proptest! {
        #[test]
        fn values_at_their_spans_are_the_adapter(layout in uniform_layouts(), seed: u32) {
            let adapter = adapter(layout, seed.into());
            let tokens = from_adapter(&adapter).unwrap();
            let layout = &adapter.layout;
            let width = layout.tile_width();
            let size = layout.uniform_rank().unwrap() * width;
            let mut placed = vec![f32::NAN; layout.parameter_count()];
            for (token, span) in tokens.chunks(size).zip(spans(layout).unwrap()) {
                for (number, &value) in token.iter().enumerate() {
                    let (row, column) = (number / width, number % width);
                    if column < span.columns {
                        let start = span.offset + row * span.row_stride;
                        placed[start + column * span.column_stride] = value;
                    }
                }
            }
            prop_assert_eq!(&from_flat(layout, &placed).unwrap(), &adapter);
            placed.pop();
            prop_assert!(from_flat(layout, &placed).is_err());
        }
    }

    #[test]
    fn wrong_lengths_and_ranks_are_refused() {
        let mut adapter = tiny_adapter();
        let mut tokens = from_adapter(&adapter).unwrap();
        tokens.pop();
        let message = to_adapter(&adapter.layout, &tokens)
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("weight tokens: tensor tokens"),
            "{message}"
        );
        adapter.factors[0].a.pop();
        assert!(from_adapter(&adapter).is_err());
        adapter.layout.modules[0].rank = 3;
        assert!(to_adapter(&adapter.layout, &tokens).is_err());
    }
}
