//! The supported block types of ggml and their conversion to `f32`.
//!
//! Layouts follow `ggml-common.h`. Arithmetic follows `dequantize_row_*` in `ggml-quants.c`, in
//! the same order of operations, so that results round the same way.

mod k_blocks;

use half::{bf16, f16};

use k_blocks::{q2_k_block, q3_k_block, q4_k_block, q5_k_block, q6_k_block};

/// How the values of a tensor are packed. Blocks run along rows, and a row is a whole number of
/// blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BlockType {
    /// One 32-bit float.
    F32,
    /// One 16-bit IEEE float.
    F16,
    /// One 16-bit float with the exponent range of `F32`.
    BF16,
    /// 32 values of 8 bits with one scale (`block_q8_0`).
    Q8_0,
    /// 32 values of 4 bits with one scale and an offset of 8 (`block_q4_0`).
    Q4_0,
    /// 32 values of 4 bits with one scale and one minimum (`block_q4_1`).
    Q4_1,
    /// 32 values of 5 bits with one scale and an offset of 16 (`block_q5_0`).
    Q5_0,
    /// 32 values of 5 bits with one scale and one minimum (`block_q5_1`).
    Q5_1,
    /// 32 values of 4 bits that index a table of levels, with one scale (`block_iq4_nl`).
    IQ4NL,
    /// 256 values of 2 bits in 16 groups of 16, each group with a 4-bit scale and minimum
    /// (`block_q2_K`).
    Q2K,
    /// 256 values of 3 bits in 16 groups of 16, each group with a 6-bit scale (`block_q3_K`).
    Q3K,
    /// 256 values of 4 bits in 8 groups of 32, each group with a 6-bit scale and minimum
    /// (`block_q4_K`).
    Q4K,
    /// 256 values of 5 bits, otherwise as `Q4K` (`block_q5_K`).
    Q5K,
    /// 256 values of 6 bits in 16 groups of 16, each group with an 8-bit scale (`block_q6_K`).
    Q6K,
}

impl BlockType {
    /// All supported block types.
    pub const ALL: [BlockType; 14] = [
        BlockType::F32,
        BlockType::F16,
        BlockType::BF16,
        BlockType::Q8_0,
        BlockType::Q4_0,
        BlockType::Q4_1,
        BlockType::Q5_0,
        BlockType::Q5_1,
        BlockType::IQ4NL,
        BlockType::Q2K,
        BlockType::Q3K,
        BlockType::Q4K,
        BlockType::Q5K,
        BlockType::Q6K,
    ];

    /// The block type with this number in `enum ggml_type` of `ggml.h`, or `None` if it is not
    /// supported.
    pub fn from_type_id(type_id: u32) -> Option<BlockType> {
        Self::ALL
            .into_iter()
            .find(|block_type| block_type.type_id() == type_id)
    }

    /// The number of this block type in `enum ggml_type` of `ggml.h`.
    pub fn type_id(self) -> u32 {
        match self {
            BlockType::F32 => 0,
            BlockType::F16 => 1,
            BlockType::BF16 => 30,
            BlockType::Q8_0 => 8,
            BlockType::Q4_0 => 2,
            BlockType::Q4_1 => 3,
            BlockType::Q5_0 => 6,
            BlockType::Q5_1 => 7,
            BlockType::IQ4NL => 20,
            BlockType::Q2K => 10,
            BlockType::Q3K => 11,
            BlockType::Q4K => 12,
            BlockType::Q5K => 13,
            BlockType::Q6K => 14,
        }
    }

