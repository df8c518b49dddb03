//! Single numbers from tensors, and their means.

use burn::tensor::Tensor;

use crate::Error;

/// The only number of a tensor.
///
/// # Errors
/// When it cannot be read back from the device.
pub(crate) fn scalar(tensor: Tensor<1>) -> Result<f32, Error> {
    Ok(tensor
        .try_into_scalar::<f32>()
        .map_err(dnd_model::Error::device)?)
}

/// The mean of numbers; of none it is zero.
pub(crate) fn mean(values: &[f32]) -> f32 {
    values.iter().sum::<f32>() / values.len().max(1) as f32
}
