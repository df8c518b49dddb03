//! Expands the features of every module into the flat values of an adapter.

use burn::backend::Flex;
#[cfg(feature = "wgpu")]
use burn::tensor::Int;
use burn::tensor::{Device, Tensor};

use crate::blocked::{Blocked, Epilogue};
use crate::cpu;

/// Destination of a weight token in the flat adapter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target {
    /// Index of its first value.
    pub offset: usize,
    /// Distance between rows of the token.
    pub row_stride: usize,
    /// Distance between columns of the token.
    pub column_stride: usize,
    /// Columns that are not padding.
    pub columns: usize,
    /// Scale of the token's values, before the mean is added.
    pub scale: f32,
}

/// The matrix of a module type, quantized to integers from -127 to 127.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    /// First of the weight tokens that it writes, among those of a layer.
    pub first: usize,
    /// Row-major (F, values of the weight tokens that it writes).
    pub integers: Vec<i8>,
    /// Scale of each row: F values.
    pub scales: Vec<f32>,
}

/// An expansion prepared for a device.
pub struct Expansion {
    sizes: Sizes,
    weights: Weights,
}

/// All inputs besides the features.
enum Weights {
    Cpu(CpuWeights),
    #[cfg(feature = "wgpu")]
    Wgsl(Box<WgslWeights>),
}

/// Sizes of an expansion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Layers of the base model, which share the matrices.
    pub layers: usize,
    /// Rows of a weight token.
    pub rows: usize,
    /// Columns of a weight token.
    pub columns: usize,
    /// Module types: one matrix each.
    pub types: usize,
    /// Features F of a module.
    pub features: usize,
}

impl Sizes {
    fn numbers(&self) -> usize {
        self.rows * self.columns
    }
}

impl Expansion {
    /// Whether `device` can expand to tokens of these sizes: it must be burn's CPU device, or run
    /// WGSL, which takes columns and features that are multiples of four.
    pub fn is_for(sizes: &Sizes, device: &Device) -> bool {
        *device == Device::flex() || is_for_wgsl(sizes, device)
    }

    /// Prepares the expansion to weight tokens that go to `targets`, layer by layer. `mean` is the
    /// mean adapter as tokens. Requires [`is_for`](Self::is_for).
    ///
    /// # Panics
    /// If sizes do not match.
    pub fn new(
        sizes: Sizes,
        targets: &[Target],
        mean: &[f32],
        matrices: &[Matrix],
        device: &Device,
    ) -> Self {
        let numbers = sizes.numbers();
        assert!(
            numbers > 0 && sizes.layers > 0 && sizes.features > 0 && sizes.types > 0,
            "sizes must not be zero"
        );
        assert_eq!(mean.len(), targets.len() * numbers, "number of mean values");
        assert_eq!(matrices.len(), sizes.types, "number of matrices");
        assert!(
            targets.len().is_multiple_of(sizes.layers),
            "tokens of a layer"
        );
        let of_layer = targets.len() / sizes.layers;
        let mut free = 0;
        for matrix in matrices {
            let count = matrix.integers.len() / sizes.features / numbers;
            assert!(count > 0 && matrix.first >= free, "tokens of matrices");
            free = matrix.first + count;
            assert_eq!(matrix.scales.len(), sizes.features, "number of scales");
            assert_eq!(
                matrix.integers.len(),
                count * numbers * sizes.features,
                "number of matrix values"
            );
            assert!(free <= of_layer, "tokens of a layer");
        }
        #[cfg(feature = "wgpu")]
        if *device != Device::flex() {
            let weights = WgslWeights::new(sizes, targets, mean, matrices, device);
            return Self {
                sizes,
                weights: Weights::Wgsl(Box::new(weights)),
            };
        }
        assert_eq!(*device, Device::flex(), "device of an expansion");
        Self {
            sizes,
            weights: Weights::Cpu(CpuWeights::new(sizes, targets, mean, matrices)),
        }
    }

    /// The adapter's values from the features (types * layers, F), each type layer by layer. The
    /// values of gaps between targets are not specified.
    ///
    /// # Panics
    /// If the features have another shape, are on another device, or track gradients.
    pub fn expand(&self, features: Tensor<2>) -> Tensor<1> {
        let Sizes { layers, types, .. } = self.sizes;
        let expected = [types * layers, self.sizes.features];
        cpu::expect("features", features.dims(), expected);
        match &self.weights {
            Weights::Cpu(weights) => {
                let features = cpu::read(&features).expect("features must be on the CPU");
                let output = weights.expand(self.sizes, cpu::numbers(&features));
                let length = output.len();
                Tensor::from_primitive::<Flex>(cpu::tensor(output, [length]))
            }
            #[cfg(feature = "wgpu")]
            Weights::Wgsl(weights) => weights.expand(self.sizes, &features),
        }
    }
}

