use proptest::prelude::*;

use super::*;
use crate::test_data::{adapter, layouts, tiny_adapter};

fn one_module(a: Vec<f32>, b: Vec<f32>, rank: usize) -> Adapter {
    let module = Module {
        layer: 0,
        projection: Projection::Query,
        in_features: a.len() / rank,
        out_features: b.len() / rank,
        rank,
        alpha: 2.0,
    };
    let layout = Layout {
        base_model: String::new(),
        use_rslora: false,
        modules: vec![module],
    };
    Adapter::new(layout, vec![Factors { a, b }]).unwrap()
}

#[test]
fn a_token_is_a_normalized_tile_with_a_border() {
    let adapter = one_module(vec![1.0, 3.0, 1.0, 3.0], vec![1.0, 2.0], 2);
    let tokens = tokenize(&adapter, (2, 2)).unwrap();
    assert_eq!(tokens.shape, [2, 4, 4]);
    let deviation = (4.0_f32 / 3.0).sqrt();
    let (mean, spread) = (16.0, (0.9 * deviation + 0.1).ln() + 1.6);
    let unit = 1.0 / deviation;
    let expected = [
        [-unit, unit, mean, spread],
        [-unit, unit, mean, spread],
        [mean, spread, mean, spread],
        [mean, spread, mean, spread],
    ];
    for (found, expected) in tokens.data.iter().zip(expected.as_flattened()) {
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
    }
    // B has a single column, so the second column of its tile is padding.
    assert_eq!(
        tokens.mask[16..],
        [1, 0, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
    );
}

#[test]
fn up_comes_before_gate() {
    let mut adapter = Adapter::zeros(tiny_adapter().layout);
    for (index, factors) in adapter.factors.iter_mut().enumerate() {
        factors.a.fill(index as f32);
    }
    let tokens = tokenize(&adapter, (4, 24)).unwrap();
    let [count, rows, columns] = tokens.shape;
    assert_eq!(count, 28);
    let means: Vec<f32> = tokens
        .data
        .chunks_exact(rows * columns)
        .step_by(2)
        .map(|token| token[(rows - 1) * columns] / 8.0)
        .collect();
    assert_eq!(
        means,
        [
            0.0, 1.0, 2.0, 3.0, 5.0, 4.0, 6.0, 7.0, 8.0, 9.0, 10.0, 12.0, 11.0, 13.0
        ]
    );
}

#[test]
fn equal_numbers_survive() {
    let adapter = one_module(vec![0.25; 12], vec![0.0; 8], 2);
    let tokens = tokenize(&adapter, (2, 4)).unwrap();
    assert!(tokens.data.iter().all(|value| value.is_finite()));
    assert_eq!(detokenize(&adapter.layout, &tokens).unwrap(), adapter);
}

#[test]
fn uneven_borders_are_averaged() {
    let adapter = one_module(vec![1.0, 3.0, 1.0, 3.0], vec![1.0, 3.0, 1.0, 3.0], 2);
    let mut tokens = tokenize(&adapter, (2, 2)).unwrap();
    // One of the two even cells of the first lower border row: half of that row, which is half
    // of one of two estimates.
    tokens.data[2 * 4] += 8.0 * 8.0;
    let read = detokenize(&adapter.layout, &tokens).unwrap();
    for (before, after) in adapter.factors[0].a.iter().zip(&read.factors[0].a) {
        assert!((after - before - 1.0).abs() < 1e-5, "{before} {after}");
    }
}

#[test]
fn wrong_tiles_and_shapes_are_refused() {
    let adapter = tiny_adapter();
    for tile in [(0, 8), (4, 0), (4, 7), (5, 8), (2, 8), (4, 1 << 40)] {
        assert!(tokenize(&adapter, tile).is_err(), "{tile:?}");
    }
    let tokens = tokenize(&adapter, (4, 8)).unwrap();
    let mut short = tokens.clone();
    short.data.pop();
    assert!(detokenize(&adapter.layout, &short).is_err());
    for shape in [
        [0, 0, 0],
        [1, 6, 10],
        [tokens.shape[0], 10, 6],
        [usize::MAX; 3],
    ] {
        let wrong = PublishedTokens {
            shape,
            ..tokens.clone()
        };
        assert!(detokenize(&adapter.layout, &wrong).is_err(), "{shape:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn detokenize_undoes_tokenise(
        layout in layouts(1_usize..7),
        columns in 1_usize..70,
        seed: u32,
    ) {
        let adapter = adapter(layout, seed.into());
        let tokens = tokenize(&adapter, (6, 2 * columns)).unwrap();
        prop_assert_eq!(tokens.data.len(), tokens.shape.iter().product::<usize>());
        prop_assert_eq!(tokens.data.len(), tokens.mask.len());
        let read = detokenize(&adapter.layout, &tokens).unwrap();
        for (before, after) in adapter.factors.iter().zip(&read.factors) {
            let pairs = before.a.iter().zip(&after.a).chain(before.b.iter().zip(&after.b));
            for (before, after) in pairs {
                prop_assert!((before - after).abs() < 2e-6, "{} {}", before, after);
            }
        }
        // The reverse direction: tokens of the result equal the original tokens.
        let again = tokenize(&read, (6, 2 * columns)).unwrap();
        prop_assert_eq!(&again.mask, &tokens.mask);
        for (before, after) in tokens.data.iter().zip(&again.data) {
            prop_assert!((before - after).abs() < 1e-3, "{} {}", before, after);
        }
    }
}