    /// The name in ggml, for example `Q4_K`.
    pub fn name(self) -> &'static str {
        match self {
            BlockType::F32 => "F32",
            BlockType::F16 => "F16",
            BlockType::BF16 => "BF16",
            BlockType::Q8_0 => "Q8_0",
            BlockType::Q4_0 => "Q4_0",
            BlockType::Q4_1 => "Q4_1",
            BlockType::Q5_0 => "Q5_0",
            BlockType::Q5_1 => "Q5_1",
            BlockType::IQ4NL => "IQ4_NL",
            BlockType::Q2K => "Q2_K",
            BlockType::Q3K => "Q3_K",
            BlockType::Q4K => "Q4_K",
            BlockType::Q5K => "Q5_K",
            BlockType::Q6K => "Q6_K",
        }
    }

    /// Number of values in a block.
    pub fn block_values(self) -> usize {
        match self {
            BlockType::F32 | BlockType::F16 | BlockType::BF16 => 1,
            BlockType::Q8_0
            | BlockType::Q4_0
            | BlockType::Q4_1
            | BlockType::Q5_0
            | BlockType::Q5_1
            | BlockType::IQ4NL => 32,
            BlockType::Q2K | BlockType::Q3K | BlockType::Q4K | BlockType::Q5K | BlockType::Q6K => {
                256
            }
        }
    }

    /// Size of a block in bytes.
    pub fn block_bytes(self) -> usize {
        match self {
            BlockType::F32 => 4,
            BlockType::F16 | BlockType::BF16 => 2,
            BlockType::Q8_0 => 2 + 32,
            BlockType::Q4_0 | BlockType::IQ4NL => 2 + 16,
            BlockType::Q4_1 => 2 + 2 + 16,
            BlockType::Q5_0 => 2 + 4 + 16,
            BlockType::Q5_1 => 2 + 2 + 4 + 16,
            BlockType::Q2K => 16 + 64 + 2 + 2,
            BlockType::Q3K => 32 + 64 + 12 + 2,
            BlockType::Q5K => 2 + 2 + 12 + 32 + 128,
            BlockType::Q4K => 2 + 2 + 12 + 128,
            BlockType::Q6K => 128 + 64 + 16 + 2,
        }
    }

    /// Unpacks whole blocks from `bytes` into `values` until either ends; an incomplete block
    /// at the end of either is ignored. The blocks may be a whole tensor, a row or a single
    /// block.
    pub fn dequantize_into(self, bytes: &[u8], values: &mut [f32]) {
        let unpack_block: fn(&[u8], &mut [f32]) = match self {
            BlockType::F32 => f32_value,
            BlockType::F16 => f16_value,
            BlockType::BF16 => bf16_value,
            BlockType::Q8_0 => q8_0_block,
            BlockType::Q4_0 => q4_0_block,
            BlockType::Q4_1 => q4_1_block,
            BlockType::Q5_0 => q5_0_block,
            BlockType::Q5_1 => q5_1_block,
            BlockType::IQ4NL => iq4_nl_block,
            BlockType::Q2K => q2_k_block,
            BlockType::Q3K => q3_k_block,
            BlockType::Q5K => q5_k_block,
            BlockType::Q4K => q4_k_block,
            BlockType::Q6K => q6_k_block,
        };
        let blocks = bytes.chunks_exact(self.block_bytes());
        let outputs = values.chunks_exact_mut(self.block_values());
        for (block, output) in blocks.zip(outputs) {
            unpack_block(block, output);
        }
    }
}

/// The name of a ggml type, supported or not, as in `enum ggml_type` of `ggml.h`; `"unknown"`
/// for other numbers.
pub(super) fn type_name(type_id: u32) -> &'static str {
    match type_id {
        9 => "Q8_1",
        15 => "Q8_K",
        16 => "IQ2_XXS",
        17 => "IQ2_XS",
        18 => "IQ3_XXS",
        19 => "IQ1_S",
        21 => "IQ3_S",
        22 => "IQ2_S",
        23 => "IQ4_XS",
        24 => "I8",
        25 => "I16",
        26 => "I32",
        27 => "I64",
        28 => "F64",
        29 => "IQ1_M",
        34 => "TQ1_0",
        35 => "TQ2_0",
        39 => "MXFP4",
        _ => BlockType::from_type_id(type_id).map_or("unknown", BlockType::name),
    }
}

// Each function below takes exactly `block_bytes` bytes and `block_values` values, so its
// indices are in range.

fn f32_value(block: &[u8], values: &mut [f32]) {
    values[0] = f32::from_le_bytes([block[0], block[1], block[2], block[3]]);
}

fn f16_value(block: &[u8], values: &mut [f32]) {
    values[0] = read_f16(block, 0);
}

fn bf16_value(block: &[u8], values: &mut [f32]) {
    values[0] = bf16::from_le_bytes([block[0], block[1]]).to_f32();
}

/// `block_q8_0`: scale (f16), 32 signed bytes.
fn q8_0_block(block: &[u8], values: &mut [f32]) {
    let scale = read_f16(block, 0);
    for (value, &quantized) in values.iter_mut().zip(&block[2..]) {
        *value = f32::from(quantized as i8) * scale;
    }
}

