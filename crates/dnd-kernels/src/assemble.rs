//! From a generator's output to the numbers of an adapter in their own order.

use burn::tensor::{Device, Int, Tensor};

use crate::cpu;

/// Where the numbers of a weight token go.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target {
    /// Where its first number goes.
    pub offset: usize,
    /// How far apart the token's rows lie there.
    pub row_stride: usize,
    /// How far apart its columns lie there.
    pub column_stride: usize,
    /// Columns that are no padding.
    pub columns: usize,
    /// Which tile of the basis head covers it, if one does.
    pub tile: Option<usize>,
    /// The unit of the token's numbers.
    pub scale: f32,
}

/// Tiles of a basis head as integers from -127 to 127.
#[derive(Debug, Clone, Copy)]
pub struct Tiles<'a> {
    /// Row-major (mixed, covered tokens, numbers of a token).
    pub integers: &'a [i8],
    /// One for each tile: (mixed, covered tokens).
    pub scales: &'a [f32],
    /// Tiles that are mixed for a token.
    pub mixed: usize,
}

/// What assembling needs besides a generator's output, on a device that runs WGSL.
#[cfg_attr(
    not(feature = "wgpu"),
    expect(dead_code, reason = "none is made without a device that runs WGSL")
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
    /// Whether a device can assemble tokens with rows of `columns` numbers: one that runs WGSL,
    /// where four divides them.
    pub fn is_for(columns: usize, device: &Device) -> bool {
        columns.is_multiple_of(4) && is_device(device)
    }

    /// For tokens of rows of `columns` numbers each that go to `targets`, with the `mean` adapter
    /// as tokens; where it [can be](Self::is_for).
    ///
    /// # Panics
    /// When sizes do not fit each other.
    pub fn new(
        targets: &[Target],
        columns: usize,
        mean: &[f32],
        tiles: Tiles<'_>,
        device: &Device,
    ) -> Self {
        assert!(!targets.is_empty() && columns > 0, "no tokens");
        let numbers = mean.len() / targets.len();
        let covered = tiles.scales.len() / tiles.mixed.max(1);
        assert_eq!(mean.len(), targets.len() * numbers, "numbers of the mean");
        assert!(
            numbers > 0 && numbers.is_multiple_of(columns),
            "{numbers} numbers in rows of {columns}"
        );
        let tiled = targets.iter().filter_map(|target| target.tile);
        assert!(tiled.max().is_none_or(|tile| tile < covered), "tiles");
        assert_eq!(
            tiles.integers.len(),
            tiles.scales.len() * numbers,
            "numbers of the tiles"
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
        // A buffer has at least one number, even where there is no head.
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

    /// The adapter's numbers, for the cascade's output (tokens, rows, columns) and the mixing
    /// `coefficients` of the head; one that does not matter where there is none.
    ///
    /// # Panics
    /// When a tensor has another size, or lives elsewhere.
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

        let here = "a device that runs WGSL";
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
    #[allow(clippy::unused_self, reason = "the signature of the other one")]
    fn launch(&self, _: &Tensor<3>, _: &Tensor<1>, _: usize) -> Tensor<1> {
        unreachable!("no assembly is made without a device that runs WGSL")
    }
}

/// The same on the CPU, from the cascade's `tokens`.
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