impl Target {
    /// Index of a number of a token, or `None` for padding; rows have `columns` values.
    fn place(&self, number: usize, columns: usize) -> Option<usize> {
        let (row, column) = (number / columns, number % columns);
        let place = self.offset + row * self.row_stride + column * self.column_stride;
        (column < self.columns).then_some(place)
    }

    /// Adds the values of a token, scaled, where they belong.
    fn add(&self, values: &[f32], columns: usize, output: &mut [f32]) {
        for (row, values) in values.chunks_exact(columns).enumerate() {
            let places = (self.offset + row * self.row_stride..).step_by(self.column_stride.max(1));
            for (place, value) in places.zip(values).take(self.columns) {
                output[place] += value * self.scale;
            }
        }
    }
}

/// Number of values of the adapter.
fn length(sizes: Sizes, targets: &[Target]) -> usize {
    let last = |target: &Target| {
        let column = target.columns.min(sizes.columns).checked_sub(1)?;
        target.place((sizes.rows - 1) * sizes.columns + column, sizes.columns)
    };
    targets
        .iter()
        .filter_map(last)
        .max()
        .map_or(0, |last| last + 1)
}

/// The mean adapter in adapter order, and matrices packed in f32.
struct CpuWeights {
    mean: Vec<f32>,
    targets: Vec<Target>,
    /// With the first of the weight tokens that each writes.
    matrices: Vec<(usize, Blocked)>,
}

impl CpuWeights {
    fn new(sizes: Sizes, targets: &[Target], mean: &[f32], matrices: &[Matrix]) -> Self {
        let mut values = vec![0.0; length(sizes, targets)];
        for (target, mean) in targets.iter().zip(mean.chunks_exact(sizes.numbers())) {
            for (number, &mean) in mean.iter().enumerate() {
                if let Some(place) = target.place(number, sizes.columns) {
                    values[place] = mean;
                }
            }
        }
        let depth = sizes.features;
        let matrices = matrices.iter().map(|matrix| {
            let width = matrix.integers.len() / depth;
            let mut values = vec![0.0; matrix.integers.len()];
            let rows = matrix.integers.chunks_exact(width.max(1));
            for (feature, (integers, scale)) in rows.zip(&matrix.scales).enumerate() {
                for (column, &integer) in integers.iter().enumerate() {
                    values[column * depth + feature] = f32::from(integer) * scale;
                }
            }
            (matrix.first, Blocked::new(&values, [width, depth]))
        });
        Self {
            mean: values,
            targets: targets.to_vec(),
            matrices: matrices.collect(),
        }
    }

    fn expand(&self, sizes: Sizes, features: &[f32]) -> Vec<f32> {
        let (numbers, of_layer) = (sizes.numbers(), self.targets.len() / sizes.layers);
        let mut output = self.mean.clone();
        let of_types = features.chunks_exact(sizes.layers * sizes.features);
        for ((first, matrix), features) in self.matrices.iter().zip(of_types) {
            let products = matrix.product(features, Epilogue::Identity);
            let layers = products.chunks_exact(products.len() / sizes.layers);
            for (layer, products) in layers.enumerate() {
                let targets = &self.targets[layer * of_layer + first..];
                for (target, products) in targets.iter().zip(products.chunks_exact(numbers)) {
                    target.add(products, sizes.columns, &mut output);
                }
            }
        }
        output
    }
}

/// Everything as the WGSL kernel reads it.
#[cfg(feature = "wgpu")]
struct WgslWeights {
    matrices: Tensor<1, Int>,
    scales: Tensor<1>,
    mean: Tensor<1>,
    targets: Tensor<1, Int>,
    length: usize,
}

/// 32-bit words of a target in the kernel.
#[cfg(feature = "wgpu")]
const TARGET_WORDS: usize = 8;

