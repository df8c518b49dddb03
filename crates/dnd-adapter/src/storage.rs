//! How a tensor's numbers are stored: as floating-point numbers, or as small integers with scales.

use std::fmt;

use half::bf16;

use crate::precision::Precision;

/// How a tensor is stored. In memory it is always f32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// As floating-point numbers.
    Float(Precision),
    /// As integers from -127 to 127 with one f32 scale for each vector along the last axis: a byte a
    /// number, and an error of at most a 127th of the vector's largest number. The scales are the
    /// tensor's [`scale_name`].
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

/// Largest integer that stands for a number.
const LARGEST: f32 = 127.0;

/// The tensor that holds the scales of an [`Int8`](Storage::Int8) tensor.
pub fn scale_name(name: &str) -> String {
    format!("{name}.int8_scale")
}

/// Numbers as integers, and a scale for each `length` of them.
///
/// A scale has the significant bits of bf16 and is never too large, so that numbers that were integers
/// with scales before become the same ones again.
///
/// Also what an [`Int8`](Storage::Int8) tensor's numbers are turned into again; integers are bytes in two's complement.
pub fn quantise(values: &[f32], length: usize) -> (Vec<u8>, Vec<f32>) {
    let mut bytes = Vec::with_capacity(values.len());
    let mut scales = Vec::with_capacity(values.len() / length.max(1));
    for vector in values.chunks(length.max(1)) {
        let largest = vector
            .iter()
            .fold(0.0_f32, |largest, value| largest.max(value.abs()));
        let exact = (largest / LARGEST).to_bits();
        let scale = bf16::from_bits((exact >> 16) as u16).to_f32();
        // A vector of zeros, or of numbers too small for the scale to be one.
        let scale = if scale.is_normal() { scale } else { 1.0 };
        scales.push(scale);
        bytes.extend(vector.iter().map(|value| {
            // WebAssembly has an instruction for it; rounding halves away from zero is a function.
            let integer = (value / scale).round_ties_even().clamp(-LARGEST, LARGEST);
            (integer as i8).to_le_bytes()[0]
        }));
    }
    (bytes, scales)
}

/// Undoes [`quantise`], save for the rounding.
pub(crate) fn dequantise(bytes: &[u8], scales: &[f32], length: usize) -> Vec<f32> {
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
            let (bytes, scales) = quantise(&values, length);
            let once = dequantise(&bytes, &scales, length);
            for (vector, rounded) in values.chunks(length).zip(once.chunks(length)) {
                let largest = vector.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
                for (value, rounded) in vector.iter().zip(rounded) {
                    prop_assert!((value - rounded).abs() <= largest / LARGEST);
                }
            }
            prop_assert_eq!(quantise(&once, length), (bytes, scales));
        }
    }

    #[test]
    fn zeros_stay_zeros() {
        let (bytes, scales) = quantise(&[0.0, -0.0, 1e-44], 3);
        assert_eq!(dequantise(&bytes, &scales, 3), [0.0; 3]);
    }
}
