//! Floating-point formats of stored tensors.

use std::fmt;

use half::{bf16, f16};
use safetensors::Dtype;
use serde::{Deserialize, Serialize};

/// Floating-point format of a stored tensor. In memory values are always f32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// IEEE 754 single precision, 4 bytes.
    F32,
    /// IEEE 754 half precision, 2 bytes: up to 65,504, 11 significant bits.
    F16,
    /// bfloat16, 2 bytes: the range of f32, 8 significant bits.
    Bf16,
}

impl Precision {
    /// The precision of a safetensors type; `None` for other types.
    pub fn from_dtype(dtype: Dtype) -> Option<Self> {
        match dtype {
            Dtype::F32 => Some(Precision::F32),
            Dtype::F16 => Some(Precision::F16),
            Dtype::BF16 => Some(Precision::Bf16),
            _ => None,
        }
    }

    /// The safetensors type.
    pub fn dtype(self) -> Dtype {
        match self {
            Precision::F32 => Dtype::F32,
            Precision::F16 => Dtype::F16,
            Precision::Bf16 => Dtype::BF16,
        }
    }

    /// Encodes values as little-endian bytes, rounded to nearest, ties to even. Values out of
    /// range become infinite.
    pub fn encode(self, values: &[f32]) -> Vec<u8> {
        match self {
            Precision::F32 => values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect(),
            Precision::F16 => values
                .iter()
                .flat_map(|&value| f16::from_f32(value).to_le_bytes())
                .collect(),
            Precision::Bf16 => values
                .iter()
                .flat_map(|&value| bf16::from_f32(value).to_le_bytes())
                .collect(),
        }
    }

    /// Decodes little-endian bytes, exactly. An incomplete value at the end is ignored.
    pub fn decode(self, bytes: &[u8]) -> Vec<f32> {
        let pairs = bytes.as_chunks::<2>().0.iter().copied();
        match self {
            Precision::F32 => bytes
                .as_chunks::<4>()
                .0
                .iter()
                .copied()
                .map(f32::from_le_bytes)
                .collect(),
            Precision::F16 => pairs
                .map(|pair| f16::from_le_bytes(pair).to_f32())
                .collect(),
            Precision::Bf16 => pairs
                .map(|pair| bf16::from_le_bytes(pair).to_f32())
                .collect(),
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Precision::F32 => "f32",
            Precision::F16 => "f16",
            Precision::Bf16 => "bf16",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_every_format_holds_survive() {
        let values = [0.0, -0.0, 1.0, -1.5, 0.25, 96.0];
        for precision in [Precision::F32, Precision::F16, Precision::Bf16] {
            assert_eq!(precision.decode(&precision.encode(&values)), values);
            assert_eq!(Precision::from_dtype(precision.dtype()), Some(precision));
        }
        assert_eq!(Precision::from_dtype(Dtype::I8), None);
    }

    #[test]
    fn every_half_survives() {
        let bytes: Vec<u8> = (0..=u16::MAX)
            .filter(|&bits| f16::from_bits(bits).is_finite())
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(Precision::F16.encode(&Precision::F16.decode(&bytes)), bytes);
    }

    #[test]
    fn overflow_is_infinite() {
        let bytes = Precision::F16.encode(&[1e6]);
        assert_eq!(Precision::F16.decode(&bytes), [f32::INFINITY]);
    }
}
