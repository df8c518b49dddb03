//! What kernels do to a product before it is written.

use burn::tensor::Tensor;

/// The epilogue of a linear layer, after its bias.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "it lives no longer than a call")]
pub enum LinearEpilogue {
    /// None.
    Identity,
    /// GELU, with the exact error function.
    Gelu,
    /// A residual connection: these (rows, output) are added.
    Residual(Tensor<2>),
}

/// The epilogue of a convolution.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "it lives no longer than a call")]
pub enum ConvolutionEpilogue {
    /// None.
    Identity,
    /// (tanh(product) + other + bias) / 3; `bias` has the last two axes of the result.
    Combine {
        /// As the result.
        other: Tensor<4>,
        /// (second axis, third axis).
        bias: Tensor<2>,
    },
    /// A bias for each channel is added, and a residual if there is one.
    Bias {
        /// (channels).
        bias: Tensor<1>,
        /// As the result.
        residual: Option<Tensor<4>>,
    },
}
