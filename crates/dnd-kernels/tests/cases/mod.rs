//! Random cases that tests of several devices share.

use burn::tensor::{Device, Tensor, TensorData};
use dnd_kernels::expand::{self, Expansion, Matrix, Sizes, Target};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;

/// Random inputs of an expansion.
pub struct ExpansionCase {
    sizes: Sizes,
    targets: Vec<Target>,
    mean: Vec<f32>,
    matrices: Vec<Matrix>,
    features: Vec<f32>,
}

impl ExpansionCase {
    /// Each type has a token that no matrix writes, then one to three that its matrix writes.
    /// Every second token is stored transposed; the last one has padding.
    pub fn new(sizes: Sizes, seed: u64) -> Self {
        let mut random = ChaCha12Rng::seed_from_u64(seed);
        let size = sizes.rows * sizes.columns;
        let mut of_layer = 0;
        let mut matrices = Vec::new();
        for _ in 0..sizes.types {
            let (first, count) = (of_layer + 1, random.random_range(1..=3));
            of_layer = first + count;
            let integers =
                (0..sizes.features * count * size).map(|_| random.random_range(-127..=127));
            matrices.push(Matrix {
                first,
                integers: integers.collect(),
                scales: values(sizes.features, 0.01, &mut random),
            });
        }
        let tokens = sizes.layers * of_layer;
        let target = |index: usize| Target {
            offset: index * size,
            row_stride: if index.is_multiple_of(2) {
                sizes.columns
            } else {
                1
            },
            column_stride: if index.is_multiple_of(2) {
                1
            } else {
                sizes.rows
            },
            columns: if index + 1 == tokens {
                sizes.columns / 2 + 1
            } else {
                sizes.columns
            },
            scale: 0.5 + index as f32 / 8.0,
        };
        Self {
            targets: (0..tokens).map(target).collect(),
            mean: values(tokens * size, 1.0, &mut random),
            matrices,
            features: values(
                sizes.types * sizes.layers * sizes.features,
                1.0,
                &mut random,
            ),
            sizes,
        }
    }

    /// Asserts that the expansion on `device` agrees with the reference.
    pub fn check(&self, device: &Device) {
        let sizes = self.sizes;
        assert!(Expansion::is_for(&sizes, device));
        let expansion = Expansion::new(sizes, &self.targets, &self.mean, &self.matrices, device);
        let shape = [sizes.types * sizes.layers, sizes.features];
        let features = TensorData::new(self.features.clone(), shape);
        let found = expansion.expand(Tensor::from_data(features, device));
        let found = found.try_into_vec_as::<f32>().unwrap();
        let (mean, features) = (&self.mean, &self.features);
        let expected = expand::reference(sizes, &self.targets, mean, &self.matrices, features);
        assert_eq!(found.len(), expected.len());
        for (place, (a, b)) in found.iter().zip(&expected).enumerate() {
            let is_near = (a - b).abs() <= 1e-4 * (1.0 + b.abs());
            assert!(is_near || self.is_gap(place), "at {place}: {a} and {b}");
        }
    }

    /// Whether a value is one of the gaps that the padding of a transposed token leaves, which are
    /// not specified.
    fn is_gap(&self, place: usize) -> bool {
        let columns = self.sizes.columns;
        let last = &self.targets[self.targets.len() - 1];
        let writes = |number: usize| {
            let (row, column) = (number / columns, number % columns);
            column < last.columns
                && last.offset + row * last.row_stride + column * last.column_stride == place
        };
        place >= last.offset && !(0..self.sizes.rows * columns).any(writes)
    }
}

fn values(count: usize, size: f32, random: &mut ChaCha12Rng) -> Vec<f32> {
    (0..count)
        .map(|_| random.random_range(-size..=size))
        .collect()
}
