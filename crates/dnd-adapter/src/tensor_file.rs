//! Reading and writing safetensors files: the container of adapters, bundles and models.
//!
//! The header is parsed by the safetensors crate. That it agrees with the length of the file is checked
//! here, because `SafeTensors::deserialize` (0.8) adds the lengths that a header claims without checking
//! for overflow.

use std::collections::HashMap;

use safetensors::tensor::{Metadata, TensorInfo, TensorView};

use crate::error::Error;
use crate::precision::Precision;

/// Bytes of the header length at the start of a file.
const LENGTH_BYTES: usize = 8;

/// A safetensors file in memory, with its name for errors. Tensors are decoded when asked for.
#[derive(Debug)]
pub struct TensorFile<'a> {
    file: String,
    metadata: Metadata,
    data: &'a [u8],
}

/// One tensor of a file: row-major, f32 in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredTensor {
    /// Length of every axis.
    pub shape: Vec<usize>,
    /// The numbers, as many as the product of `shape`; all finite.
    pub data: Vec<f32>,
    /// How they are stored.
    pub precision: Precision,
}

impl<'a> TensorFile<'a> {
    /// Reads the header and checks that it describes exactly the bytes that follow it.
    pub fn new(bytes: &'a [u8], file: &str) -> Result<Self, Error> {
        let broken = |reason: String| Error::Safetensors {
            file: file.to_owned(),
            reason,
        };
        let (length, rest) = bytes
            .split_first_chunk::<LENGTH_BYTES>()
            .ok_or_else(|| broken(format!("{} bytes, too few for a header", bytes.len())))?;
        let length = u64::from_le_bytes(*length);
        let (header, data) = usize::try_from(length)
            .ok()
            .and_then(|length| rest.split_at_checked(length))
            .ok_or_else(|| {
                broken(format!(
                    "a header of {length} bytes in a file of {}",
                    bytes.len()
                ))
            })?;
        let metadata: Metadata =
            serde_json::from_slice(header).map_err(|error| broken(error.to_string()))?;
        if metadata.data_len() != data.len() {
            let claimed = metadata.data_len();
            return Err(broken(format!(
                "tensors of {claimed} bytes by the header, but {} bytes after it",
                data.len()
            )));
        }
        Ok(TensorFile {
            file: file.to_owned(),
            metadata,
            data,
        })
    }

    /// The name that the file goes by in errors.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Tensor names, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names = self.metadata.offset_keys();
        names.sort();
        names
    }

    /// A text in the file's metadata.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.metadata
            .metadata()
            .as_ref()?
            .get(key)
            .map(String::as_str)
    }

    /// The shape of a tensor.
    pub fn shape(&self, name: &str) -> Result<&[usize], Error> {
        Ok(&self.info(name)?.shape)
    }

    /// Decodes a tensor. Fails when it is missing, is of another type than f32, f16 and bf16, or holds a
    /// number that is not finite.
    pub fn tensor(&self, name: &str) -> Result<StoredTensor, Error> {
        let info = self.info(name)?;
        let precision = Precision::from_dtype(info.dtype).ok_or_else(|| {
            Error::tensor(
                &self.file,
                name,
                "type F32, F16 or BF16",
                format!("type {}", info.dtype),
            )
        })?;
        let (start, end) = info.data_offsets;
        let bytes = self.data.get(start..end).ok_or_else(|| {
            let expected = format!("offsets within {} bytes", self.data.len());
            Error::tensor(&self.file, name, expected, format!("{start}..{end}"))
        })?;
        let data = precision.decode(bytes);
        check_finite(&self.file, name, &data)?;
        Ok(StoredTensor {
            shape: info.shape.clone(),
            data,
            precision,
        })
    }

    fn info(&self, name: &str) -> Result<&TensorInfo, Error> {
        self.metadata
            .info(name)
            .ok_or_else(|| Error::tensor(&self.file, name, "to be in the file", "nothing"))
    }
}

/// A safetensors file of `tensors` (name, shape, numbers, precision) and one metadata entry. The bytes
/// depend on nothing else: tensors are sorted by precision, then by name.
///
/// Fails when a number is not finite, or too large for its precision. `file` names the file in errors.
pub fn write<'a>(
    file: &str,
    tensors: impl IntoIterator<Item = (String, &'a [usize], &'a [f32], Precision)>,
    metadata: (&str, String),
) -> Result<Vec<u8>, Error> {
    let broken = |error: safetensors::SafeTensorError| Error::Safetensors {
        file: file.to_owned(),
        reason: error.to_string(),
    };
    let mut encoded = Vec::new();
    for (name, shape, data, precision) in tensors {
        check_finite(file, &name, data)?;
        let bytes = precision.encode(data);
        if precision == Precision::F16 {
            let largest = data
                .iter()
                .fold(0.0_f32, |largest, value| largest.max(value.abs()));
            if half::f16::from_f32(largest).is_infinite() {
                return Err(Error::tensor(file, name, "numbers that fit f16", largest));
            }
        }
        encoded.push((name, shape, precision, bytes));
    }
    let mut views = Vec::with_capacity(encoded.len());
    for (name, shape, precision, bytes) in &encoded {
        let view = TensorView::new(precision.dtype(), shape.to_vec(), bytes).map_err(broken)?;
        views.push((name.as_str(), view));
    }
    let (key, text) = metadata;
    let metadata = HashMap::from([(key.to_owned(), text)]);
    safetensors::serialize(views, Some(metadata)).map_err(broken)
}

fn check_finite(file: &str, name: &str, data: &[f32]) -> Result<(), Error> {
    match data.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(index) => {
            let found = format!("{} at index {index}", data[index]);
            Err(Error::tensor(file, name, "finite numbers", found))
        }
    }
}

#[cfg(test)]
mod tests;