/// `block_q4_0`: scale (f16), 16 bytes; the low nibbles are values 0 to 15, the high nibbles
/// values 16 to 31.
fn q4_0_block(block: &[u8], values: &mut [f32]) {
    let scale = read_f16(block, 0);
    let (first, second) = values.split_at_mut(16);
    for (index, &pair) in block[2..].iter().enumerate() {
        first[index] = (low_nibble(pair) - 8.0) * scale;
        second[index] = (high_nibble(pair) - 8.0) * scale;
    }
}

/// `block_q4_1`: scale and minimum (f16), 16 bytes in the order of `block_q4_0`.
fn q4_1_block(block: &[u8], values: &mut [f32]) {
    let scale = read_f16(block, 0);
    let minimum = read_f16(block, 2);
    let (first, second) = values.split_at_mut(16);
    for (index, &pair) in block[4..].iter().enumerate() {
        first[index] = low_nibble(pair) * scale + minimum;
        second[index] = high_nibble(pair) * scale + minimum;
    }
}

/// `block_q5_0`: scale (f16), the fifth bits (u32), 16 bytes in the order of `block_q4_0`.
fn q5_0_block(block: &[u8], values: &mut [f32]) {
    let scale = read_f16(block, 0);
    for (value, quantized) in values.iter_mut().zip(five_bits(&block[2..])) {
        *value = (quantized - 16.0) * scale;
    }
}

/// `block_q5_1`: scale and minimum (f16), then as `block_q5_0`.
fn q5_1_block(block: &[u8], values: &mut [f32]) {
    let scale = read_f16(block, 0);
    let minimum = read_f16(block, 2);
    for (value, quantized) in values.iter_mut().zip(five_bits(&block[4..])) {
        *value = quantized * scale + minimum;
    }
}

/// 32 values of 5 bits: the fifth bits (u32), 16 bytes with the others.
fn five_bits(packed: &[u8]) -> impl Iterator<Item = f32> {
    let fifth = u32::from_le_bytes([packed[0], packed[1], packed[2], packed[3]]);
    (0..32).map(move |index| {
        let pair = packed[4 + index % 16];
        let low = if index < 16 { pair & 15 } else { pair >> 4 };
        let high = (fifth >> index) as u8 & 1;
        f32::from(low | high << 4)
    })
}

/// `block_iq4_nl`: scale (f16), 16 bytes in the order of `block_q4_0`, which index a table.
fn iq4_nl_block(block: &[u8], values: &mut [f32]) {
    /// `kvalues_iq4nl`.
    const LEVELS: [i8; 16] = [
        -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113,
    ];
    let scale = read_f16(block, 0);
    let (first, second) = values.split_at_mut(16);
    for (index, &pair) in block[2..].iter().enumerate() {
        first[index] = scale * f32::from(LEVELS[usize::from(pair & 15)]);
        second[index] = scale * f32::from(LEVELS[usize::from(pair >> 4)]);
    }
}

fn read_f16(bytes: &[u8], offset: usize) -> f32 {
    f16::from_le_bytes([bytes[offset], bytes[offset + 1]]).to_f32()
}

fn low_nibble(pair: u8) -> f32 {
    f32::from(pair & 15)
}

