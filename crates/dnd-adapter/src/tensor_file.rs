//! Reads and writes safetensors files, the container of adapters, bundles and models.
//!
//! The safetensors crate parses the header. This module checks the header against the file
//! length, because `SafeTensors::deserialize` (0.8) adds the declared lengths without an
//! overflow check.

use std::collections::HashMap;
use std::ops::Range;

use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo, TensorView};

use crate::error::Error;
use crate::precision::Precision;
use crate::storage::{Storage, dequantize, quantize, scale_name};

/// Size in bytes of the header length at the start of a file.
const LENGTH_BYTES: usize = 8;

/// How a file begins that Git left in the place of one that Git LFS stores.
pub(crate) const LFS_POINTER: &[u8] = b"version https://git-lfs";
/// What such a file is, for errors.
pub(crate) const LFS_POINTER_FOUND: &str =
    "a pointer of Git LFS, not the file itself; fetch it with `git lfs pull`";

/// A safetensors file in memory. Tensors are decoded on demand.
#[derive(Debug)]
pub struct TensorFile<'a> {
    file: String,
    metadata: Metadata,
    data: &'a [u8],
    /// Bytes of the file.
    length: usize,
}

/// One tensor of a file: row-major, f32 in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredTensor {
    /// Size of each axis.
    pub shape: Vec<usize>,
    /// The values, as many as the product of `shape`; all finite.
    pub data: Vec<f32>,
    /// Storage format in the file.
    pub storage: Storage,
}

impl<'a> TensorFile<'a> {
    /// Parses the header and checks that it describes exactly the remaining bytes; `source_name`
    /// names the file in errors.
    pub fn new(bytes: &'a [u8], file: &str) -> Result<Self, Error> {
        let broken = |reason: String| Error::Safetensors {
            source_name: file.to_owned(),
            reason,
        };
        if bytes.starts_with(LFS_POINTER) {
            return Err(broken(LFS_POINTER_FOUND.to_owned()));
        }
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
                "{claimed} bytes of tensors according to the header, but {} bytes after it",
                data.len()
            )));
        }
        Ok(TensorFile {
            file: file.to_owned(),
            metadata,
            data,
            length: bytes.len(),
        })
    }

    /// The file name used in errors.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Sorted tensor names, without the scales of int8 tensors.
    pub fn names(&self) -> Vec<String> {
        let mut names = self.metadata.offset_keys();
        let integers = names.iter().filter(|name| self.is_int8(name));
        let scales: Vec<String> = integers.map(|name| scale_name(name)).collect();
        names.retain(|name| !scales.contains(name));
        names.sort();
        names
    }

    fn is_int8(&self, name: &str) -> bool {
        let info = self.metadata.info(name);
        info.is_some_and(|info| info.dtype == Dtype::I8)
    }

    /// A metadata string.
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

    /// Decodes a tensor. Fails when it is missing, is not f32, f16, bf16 or int8 with scales,
    /// or contains a value that is not finite.
    pub fn tensor(&self, name: &str) -> Result<StoredTensor, Error> {
        let info = self.info(name)?;
        let storage = match Precision::from_dtype(info.dtype) {
            Some(precision) => Storage::Float(precision),
            None if info.dtype == Dtype::I8 => Storage::Int8,
            None => {
                return Err(Error::tensor(
                    &self.file,
                    name,
                    "type F32, F16, BF16, or I8 with scales",
                    format!("type {}", info.dtype),
                ));
            }
        };
        let (start, end) = info.data_offsets;
        let bytes = self.data.get(start..end).ok_or_else(|| {
            let expected = format!("offsets within {} bytes", self.data.len());
            Error::tensor(&self.file, name, expected, format!("{start}..{end}"))
        })?;
        let data = match storage {
            Storage::Float(precision) => precision.decode(bytes),
            Storage::Int8 => self.dequantize(name, &info.shape, bytes)?,
        };
        check_finite(&self.file, name, &data)?;
        Ok(StoredTensor {
            shape: info.shape.clone(),
            data,
            storage,
        })
    }

    /// Where the bytes of a tensor lie in the file, if it is f32, f16 or bf16.
    pub fn place(&self, name: &str) -> Option<(Precision, Range<usize>)> {
        let info = self.metadata.info(name)?;
        let (start, end) = info.data_offsets;
        // The data ends where the file does.
        let before = self.length - self.data.len();
        Some((
            Precision::from_dtype(info.dtype)?,
            before + start..before + end,
        ))
    }

    fn dequantize(&self, name: &str, shape: &[usize], bytes: &[u8]) -> Result<Vec<f32>, Error> {
        let scale = scale_name(name);
        let info = self.info(&scale)?;
        let (length, vectors) = last_axis(shape);
        if info.dtype != Dtype::F32 || info.shape != vectors {
            let expected = format!("type F32, shape {vectors:?}");
            let found = format!("type {}, shape {:?}", info.dtype, info.shape);
            return Err(Error::tensor(&self.file, &scale, expected, found));
        }
        let scales = self.tensor(&scale)?;
        Ok(dequantize(bytes, &scales.data, length))
    }

    fn info(&self, name: &str) -> Result<&TensorInfo, Error> {
        self.metadata
            .info(name)
            .ok_or_else(|| Error::tensor(&self.file, name, "a tensor of this name", "none"))
    }
}

