//! Choosing the burn device by name.

use burn::tensor::Device;

use crate::Error;

/// The device names that this build supports, `auto` first.
pub const DEVICE_NAMES: &[&str] = &[
    "auto",
    "cpu",
    #[cfg(feature = "wgpu")]
    "wgpu",
    #[cfg(feature = "cuda")]
    "cuda",
];

/// The burn device called `name`, with a readable description.
///
/// `auto` takes the fastest backend that was compiled in: CUDA, then wgpu, then the CPU.
///
/// # Errors
/// [`Error::UnknownDevice`] when `name` is not among [`DEVICE_NAMES`].
pub fn device(name: &str) -> Result<(Device, &'static str), Error> {
    match name {
        "cpu" => Ok((Device::flex(), "CPU (burn flex)")),
        #[cfg(feature = "wgpu")]
        "wgpu" => Ok((
            Device::wgpu(burn::tensor::DeviceKind::DefaultDevice),
            "GPU (burn wgpu)",
        )),
        #[cfg(feature = "cuda")]
        "cuda" => Ok((Device::cuda(0), "NVIDIA GPU (burn cuda)")),
        "auto" => device(DEVICE_NAMES[DEVICE_NAMES.len() - 1]),
        _ => Err(Error::UnknownDevice {
            name: name.to_owned(),
            available: DEVICE_NAMES.join(", "),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_device_lists_the_known_ones() {
        let message = device("tpu").unwrap_err().to_string();
        assert!(
            message.contains("tpu") && message.contains("cpu"),
            "{message}"
        );
    }

    #[test]
    fn auto_is_among_the_compiled_devices() {
        assert!(device("auto").is_ok());
    }
}
