//! Frozen linear layers and the dtype of their matrix products.

use std::sync::Arc;

use burn::tensor::{Device, Tensor};
use dnd_kernels::{FrozenMatrix, HalfMatrix, Quantized, bf16};
use serde::{Deserialize, Serialize};

use crate::lora::LoraFactors;
use crate::{Error, Weights};

/// Number format of matrix products with frozen weights; sums are kept in f32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MatmulDtype {
    /// 24 bits of precision.
    #[default]
    F32,
    /// 8 bits of precision, common for language models. Several times as fast on a CPU with
    /// matrix instructions for it.
    Bf16,
    /// As the model's file has them: matrices in 4 or 8 bits stay so in memory, and on the CPU
    /// those in 16 bits stay in the file, which is mapped; others are f32. On the CPU and on
    /// devices that run WGSL; elsewhere all are f32.
    Stored,
}

impl MatmulDtype {
    /// `Bf16` if `device` has fast bfloat16 products in this build, else `F32`.
    pub fn fastest(device: &Device) -> Self {
        if *device == Device::flex() && bf16::is_available() {
            Self::Bf16
        } else {
            Self::F32
        }
    }

    /// The matrix `name` (output, input) as the file has it quantized, if this dtype keeps it.
    pub(super) fn quantized(
        self,
        weights: &Weights,
        name: &str,
        shape: [usize; 2],
    ) -> Option<Arc<Quantized>> {
        let is_kept = self == Self::Stored;
        let matrix = is_kept.then(|| weights.quantized(name, shape)).flatten();
        matrix.map(Arc::new)
    }

    /// The matrix `name` (output, input) as the file has it in 16 bits, if this dtype keeps it.
    pub(super) fn half(
        self,
        weights: &Weights,
        name: &str,
        shape: [usize; 2],
        device: &Device,
    ) -> Result<Option<HalfMatrix>, Error> {
        if self != Self::Stored || *device != Device::flex() {
            return Ok(None);
        }
        weights.half(name, shape)
    }

    /// Loads the matrix `name` (output, input) for products of this dtype.
    ///
    /// # Errors
    /// When it is missing or has the wrong shape, or the device does not support this dtype.
    pub(super) fn matrix(
        self,
        weights: &Weights,
        name: &str,
        shape: [usize; 2],
        device: &Device,
    ) -> Result<FrozenMatrix, Error> {
        let quantized = self.quantized(weights, name, shape);
        if let Some(matrix) = quantized.and_then(|matrix| FrozenMatrix::quantized(&matrix, device))
        {
            return Ok(matrix);
        }
        if let Some(matrix) = self.half(weights, name, shape, device)? {
            return Ok(FrozenMatrix::stored_half(matrix));
        }
        match self {
            Self::F32 | Self::Stored if *device == Device::flex() => Ok(FrozenMatrix::packed_f32(
                &weights.values(name, &shape)?,
                shape,
            )),
            Self::F32 | Self::Stored => Ok(FrozenMatrix::new(weights.tensor(name, shape, device)?)),
            Self::Bf16 => {
                if *device != Device::flex() {
                    let found = "another device";
                    return Err(Error::NoBf16 { found });
                }
                let matrix = FrozenMatrix::packed_bf16(&weights.values(name, &shape)?, shape);
                let found = "a CPU or system without it";
                matrix.ok_or(Error::NoBf16 { found })
            }
        }
    }
}

/// A frozen linear layer, to which an adapter can be applied.
pub(super) struct Linear {
    /// (output, input), as stored.
    weight: FrozenMatrix,
    /// (1, output).
    bias: Option<Tensor<2>>,
}

impl Linear {
    pub(super) fn load(
        weights: &Weights,
        name: &str,
        shape: [usize; 2],
        matmul_dtype: MatmulDtype,
        device: &Device,
    ) -> Result<Self, Error> {
        let [output, _] = shape;
        let bias_name = format!("{name}.bias");
        let bias = weights
            .contains(&bias_name)
            .then(|| weights.tensor::<1>(&bias_name, [output], device))
            .transpose()?;
        Ok(Self {
            weight: matmul_dtype.matrix(weights, &format!("{name}.weight"), shape, device)?,
            bias: bias.map(|bias| bias.reshape([1, output])),
        })
    }

    /// (rows, input) to (rows, output).
    pub(super) fn forward(&self, input: Tensor<2>, lora: Option<&LoraFactors>) -> Tensor<2> {
        let output = match lora {
            Some(LoraFactors { a, b, scaling }) => {
                self.weight.adapted(input, a.clone(), b.clone(), *scaling)
            }
            None => self.weight.product(input),
        };
        match &self.bias {
            Some(bias) => output + bias.clone(),
            None => output,
        }
    }
}