/// Writes a safetensors file of `tensors` (name, shape, values, storage) and one metadata
/// entry. The output is deterministic: tensors are sorted by type, then by name.
///
/// Fails when a value is not finite, or too large for its type. `source_name` names the file in
/// errors.
pub fn write<'a>(
    file: &str,
    tensors: impl IntoIterator<Item = (String, &'a [usize], &'a [f32], Storage)>,
    metadata: (&str, String),
) -> Result<Vec<u8>, Error> {
    let broken = |error: safetensors::SafeTensorError| Error::Safetensors {
        source_name: file.to_owned(),
        reason: error.to_string(),
    };
    let mut encoded = Vec::new();
    for (name, shape, data, storage) in tensors {
        check_finite(file, &name, data)?;
        let precision = match storage {
            Storage::Float(precision) => precision,
            Storage::Int8 => {
                let (length, vectors) = last_axis(shape);
                let (bytes, scales) = quantize(data, length);
                let scales = Precision::F32.encode(&scales);
                encoded.push((scale_name(&name), vectors.to_vec(), Dtype::F32, scales));
                encoded.push((name, shape.to_vec(), Dtype::I8, bytes));
                continue;
            }
        };
        if precision == Precision::F16 {
            let largest = data
                .iter()
                .fold(0.0_f32, |largest, value| largest.max(value.abs()));
            if half::f16::from_f32(largest).is_infinite() {
                return Err(Error::tensor(
                    file,
                    name,
                    "values in the range of f16",
                    largest,
                ));
            }
        }
        let bytes = precision.encode(data);
        encoded.push((name, shape.to_vec(), precision.dtype(), bytes));
    }
    let mut views = Vec::with_capacity(encoded.len());
    for (name, shape, dtype, bytes) in &encoded {
        let view = TensorView::new(*dtype, shape.clone(), bytes).map_err(broken)?;
        views.push((name.as_str(), view));
    }
    let (key, text) = metadata;
    let metadata = HashMap::from([(key.to_owned(), text)]);
    safetensors::serialize(views, Some(metadata)).map_err(broken)
}

/// The last axis, and all other axes.
fn last_axis(shape: &[usize]) -> (usize, &[usize]) {
    shape
        .split_last()
        .map_or((1, shape), |(length, vectors)| (*length, vectors))
}

fn check_finite(file: &str, name: &str, data: &[f32]) -> Result<(), Error> {
    match data.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(index) => {
            let found = format!("{} at index {index}", data[index]);
            Err(Error::tensor(file, name, "finite values", found))
        }
    }
}

#[cfg(test)]
mod tests;
