//! Storage formats of tensors: floating point, or int8 with scales.

use std::fmt;

use half::bf16;

use crate::precision::Precision;

/// How a tensor is stored. In memory it is always f32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// Floating point.
    Float(Precision),
    /// Integers from -127 to 127 with one f32 scale per vector along the last axis: one byte
    /// per value, and an error of at most 1/127 of the largest absolute value of the vector.
    /// The scales are the tensor [`scale_name`].
    Int8,
}

impl From<Precision> for Storage {
    fn from(precision: Precision) -> Self {
        Storage::Float(precision)
    }
}

impl fmt::Display for Storage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Storage::Float(precision) => precision.fmt(formatter),
            Storage::Int8 => formatter.write_str("int8"),
        }
    }
}

/// Largest quantized value.
const LARGEST: f32 = 127.0;

/// Name of the tensor with the scales of an [`Int8`](Storage::Int8) tensor.
pub fn scale_name(name: &str) -> String {
    format!("{name}.int8_scale")
}

/// Quantizes `values` to int8 with one scale per `length` values. Returns the integers, as
/// bytes in two's complement, and the scales.
///
/// A scale is rounded down to the significant bits of bf16. Quantizing dequantized values then
/// gives the same integers and scales again.
pub fn quantize(values: &[f32], length: usize) -> (Vec<u8>, Vec<f32>) {
    let mut bytes = Vec::with_capacity(values.len());
    let mut scales = Vec::with_capacity(values.len() / length.max(1));
    for vector in values.chunks(length.max(1)) {
        let largest = vector
            .iter()
            .fold(0.0_f32, |largest, value| largest.max(value.abs()));
        let exact = (largest / LARGEST).to_bits();
        let scale = bf16::from_bits((exact >> 16) as u16).to_f32();
        // A vector of zeros, or of values so small that the scale is not normal.
        let scale = if scale.is_normal() { scale } else { 1.0 };
        scales.push(scale);
        bytes.extend(vector.iter().map(|value| {
            // WebAssembly has an instruction for ties-to-even; `round` is a function call.
            let integer = (value / scale).round_ties_even().clamp(-LARGEST, LARGEST);
            (integer as i8).to_le_bytes()[0]
        }));
    }
    (bytes, scales)
}

/// Inverse of [`quantize`], up to rounding.
pub(crate) fn dequantize(bytes: &[u8], scales: &[f32], length: usize) -> Vec<f32> {
    let mut values = Vec::with_capacity(bytes.len());
    for (vector, scale) in bytes.chunks(length.max(1)).zip(scales) {
        let integers = vector.iter().map(|&byte| byte.cast_signed());
        values.extend(integers.map(|integer| f32::from(integer) * scale));
    }
    values
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn errors_are_small_and_the_second_time_there_are_none(
            values in prop::collection::vec(-1e3_f32..1e3, 1..40),
            length in 1_usize..9,
        ) {
            let (bytes, scales) = quantize(&values, length);
            let once = dequantize(&bytes, &scales, length);
            for (vector, rounded) in values.chunks(length).zip(once.chunks(length)) {
                let largest = vector
                    .iter()
                    .fold(0.0_f32, |largest, value| largest.max(value.abs()));
                for (value, rounded) in vector.iter().zip(rounded) {
                    prop_assert!((value - rounded).abs() <= largest / LARGEST);
                }
            }
            prop_assert_eq!(quantize(&once, length), (bytes, scales));
        }
    }

    #[test]
    fn zeros_stay_zeros() {
        let (bytes, scales) = quantize(&[0.0, -0.0, 1e-44], 3);
        assert_eq!(dequantize(&bytes, &scales, 3), [0.0; 3]);
    }
}
