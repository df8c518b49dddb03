//! Blocks of 256 values (`block_q2_K` to `block_q6_K`).

use super::{high_nibble, low_nibble, read_f16};

/// `block_q2_K`: 16 bytes, each with the scale of a group of 16 in its low nibble and the minimum
/// in its high one, 64 bytes of values, scale of the scales and scale of the minimums (f16). Each
/// half of the block holds 128 values as four runs of 32, which share 32 bytes, two bits each.
pub(super) fn q2_k_block(block: &[u8], values: &mut [f32]) {
    let (scales, rest) = block.split_at(16);
    let (pairs, rest) = rest.split_at(64);
    let (scale_of_scales, scale_of_minimums) = (read_f16(rest, 0), read_f16(rest, 2));
    for (index, value) in values.iter_mut().enumerate() {
        let group = scales[index / 16];
        let scale = scale_of_scales * low_nibble(group);
        let minimum = scale_of_minimums * high_nibble(group);
        *value = scale * f32::from(two_bits(pairs, index)) - minimum;
    }
}

/// `block_q3_K`: 32 bytes with the high bits of the values, 64 bytes with the low ones in the
/// order of `block_q2_K`, 12 bytes with 16 scales of 6 bits, scale of the scales (f16). Scales
/// have an offset of 32. A byte of high bits belongs to eight runs of 32; a bit that is not set
/// stands for minus four.
pub(super) fn q3_k_block(block: &[u8], values: &mut [f32]) {
    let (high_bits, rest) = block.split_at(32);
    let (pairs, rest) = rest.split_at(64);
    let (scales, rest) = rest.split_at(12);
    let scale_of_scales = read_f16(rest, 0);
    for (index, value) in values.iter_mut().enumerate() {
        let group = index / 16;
        let low = if group < 8 {
            scales[group] & 15
        } else {
            scales[group - 8] >> 4
        };
        let high = (scales[8 + group % 4] >> (2 * (group / 4))) & 3;
        let scale = scale_of_scales * (f32::from(low | high << 4) - 32.0);
        let is_high = (high_bits[index % 32] >> (index / 32)) & 1 == 1;
        let offset = if is_high { 0.0 } else { 4.0 };
        *value = scale * (f32::from(two_bits(pairs, index)) - offset);
    }
}

/// The two bits of a value in `block_q2_K` and `block_q3_K`.
fn two_bits(pairs: &[u8], index: usize) -> u8 {
    let (half, run) = (index / 128, index % 128 / 32);
    (pairs[32 * half + index % 32] >> (2 * run)) & 3
}

/// `block_q4_K`: scale of the scales and scale of the minimums (f16), 12 bytes with 8 scales
/// and 8 minimums of 6 bits, 128 bytes of values. Each run of 32 bytes holds two groups: one in
/// the low nibbles, one in the high.
pub(super) fn q4_k_block(block: &[u8], values: &mut [f32]) {
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

/// `block_q5_K`: as `block_q4_K`, with 32 bytes of fifth bits before the values. A byte of fifth
/// bits belongs to all eight groups.
pub(super) fn q5_k_block(block: &[u8], values: &mut [f32]) {
    let scale_of_scales = read_f16(block, 0);
    let scale_of_minimums = read_f16(block, 2);
    let packed_scales = &block[4..16];
    let (fifth_bits, pairs) = block[16..].split_at(32);
    for (index, value) in values.iter_mut().enumerate() {
        let (group, column) = (index / 32, index % 32);
        let pair = pairs[32 * (group / 2) + column];
        let low = if group % 2 == 0 { pair & 15 } else { pair >> 4 };
        let high = (fifth_bits[column] >> group) & 1;
        let (scale, minimum) = q4_k_scale_and_minimum(packed_scales, group);
        let quantized = f32::from(low | high << 4);
        *value = scale_of_scales * scale * quantized - scale_of_minimums * minimum;
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
pub(super) fn q6_k_block(block: &[u8], values: &mut [f32]) {
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