#[cfg(feature = "wgpu")]
impl WgslWeights {
    fn new(
        sizes: Sizes,
        targets: &[Target],
        mean: &[f32],
        matrices: &[Matrix],
        device: &Device,
    ) -> Self {
        let numbers = sizes.numbers();
        let mut words = vec![0i32; targets.len() * TARGET_WORDS];
        for (target, words) in targets.iter().zip(words.chunks_exact_mut(TARGET_WORDS)) {
            let places = [
                target.offset,
                target.row_stride,
                target.column_stride,
                target.columns,
            ];
            words[..4].copy_from_slice(&places.map(|place| place as i32));
            words[4] = target.scale.to_bits().cast_signed();
        }
        let mut packed: Vec<i32> = Vec::new();
        for (kind, matrix) in matrices.iter().enumerate() {
            let row = matrix.integers.len() / sizes.features;
            // The kernel reads matrices by the tokens of the first layer.
            for place in 0..row / numbers {
                let words = &mut words[(matrix.first + place) * TARGET_WORDS + 5..];
                words[0] = kind as i32;
                words[1] = (packed.len() + place * numbers / 4) as i32;
                words[2] = (row / 4) as i32;
            }
            packed.extend(matrix.integers.chunks(4).map(four_in_a_word));
        }
        let scales = matrices.iter().flat_map(|matrix| &matrix.scales);
        let scales: Vec<f32> = scales.copied().collect();
        Self {
            matrices: Tensor::from_data(packed.as_slice(), device),
            scales: Tensor::from_data(scales.as_slice(), device),
            mean: Tensor::from_data(mean, device),
            targets: Tensor::from_data(words.as_slice(), device),
            length: length(sizes, targets),
        }
    }

    fn expand(&self, sizes: Sizes, features: &Tensor<2>) -> Tensor<1> {
        use crate::gpu;
        use crate::shaders::{EXPANDED, LAYERS, Shader};

        let here = "tensors must be on a device that runs WGSL";
        let inputs = [
            gpu::buffer(features),
            gpu::integers(&self.matrices),
            gpu::buffer(&self.scales),
            gpu::buffer(&self.mean),
            gpu::integers(&self.targets),
        ];
        let inputs = inputs.map(|input| Some(input.expect(here)));
        let [words] = self.targets.dims();
        let tokens = words / TARGET_WORDS / sizes.layers;
        let (quads, row_quads) = (sizes.numbers() / 4, sizes.columns / 4);
        let words = [sizes.layers, tokens, quads, row_quads, sizes.features / 4];
        gpu::launch(
            Shader::expand(),
            &inputs.each_ref().map(Option::as_ref),
            [self.length],
            &words.map(|size| size as u32),
            [
                quads.div_ceil(EXPANDED),
                tokens,
                sizes.layers.div_ceil(LAYERS),
            ],
        )
    }
}

/// Reference implementation on the CPU, for row-major `features` (types * layers, F).
pub fn reference(
    sizes: Sizes,
    targets: &[Target],
    mean: &[f32],
    matrices: &[Matrix],
    features: &[f32],
) -> Vec<f32> {
    let numbers = sizes.numbers();
    let of_layer = targets.len() / sizes.layers;
    let mut output = Vec::new();
    for (index, target) in targets.iter().enumerate() {
        let (layer, token) = (index / of_layer, index % of_layer);
        let mut sums = vec![0.0; numbers];
        for (kind, matrix) in matrices.iter().enumerate() {
            let row = matrix.integers.len() / sizes.features;
            if !(matrix.first..matrix.first + row / numbers).contains(&token) {
                continue;
            }
            let module = (kind * sizes.layers + layer) * sizes.features;
            for (feature, integers) in matrix.integers.chunks_exact(row).enumerate() {
                let factor = features[module + feature] * matrix.scales[feature];
                let integers = &integers[(token - matrix.first) * numbers..][..numbers];
                for (sum, &integer) in sums.iter_mut().zip(integers) {
                    *sum += factor * f32::from(integer);
                }
            }
        }
        for (number, sum) in sums.into_iter().enumerate() {
            if let Some(place) = target.place(number, sizes.columns) {
                output.resize(output.len().max(place + 1), 0.0);
                output[place] = sum * target.scale + mean[index * numbers + number];
            }
        }
    }
    output
}

#[cfg(feature = "wgpu")]
fn is_for_wgsl(sizes: &Sizes, device: &Device) -> bool {
    let are_quads = sizes.columns.is_multiple_of(4) && sizes.features.is_multiple_of(4);
    are_quads && crate::gpu::is_device(device)
}

#[cfg(not(feature = "wgpu"))]
fn is_for_wgsl(_: &Sizes, _: &Device) -> bool {
    false
}

#[cfg(feature = "wgpu")]
fn four_in_a_word(integers: &[i8]) -> i32 {
    let mut bytes = [0; 4];
    for (byte, integer) in bytes.iter_mut().zip(integers) {
        [*byte] = integer.to_le_bytes();
    }
    i32::from_le_bytes(bytes)
}
