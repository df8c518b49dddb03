//! Operations that kernels apply to a result before writing it.

use burn::tensor::Tensor;

/// The epilogue of a linear layer, applied after the bias.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "short-lived, one per call")]
pub enum LinearEpilogue {
    /// None.
    Identity,
    /// GELU, with the exact error function.
    Gelu,
    /// Adds a residual (rows, output).
    Residual(Tensor<2>),
}

/// The epilogue of a convolution.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "short-lived, one per call")]
pub enum ConvolutionEpilogue {
    /// None.
    Identity,
    /// (tanh(product) + other + bias) / 3; `bias` has the last two axes of the result.
    Combine {
        /// Of the shape of the result.
        other: Tensor<4>,
        /// (second axis, third axis).
        bias: Tensor<2>,
    },
    /// Adds a bias per channel, and the residual if there is one.
    Bias {
        /// (channels).
        bias: Tensor<1>,
        /// Of the shape of the result.
        residual: Option<Tensor<4>>,
    },
}
