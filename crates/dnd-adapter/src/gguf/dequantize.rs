//! The supported block types of ggml and their conversion to `f32`.
//!
//! Layouts follow `ggml-common.h`. Arithmetic follows `dequantize_row_*` in `ggml-quants.c`, in
//! the same order of operations, so that results round the same way.

use half::{bf16, f16};

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
    /// 256 values of 4 bits in 8 groups of 32, each group with a 6-bit scale and minimum
    /// (`block_q4_K`).
    Q4K,
    /// 256 values of 6 bits in 16 groups of 16, each group with an 8-bit scale (`block_q6_K`).
    Q6K,
}

impl BlockType {
    /// All supported block types.
    pub const ALL: [BlockType; 8] = [
        BlockType::F32,
        BlockType::F16,
        BlockType::BF16,
        BlockType::Q8_0,
        BlockType::Q4_0,
        BlockType::Q4_1,
        BlockType::Q4K,
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
            BlockType::Q4K => 12,
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
            BlockType::Q4K => "Q4_K",
            BlockType::Q6K => "Q6_K",
        }
    }

    /// Number of values in a block.
    pub fn block_values(self) -> usize {
        match self {
            BlockType::F32 | BlockType::F16 | BlockType::BF16 => 1,
            BlockType::Q8_0 | BlockType::Q4_0 | BlockType::Q4_1 => 32,
            BlockType::Q4K | BlockType::Q6K => 256,
        }
    }

    /// Size of a block in bytes.
    pub fn block_bytes(self) -> usize {
        match self {
            BlockType::F32 => 4,
            BlockType::F16 | BlockType::BF16 => 2,
            BlockType::Q8_0 => 2 + 32,
            BlockType::Q4_0 => 2 + 16,
            BlockType::Q4_1 => 2 + 2 + 16,
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
        6 => "Q5_0",
        7 => "Q5_1",
        9 => "Q8_1",
        10 => "Q2_K",
        11 => "Q3_K",
        13 => "Q5_K",
        15 => "Q8_K",
        16 => "IQ2_XXS",
        17 => "IQ2_XS",
        18 => "IQ3_XXS",
        19 => "IQ1_S",
        20 => "IQ4_NL",
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

/// `block_q4_K`: scale of the scales and scale of the minimums (f16), 12 bytes with 8 scales
/// and 8 minimums of 6 bits, 128 bytes of values. Each run of 32 bytes holds two groups: one in
/// the low nibbles, one in the high.
fn q4_k_block(block: &[u8], values: &mut [f32]) {
    let scale_of_scales = read_f16(block, 0);
    let scale_of_minimums = read_f16(block, 2);
    let packed_scales = &block[4..16];
    let pair_runs = block[16..].chunks_exact(32);
    for (run, (pairs, output)) in pair_runs.zip(values.chunks_exact_mut(64)).enumerate() {
        let (low_scale, low_minimum) = q4_k_scale_and_minimum(packed_scales, 2 * run);
        let (high_scale, high_minimum) = q4_k_scale_and_minimum(packed_scales, 2 * run + 1);
        let (low_scale, high_scale) = (scale_of_scales * low_scale, scale_of_scales * high_scale);
        let low_minimum = scale_of_minimums * low_minimum;
        let high_minimum = scale_of_minimums * high_minimum;
        let (low, high) = output.split_at_mut(32);
        for (index, &pair) in pairs.iter().enumerate() {
            low[index] = low_scale * low_nibble(pair) - low_minimum;
            high[index] = high_scale * high_nibble(pair) - high_minimum;
        }
    }
}

/// `get_scale_min_k4` of `ggml-quants.c`. Groups 0 to 3 have their scale in the low 6 bits of
/// bytes 0 to 3 and their minimum in the low 6 bits of bytes 4 to 7. Groups 4 to 7 have the low
/// 4 bits of both in bytes 8 to 11, and the high 2 bits in the top bits of the first 8 bytes.
fn q4_k_scale_and_minimum(packed: &[u8], group: usize) -> (f32, f32) {
    let (scale, minimum) = if group < 4 {
        (packed[group] & 63, packed[group + 4] & 63)
    } else {
        let low_bits = packed[group + 4];
        (
            (low_bits & 15) | ((packed[group - 4] >> 6) << 4),
            (low_bits >> 4) | ((packed[group] >> 6) << 4),
        )
    };
    (f32::from(scale), f32::from(minimum))
}

/// `block_q6_K`: 128 bytes with the low 4 bits of the values, 64 bytes with their high 2 bits,
/// 16 signed 8-bit scales, scale of the scales (f16). Values have an offset of 32. Each half of
/// the block holds 128 values as four runs of 32; the four runs share 32 bytes of high bits,
/// two bits each.
fn q6_k_block(block: &[u8], values: &mut [f32]) {
    let (low_bits, rest) = block.split_at(128);
    let (high_bits, rest) = rest.split_at(64);
    let scales = &rest[..16];
    let scale_of_scales = read_f16(rest, 16);
    for (half_index, output) in values.chunks_exact_mut(128).enumerate() {
        let low_bits = &low_bits[64 * half_index..][..64];
        let high_bits = &high_bits[32 * half_index..][..32];
        let scales = &scales[8 * half_index..][..8];
        for (index, value) in output.iter_mut().enumerate() {
            let (run, column) = (index / 32, index % 32);
            // Runs 0 and 1 are the low nibbles of bytes 0..32 and 32..64, runs 2 and 3 the high
            // nibbles.
            let pair = low_bits[32 * (run % 2) + column];
            let low = if run < 2 { pair & 15 } else { pair >> 4 };
            let high = (high_bits[column] >> (2 * run)) & 3;
            let quantized = f32::from(low | (high << 4)) - 32.0;
            let scale = f32::from(scales[index / 16] as i8);
            *value = scale_of_scales * scale * quantized;
        }
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
        assert_eq!(BlockType::from_type_id(13), None);
        assert_eq!(type_name(13), "Q5_K");
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
