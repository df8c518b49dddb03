//! Expands the features of every module into the flat values of an adapter.

use burn::tensor::{Device, Int, Tensor};

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

/// Inputs of the expansion besides the features, on a device that runs WGSL.
#[cfg_attr(
    not(feature = "wgpu"),
    expect(dead_code, reason = "only constructed on a device that runs WGSL")
)]
pub struct Expansion {
    matrices: Tensor<1, Int>,
    scales: Tensor<1>,
    mean: Tensor<1>,
    targets: Tensor<1, Int>,
    sizes: Sizes,
    /// Number of values of the adapter.
    length: usize,
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

/// 32-bit words of a target in the kernel.
const TARGET_WORDS: usize = 8;

impl Expansion {
    /// Whether `device` can expand to tokens of these sizes: it must run WGSL, and columns and
    /// features must be multiples of four.
    pub fn is_for(sizes: &Sizes, device: &Device) -> bool {
        let are_quads = sizes.columns.is_multiple_of(4) && sizes.features.is_multiple_of(4);
        are_quads && is_device(device)
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
        assert!(numbers > 0 && sizes.layers > 0, "sizes must not be zero");
        assert_eq!(mean.len(), targets.len() * numbers, "number of mean values");
        assert_eq!(matrices.len(), sizes.types, "number of matrices");
        assert!(
            targets.len().is_multiple_of(sizes.layers),
            "tokens of a layer"
        );
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
        let of_layer = targets.len() / sizes.layers;
        let mut packed: Vec<i32> = Vec::new();
        for (kind, matrix) in matrices.iter().enumerate() {
            assert_eq!(matrix.scales.len(), sizes.features, "number of scales");
            let row = matrix.integers.len() / sizes.features;
            let count = row / numbers;
            assert_eq!(
                matrix.integers.len(),
                count * numbers * sizes.features,
                "number of matrix values"
            );
            assert!(matrix.first + count <= of_layer, "tokens of a matrix");
            for place in 0..count {
                let words = &mut words[(matrix.first + place) * TARGET_WORDS + 5..];
                words[0] = kind as i32;
                words[1] = (packed.len() + place * numbers / 4) as i32;
                words[2] = (row / 4) as i32;
            }
            packed.extend(matrix.integers.chunks(4).map(four_in_a_word));
        }
        let scales: Vec<f32> = matrices
            .iter()
            .flat_map(|m| m.scales.iter().copied())
            .collect();
        let ends = targets.iter().filter(|target| target.columns > 0);
        let ends = ends.map(|target| {
            let last = [
                (sizes.rows - 1) * target.row_stride,
                (target.columns - 1) * target.column_stride,
            ];
            target.offset + last[0] + last[1] + 1
        });
        Self {
            length: ends.max().unwrap_or(0),
            matrices: Tensor::from_data(packed.as_slice(), device),
            scales: Tensor::from_data(scales.as_slice(), device),
            mean: Tensor::from_data(mean, device),
            targets: Tensor::from_data(words.as_slice(), device),
            sizes,
        }
    }

    /// The adapter's values from the features (types * layers, F), each type layer by layer.
    ///
    /// # Panics
    /// If the features have another shape, or are on another device.
    pub fn expand(&self, features: Tensor<2>) -> Tensor<1> {
        let Sizes { layers, types, .. } = self.sizes;
        let expected = [types * layers, self.sizes.features];
        cpu::expect("features", features.dims(), expected);
        self.launch(&features)
    }

    #[cfg(feature = "wgpu")]
    fn launch(&self, features: &Tensor<2>) -> Tensor<1> {
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
        let layers = self.sizes.layers;
        let tokens = words / TARGET_WORDS / layers;
        let quads = self.sizes.numbers() / 4;
        let row_quads = self.sizes.columns / 4;
        let sizes = [layers, tokens, quads, row_quads, self.sizes.features / 4];
        gpu::launch(
            Shader::expand(),
            &inputs.each_ref().map(Option::as_ref),
            [self.length],
            &sizes.map(|size| size as u32),
            [quads.div_ceil(EXPANDED), tokens, layers.div_ceil(LAYERS)],
        )
    }

    #[cfg(not(feature = "wgpu"))]
    #[allow(clippy::unused_self, reason = "same signature as with wgpu")]
    fn launch(&self, _: &Tensor<2>) -> Tensor<1> {
        unreachable!("an expansion is only constructed on a device that runs WGSL")
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
            let (row, column) = (number / sizes.columns, number % sizes.columns);
            if column >= target.columns {
                continue;
            }
            let at = target.offset + row * target.row_stride + column * target.column_stride;
            output.resize(output.len().max(at + 1), 0.0);
            output[at] = sum * target.scale + mean[index * numbers + number];
        }
    }
    output
}

#[cfg(feature = "wgpu")]
fn is_device(device: &Device) -> bool {
    crate::gpu::is_device(device)
}

#[cfg(not(feature = "wgpu"))]
fn is_device(_: &Device) -> bool {
    false
}

fn four_in_a_word(integers: &[i8]) -> i32 {
    let mut bytes = [0; 4];
    for (byte, integer) in bytes.iter_mut().zip(integers) {
        [*byte] = integer.to_le_bytes();
    }
    i32::from_le_bytes(bytes)
}