fn high_nibble(pair: u8) -> f32 {
    f32::from(pair >> 4)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn unpack(block_type: BlockType, bytes: &[u8]) -> Vec<f32> {
        assert_eq!(bytes.len() % block_type.block_bytes(), 0);
        let blocks = bytes.len() / block_type.block_bytes();
        let mut values = vec![f32::NAN; blocks * block_type.block_values()];
        block_type.dequantize_into(bytes, &mut values);
        values
    }

    fn half_bytes(value: f32) -> [u8; 2] {
        f16::from_f32(value).to_le_bytes()
    }

    #[test]
    fn type_ids_and_names_agree() {
        for block_type in BlockType::ALL {
            assert_eq!(
                BlockType::from_type_id(block_type.type_id()),
                Some(block_type)
            );
            assert_eq!(type_name(block_type.type_id()), block_type.name());
        }
        assert_eq!(BlockType::from_type_id(23), None);
        assert_eq!(type_name(23), "IQ4_XS");
        assert_eq!(type_name(4_000_000_000), "unknown");
    }

    #[test]
    fn plain_floats() {
        let bytes: Vec<u8> = [1.5f32, -0.1]
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect();
        assert_eq!(unpack(BlockType::F32, &bytes), [1.5, -0.1]);
        // 0x3c00 is 1, 0xc100 is -2.5, 0x0001 is the smallest half, 2^-24.
        let bytes = [0x00, 0x3c, 0x00, 0xc1, 0x01, 0x00];
        assert_eq!(unpack(BlockType::F16, &bytes), [1.0, -2.5, 2f32.powi(-24)]);
        // 0x3f80 is 1, 0xc020 is -2.5.
        assert_eq!(
            unpack(BlockType::BF16, &[0x80, 0x3f, 0x20, 0xc0]),
            [1.0, -2.5]
        );
    }

    #[test]
    fn q8_0() {
        let mut block = half_bytes(0.5).to_vec();
        block.extend([0u8; 32]);
        block[2] = 127;
        block[3] = 0x80; // -128
        block[33] = 0xff; // -1
        let values = unpack(BlockType::Q8_0, &block);
        assert_eq!(values[..3], [63.5, -64.0, 0.0]);
        assert_eq!(values[31], -0.5);
    }

    #[test]
    fn q4_0() {
        let mut block = half_bytes(2.0).to_vec();
        block.extend([0x88u8; 16]);
        block[2] = 0xf0;
        block[17] = 0x19;
        let values = unpack(BlockType::Q4_0, &block);
        assert_eq!(values[..2], [-16.0, 0.0]);
        assert_eq!(values[15..18], [2.0, 14.0, 0.0]);
        assert_eq!(values[31], -14.0);
    }

    #[test]
    fn q4_1() {
        let mut block = [half_bytes(0.25), half_bytes(-1.0)].concat();
        block.extend([0x00u8; 16]);
        block[4] = 0xf3;
        block[19] = 0x84;
        let values = unpack(BlockType::Q4_1, &block);
        assert_eq!(values[..2], [-0.25, -1.0]);
        assert_eq!(values[15..18], [0.0, 2.75, -1.0]);
        assert_eq!(values[31], 1.0);
    }

    #[test]
    fn q4_k() {
        let mut block = [half_bytes(0.5), half_bytes(0.25)].concat();
        // Scales 1, 2, 3, 63, 17, 34, 51, 4 and minimums 5, 6, 7, 62, 48, 33, 18, 9, packed by
        // hand.
        block.extend([0x41u8, 0x82, 0xc3, 0x3f]);
        block.extend([0xc5u8, 0x86, 0x47, 0x3e]);
        block.extend([0x01u8, 0x12, 0x23, 0x94]);
        block.extend([0xa3u8; 128]);
        block[16 + 33] = 0x1f;
        let values = unpack(BlockType::Q4K, &block);
        // 0.5 * scale * (3 or 10) - 0.25 * minimum, by hand.
        let of_groups = [0.25, 8.5, 2.75, 299.5, 13.5, 161.75, 72.0, 17.75];
        for (index, &value) in values.iter().enumerate() {
            let expected = match index {
                65 => 20.75, // 0.5 * 3 * 15 - 0.25 * 7
                97 => 16.0,  // 0.5 * 63 * 1 - 0.25 * 62
                _ => of_groups[index / 32],
            };
            assert_eq!(value, expected, "value {index}");
        }
    }

    #[test]
    fn q6_k() {
        let mut block = vec![0x95u8; 128];
        block.extend([0b11_10_01_00u8; 64]);
        block.extend(
            [
                1i8, -2, 3, -4, 5, -6, 7, -8, 9, -10, 11, -12, 13, -14, 15, -16,
            ]
            .map(|s| s as u8),
        );
        block.extend(half_bytes(0.5));
        block[64 + 32 + 3] = 0x00;
        block[128 + 32 + 17] = 0x00;
        let values = unpack(BlockType::Q6K, &block);
        // The four runs of a half hold -27, -11, 9 and 25; times half the scale of each group
        // of 16, computed by hand.
        let of_groups = [
            -13.5, 27.0, -16.5, 22.0, 22.5, -27.0, 87.5, -100.0, //
            -121.5, 135.0, -60.5, 66.0, 58.5, -63.0, 187.5, -200.0,
        ];
        for (index, &value) in values.iter().enumerate() {
            let expected = match index {
                163 => -88.0, // low bits 0: 0.5 * 11 * (0 + 16 - 32)
                227 => 120.0, // low bits 0: 0.5 * 15 * (0 + 48 - 32)
                177 => 162.0, // high bits 0: 0.5 * -12 * (5 - 32)
                209 => 161.0, // high bits 0: 0.5 * -14 * (9 - 32)
                241 => 184.0, // high bits 0: 0.5 * -16 * (9 - 32)
                _ => of_groups[index / 16],
            };
            assert_eq!(value, expected, "value {index}");
        }
    }

    /// Two blocks of pseudo-random bytes with scales of 0.5 and 0.25, doubled in the second block,
    /// against `gguf.quants.dequantize` of gguf-py 0.19.0: values at six places, and the sum of all
    /// values, each times one to seven by turns.
    #[test]
    fn random_blocks_are_unpacked_as_by_gguf() {
        type Case = (BlockType, &'static [usize], [f32; 6], f64);
        const CASES: [Case; 11] = [
            (
                BlockType::Q8_0,
                &[0],
                [50.5, -43.0, 8.0, 57.5, -33.0, -54.0],
                467.5,
            ),
            (
                BlockType::Q4_0,
                &[0],
                [-1.5, 1.0, 1.0, -1.0, 7.0, 7.0],
                -107.0,
            ),
            (
                BlockType::Q4_1,
                &[0, 2],
                [7.75, 6.75, 5.25, 0.75, 13.5, 11.5],
                1493.5,
            ),
            (
                BlockType::Q5_0,
                &[0],
                [6.5, -3.0, 2.5, 0.5, 13.0, 14.0],
                -108.0,
            ),
            (
                BlockType::Q5_1,
                &[0, 2],
                [13.25, 10.75, 7.25, 3.25, 24.5, 4.5],
                3056.5,
            ),
            (
                BlockType::IQ4NL,
                &[0],
                [-17.5, 12.5, 12.5, -11.0, 113.0, 113.0],
                -1246.5,
            ),
            (
                BlockType::Q2K,
                &[80, 82],
                [2.75, -3.25, 1.75, -1.75, -3.0, 23.0],
                15209.0,
            ),
            (
                BlockType::Q3K,
                &[108],
                [40.0, 10.0, -4.0, 36.0, -36.0, 0.0],
                -5499.5,
            ),
            (
                BlockType::Q4K,
                &[0, 2],
                [133.0, 179.5, 78.75, 118.25, 31.0, 69.5],
                406_303.5,
            ),
            (
                BlockType::Q5K,
                &[0, 2],
                [319.0, 71.0, 64.75, 38.25, 278.0, 29.0],
                496_749.5,
            ),
            (
                BlockType::Q6K,
                &[208],
                [-1512.0, -216.0, -120.0, 139.5, -1452.0, 513.0],
                -87_769.5,
            ),
        ];
        for (block_type, scales, expected, sum) in CASES {
            let size = block_type.block_bytes();
            let mut state = 12_345u32;
            let mut bytes: Vec<u8> = (0..2 * size)
                .map(|_| {
                    state = state.wrapping_mul(1_103_515_245).wrapping_add(12_345);
                    (state >> 16) as u8
                })
                .collect();
            for (block, factor) in [1.0, 2.0].into_iter().enumerate() {
                for (&place, scale) in scales.iter().zip([0.5, 0.25]) {
                    bytes[block * size + place..][..2].copy_from_slice(&half_bytes(scale * factor));
                }
            }
            let values = unpack(block_type, &bytes);
            let n = values.len();
            let found = [0, 1, n / 4 + 1, n / 2 - 1, n / 2, n - 1].map(|place| values[place]);
            assert_eq!(found, expected, "{block_type:?}");
            let weighted = values.iter().zip((1..=7).cycle());
            let found: f64 = weighted.map(|(v, w)| f64::from(*v) * f64::from(w)).sum();
            assert_eq!(found, sum, "{block_type:?}");
        }
    }

    #[test]
    fn parts_of_blocks_are_left_alone() {
        let mut values = [7.0f32; 40];
        BlockType::Q8_0.dequantize_into(&[0; 34 + 20], &mut values);
        assert_eq!(values[..32], [0.0; 32]);
        assert_eq!(values[32..], [7.0; 8]);
        let mut values = [7.0f32; 31];
        BlockType::Q8_0.dequantize_into(&[0; 34], &mut values);
        assert_eq!(values, [7.0; 31]);
    }
}
