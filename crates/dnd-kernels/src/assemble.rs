//! Assembles a generator's output into the flat values of an adapter.

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
    /// Tile of the basis head that covers the token, if any.
    pub tile: Option<usize>,
    /// Scale of the token's values, before the mean is added.
    pub scale: f32,
}

/// Tiles of a basis head, quantized to integers from -127 to 127.
#[derive(Debug, Clone, Copy)]
pub struct Tiles<'a> {
    /// Row-major (mixed, covered tokens, values per token).
    pub integers: &'a [i8],
    /// Scale of each tile: (mixed, covered tokens).
    pub scales: &'a [f32],
    /// Number of tiles mixed for each token.
    pub mixed: usize,
}

/// Inputs of the assembly besides the generator's output, on a device that runs WGSL.
#[cfg_attr(
    not(feature = "wgpu"),
    expect(dead_code, reason = "only constructed on a device that runs WGSL")
)]
pub struct Assembly {
    tiles: Tensor<1, Int>,
    tile_scales: Tensor<1>,
    mean: Tensor<1>,
    targets: Tensor<1, Int>,
    tokens: usize,
    rows: usize,
    columns: usize,
    mixed: usize,
    covered: usize,
    length: usize,
}

impl Assembly {
    /// Whether `device` can assemble tokens with rows of `columns` values: it must run WGSL,
    /// and `columns` must be a multiple of four.
    pub fn is_for(columns: usize, device: &Device) -> bool {
        columns.is_multiple_of(4) && is_device(device)
    }

    /// Prepares tokens with rows of `columns` values that go to `targets`. `mean` is the mean
    /// adapter as tokens. Requires [`is_for`](Self::is_for).
    ///
    /// # Panics
    /// If sizes do not match.
    pub fn new(
        targets: &[Target],
        columns: usize,
        mean: &[f32],
        tiles: Tiles<'_>,
        device: &Device,
    ) -> Self {
        assert!(
            !targets.is_empty() && columns > 0,
            "targets and token columns must not be empty"
        );
        let numbers = mean.len() / targets.len();
        let covered = tiles.scales.len() / tiles.mixed.max(1);
        assert_eq!(mean.len(), targets.len() * numbers, "number of mean values");
        assert!(
            numbers > 0 && numbers.is_multiple_of(columns),
            "{numbers} values do not split into rows of {columns}"
        );
        let tiled = targets.iter().filter_map(|target| target.tile);
        assert!(
            tiled.max().is_none_or(|tile| tile < covered),
            "tile index out of range"
        );
        assert_eq!(
            tiles.integers.len(),
            tiles.scales.len() * numbers,
            "number of tile values"
        );
        let words = targets.iter().flat_map(|target| {
            let tile = target.tile.unwrap_or(covered);
            let sizes = [
                target.offset,
                target.row_stride,
                target.column_stride,
                target.columns,
                tile,
            ];
            let scale = target.scale.to_bits().cast_signed();
            sizes.map(|size| size as i32).into_iter().chain([scale])
        });
        let words: Vec<i32> = words.collect();
        // Buffers must not be empty, even without a basis head.
        let mut packed: Vec<i32> = tiles.integers.chunks(4).map(four_in_a_word).collect();
        packed.resize(packed.len().max(1), 0);
        let mut scales = tiles.scales.to_vec();
        scales.resize(scales.len().max(1), 0.0);
        let rows = numbers / columns;
        let ends = targets
            .iter()
            .filter(|target| target.columns > 0)
            .map(|target| {
                target.offset
                    + (rows - 1) * target.row_stride
                    + (target.columns - 1) * target.column_stride
                    + 1
            });
        Self {
            tiles: Tensor::from_data(packed.as_slice(), device),
            tile_scales: Tensor::from_data(scales.as_slice(), device),
            mean: Tensor::from_data(mean, device),
            targets: Tensor::from_data(words.as_slice(), device),
            tokens: targets.len(),
            rows,
            columns,
            mixed: tiles.mixed,
            covered,
            length: ends.max().unwrap_or(0),
        }
    }

    /// The adapter's values from the decoder's output `cascade` (tokens, rows, columns) and the
    /// mixing `coefficients` of the basis head. Without a head, pass one coefficient, which is
    /// ignored.
    ///
    /// # Panics
    /// If a tensor has another shape, or is on another device.
    pub fn assemble(&self, cascade: Tensor<3>, coefficients: Tensor<1>) -> Tensor<1> {
        let [tokens, rows, columns] = cascade.dims();
        let expected = [self.tokens, self.rows, self.columns];
        cpu::expect("tokens", [tokens, rows, columns], expected);
        cpu::expect("coefficients", coefficients.dims(), [self.mixed.max(1)]);
        self.launch(&cascade, &coefficients, rows * columns)
    }

    #[cfg(feature = "wgpu")]
    fn launch(&self, cascade: &Tensor<3>, coefficients: &Tensor<1>, numbers: usize) -> Tensor<1> {
        use crate::gpu;
        use crate::shaders::{ASSEMBLED, Shader};

        let here = "tensors must be on a device that runs WGSL";
        let inputs = [
            gpu::buffer(cascade),
            gpu::buffer(coefficients),
            gpu::integers(&self.tiles),
            gpu::buffer(&self.tile_scales),
            gpu::buffer(&self.mean),
            gpu::integers(&self.targets),
        ];
        let inputs = inputs.map(|input| Some(input.expect(here)));
        let [numbers, columns] = [numbers / 4, self.columns / 4];
        let sizes = [self.tokens, numbers, columns, self.mixed, self.covered];
        gpu::launch(
            Shader::assemble(),
            &inputs.each_ref().map(Option::as_ref),
            [self.length],
            &sizes.map(|size| size as u32),
            [numbers.div_ceil(ASSEMBLED), self.tokens, 1],
        )
    }

    #[cfg(not(feature = "wgpu"))]
    #[allow(clippy::unused_self, reason = "same signature as with wgpu")]
    fn launch(&self, _: &Tensor<3>, _: &Tensor<1>, _: usize) -> Tensor<1> {
        unreachable!("an assembly is only constructed on a device that runs WGSL")
    }
}

/// Reference implementation on the CPU; `tokens` are the decoder's output.
pub fn reference(
    targets: &[Target],
    columns: usize,
    mean: &[f32],
    tiles: Tiles<'_>,
    tokens: &[f32],
    coefficients: &[f32],
) -> Vec<f32> {
    let numbers = mean.len() / targets.len();
    let covered = tiles.scales.len() / tiles.mixed.max(1);
    let mut output = Vec::new();
    for (index, target) in targets.iter().enumerate() {
        for number in 0..numbers {
            let (row, column) = (number / columns, number % columns);
            if column >= target.columns {
                continue;
            }
            let mut sum = tokens[index * numbers + number];
            if let Some(tile) = target.tile {
                for (mixed, coefficient) in coefficients.iter().enumerate() {
                    let tile = mixed * covered + tile;
                    let integer = f32::from(tiles.integers[tile * numbers + number]);
                    sum += coefficient * tiles.scales[tile] * integer;
                }
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
