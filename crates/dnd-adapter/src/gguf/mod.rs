//! GGUF, the file format of llama.cpp: reads metadata, the tensor list, and tensors as `f32`;
//! writes [adapters](lora) and [merged models](merge).
//!
//! Follows `docs/gguf.md` and `gguf.h` of ggml, versions 2 and 3, little endian. The caller
//! passes the whole file as bytes; tensor data is not copied until it is dequantized. The bytes
//! are untrusted, so every length and count is checked against the file before use.

mod dequantize;
mod error;
mod header;
pub mod lora;
mod merge;
mod permutation;
mod reader;
mod tensor_info;
#[cfg(test)]
mod tests;
mod value;
mod writer;

use std::collections::BTreeMap;
use std::fmt;

pub use dequantize::BlockType;
pub use error::GgufError;
pub use merge::{MergedType, merge};
pub use permutation::{permute_rows, unpermute_rows};
pub use tensor_info::TensorInfo;
pub use value::Value;
pub use writer::GgufWriter;

use crate::tensor_file::{LFS_POINTER, LFS_POINTER_FOUND};
use header::{locate, read_metadata, read_tensor_headers};
use reader::Reader;

const MAGIC: [u8; 4] = *b"GGUF";
const DEFAULT_ALIGNMENT: u64 = 32;
/// Key length, type and a value of one byte.
const MINIMUM_ENTRY_BYTES: u64 = 8 + 4 + 1;
/// Name length, dimension count, type and offset.
const MINIMUM_TENSOR_INFO_BYTES: u64 = 8 + 4 + 4 + 8;

/// A GGUF file with a parsed header; tensors stay in the input bytes.
#[derive(Clone)]
pub struct Gguf<'a> {
    bytes: &'a [u8],
    source_name: String,
    version: u32,
    alignment: u64,
    metadata: BTreeMap<&'a str, Value<'a>>,
    entries: Vec<(&'a str, &'a [u8])>,
    tensors: Vec<TensorInfo>,
    positions: BTreeMap<&'a str, usize>,
}

impl<'a> Gguf<'a> {
    /// Parses the header of a whole file. `source_name` is the file name for errors.
    ///
    /// Tensors of unsupported block types are accepted, so that they can be listed; only
    /// reading one fails.
    ///
    /// # Errors
    /// [`GgufError::WrongMagic`], [`GgufError::Truncated`] or [`GgufError::Invalid`]: the file
    /// is not GGUF, has an unsupported version, is truncated (also if a tensor extends past its
    /// end), or is inconsistent.
    pub fn parse(bytes: &'a [u8], source_name: &str) -> Result<Gguf<'a>, GgufError> {
        if bytes.starts_with(LFS_POINTER) {
            let mut reader = Reader::new(bytes, source_name);
            reader.field = "magic".to_owned();
            return Err(reader.invalid("a GGUF file", LFS_POINTER_FOUND));
        }
        if !bytes.starts_with(&MAGIC) {
            return Err(GgufError::WrongMagic {
                source_name: source_name.to_owned(),
                found: bytes.iter().take(MAGIC.len()).copied().collect(),
            });
        }
        let mut reader = Reader::new(bytes, source_name);
        reader.field = "magic".to_owned();
        reader.u32()?;
        reader.field = "version".to_owned();
        let version = reader.u32()?;
        if !(2..=3).contains(&version) {
            // Version 1 had 32-bit lengths. A big-endian file has the version bytes swapped.
            let found = match version.swap_bytes() {
                swapped @ 2..=3 => format!("version {swapped} in big endian"),
                _ => version.to_string(),
            };
            return Err(reader.invalid("2 or 3 in little endian", found));
        }
        reader.field = "tensor count".to_owned();
        let tensor_count = reader.count(MINIMUM_TENSOR_INFO_BYTES)?;
        reader.field = "metadata count".to_owned();
        let entry_count = reader.count(MINIMUM_ENTRY_BYTES)?;

        let (metadata, entries) = read_metadata(&mut reader, entry_count)?;
        reader.field = "metadata \"general.alignment\"".to_owned();
        let alignment = match metadata.get("general.alignment") {
            None => DEFAULT_ALIGNMENT,
            Some(value) => match value.as_u64() {
                Some(alignment) if alignment.is_power_of_two() => alignment,
                _ => return Err(reader.invalid("a power of two", value.to_string())),
            },
        };

        let headers = read_tensor_headers(&mut reader, tensor_count)?;
        let data_start = (reader.position() as u64).checked_next_multiple_of(alignment);
        let mut tensors = Vec::with_capacity(headers.len());
        let mut positions = BTreeMap::new();
        for header in headers {
            reader.field = format!("tensor {:?}", header.name);
            if positions.insert(header.name, tensors.len()).is_some() {
                return Err(reader.invalid("a unique name", "a second tensor of this name"));
            }
            tensors.push(locate(header, &reader, bytes.len(), data_start, alignment)?);
        }
        Ok(Gguf {
            bytes,
            source_name: source_name.to_owned(),
            version,
            alignment,
            metadata,
            entries,
            tensors,
            positions,
        })
    }

    /// The file name used in errors.
    pub fn source(&self) -> &str {
        &self.source_name
    }

    /// Format version, 2 or 3.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Alignment of tensors in bytes, relative to the end of the padded header.
    pub fn alignment(&self) -> u64 {
        self.alignment
    }

    /// All metadata by key. For a required key use [`Gguf::string`] and its siblings.
    pub fn metadata(&self) -> &BTreeMap<&'a str, Value<'a>> {
        &self.metadata
    }

    /// All metadata in file order: the key, and the bytes of key, type and value.
    pub fn entries(&self) -> &[(&'a str, &'a [u8])] {
        &self.entries
    }

    /// All tensors in file order.
    pub fn tensors(&self) -> &[TensorInfo] {
        &self.tensors
    }

    /// The string under a metadata key.
    ///
    /// # Errors
    /// [`GgufError::MissingKey`], or [`GgufError::Invalid`] if it is not a string.
    pub fn string(&self, key: &str) -> Result<&'a str, GgufError> {
        self.typed(key, "a string", Value::as_str)
    }

    /// The integer under a metadata key, of any integer type.
    ///
    /// # Errors
    /// [`GgufError::MissingKey`], or [`GgufError::Invalid`] if it is not an integer or is
    /// negative.
    pub fn unsigned(&self, key: &str) -> Result<u64, GgufError> {
        self.typed(key, "a non-negative integer", Value::as_u64)
    }

    /// The float under a metadata key, of either float type.
    ///
    /// # Errors
    /// [`GgufError::MissingKey`], or [`GgufError::Invalid`] if it is not a float.
    pub fn float(&self, key: &str) -> Result<f64, GgufError> {
        self.typed(key, "a float", Value::as_f64)
    }

    /// The strings of the array under a metadata key.
    ///
    /// # Errors
    /// [`GgufError::MissingKey`], or [`GgufError::Invalid`] if it is not an array of strings.
    pub fn strings(&self, key: &str) -> Result<Vec<&'a str>, GgufError> {
        self.elements(key, "an array of strings", Value::as_str)
    }

    /// The integers of the array under a metadata key, of any integer type.
    ///
    /// # Errors
    /// [`GgufError::MissingKey`], or [`GgufError::Invalid`] if it is not an array of
    /// non-negative integers.
    pub fn unsigneds(&self, key: &str) -> Result<Vec<u64>, GgufError> {
        self.elements(key, "an array of non-negative integers", Value::as_u64)
    }

    /// The tensor of this name.
    ///
    /// # Errors
    /// [`GgufError::MissingTensor`].
    pub fn tensor(&self, name: &str) -> Result<&TensorInfo, GgufError> {
        let position = self.positions.get(name);
        position
            .and_then(|&position| self.tensors.get(position))
            .ok_or_else(|| GgufError::MissingTensor {
                source_name: self.source_name.clone(),
                tensor: name.to_owned(),
                count: self.tensors.len(),
            })
    }

    /// The packed bytes of a tensor of this file. They are not aligned in memory.
    ///
    /// # Errors
    /// [`GgufError::UnsupportedType`] if the block type, and so the length, is unknown, or
    /// [`GgufError::Truncated`] if `tensor` belongs to another file and is out of range here.
    pub fn bytes(&self, tensor: &TensorInfo) -> Result<&'a [u8], GgufError> {
        let byte_len = tensor
            .byte_len
            .ok_or_else(|| self.unsupported_type(tensor))?;
        let rest = self.bytes.get(tensor.offset..).unwrap_or_default();
        rest.get(..byte_len).ok_or_else(|| GgufError::Truncated {
            source_name: self.source_name.clone(),
            field: format!("tensor {:?}", tensor.name),
            needed: byte_len as u64,
            offset: tensor.offset as u64,
            available: rest.len() as u64,
        })
    }

    /// The values of a tensor, row-major.
    ///
    /// # Errors
    /// [`GgufError::MissingTensor`], [`GgufError::UnsupportedType`], or [`GgufError::Invalid`]
    /// if the values do not fit in memory.
    pub fn dequantize(&self, name: &str) -> Result<Vec<f32>, GgufError> {
        let tensor = self.tensor(name)?;
        let block_type = tensor
            .block_type()
            .ok_or_else(|| self.unsupported_type(tensor))?;
        let bytes = self.bytes(tensor)?;
        let count = tensor.element_count();
        let mut values = Vec::new();
        values.try_reserve_exact(count).map_err(|_| {
            self.invalid_tensor(tensor, format!("memory for {count} values"), "too little")
        })?;
        values.resize(count, 0.0);
        block_type.dequantize_into(bytes, &mut values);
        Ok(values)
    }

    /// The values of a query or key projection (weight or bias) of the Llama family, with rows
    /// reordered from llama.cpp's order to that of Hugging Face, see [`unpermute_rows`].
    /// `heads` is the number of query heads for a query projection and of key-value heads for a
    /// key projection.
    ///
    /// # Errors
    /// Those of [`Gguf::dequantize`], and [`GgufError::Invalid`] if the rows do not split into
    /// `heads` heads of even size.
    pub fn dequantize_unpermuted(&self, name: &str, heads: usize) -> Result<Vec<f32>, GgufError> {
        let tensor = self.tensor(name)?;
        let values = self.dequantize(name)?;
        let rows = tensor.shape.first().copied().unwrap_or(1);
        let columns = tensor.element_count().checked_div(rows).unwrap_or_default();
        unpermute_rows(&values, rows, columns, heads).ok_or_else(|| {
            let expected = format!("rows for {heads} heads of even size");
            self.invalid_tensor(tensor, expected, format!("{rows} rows"))
        })
    }

    fn typed<'v, T>(
        &'v self,
        key: &str,
        expected: &'static str,
        convert: impl Fn(&'v Value<'a>) -> Option<T>,
    ) -> Result<T, GgufError> {
        let value = self
            .metadata
            .get(key)
            .ok_or_else(|| GgufError::MissingKey {
                source_name: self.source_name.clone(),
                key: key.to_owned(),
                expected,
            })?;
        convert(value).ok_or_else(|| self.invalid_value(key, expected, value.kind()))
    }

    fn elements<T>(
        &self,
        key: &str,
        expected: &'static str,
        convert: impl Fn(&Value<'a>) -> Option<T>,
    ) -> Result<Vec<T>, GgufError> {
        let elements = self.typed(key, expected, |value| value.as_array())?;
        let converted = elements.iter().enumerate().map(|(index, element)| {
            convert(element).ok_or_else(|| {
                let found = format!("{} at position {index}", element.kind());
                self.invalid_value(key, expected, found)
            })
        });
        converted.collect()
    }

    fn invalid_value(&self, key: &str, expected: &str, found: impl Into<String>) -> GgufError {
        GgufError::Invalid {
            source_name: self.source_name.clone(),
            field: format!("metadata {key:?}"),
            expected: expected.to_owned(),
            found: found.into(),
        }
    }

    fn invalid_tensor(
        &self,
        tensor: &TensorInfo,
        expected: String,
        found: impl Into<String>,
    ) -> GgufError {
        GgufError::Invalid {
            source_name: self.source_name.clone(),
            field: format!("tensor {:?}", tensor.name),
            expected,
            found: found.into(),
        }
    }

    fn unsupported_type(&self, tensor: &TensorInfo) -> GgufError {
        GgufError::UnsupportedType {
            source_name: self.source_name.clone(),
            tensor: tensor.name.clone(),
            type_id: tensor.type_id,
            type_name: tensor.type_name(),
        }
    }
}

/// Omits the bytes of the file.
impl fmt::Debug for Gguf<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Gguf")
            .field("source", &self.source_name)
            .field("version", &self.version)
            .field("metadata", &self.metadata.len())
            .field("tensors", &self.tensors.len())
            .finish_non_exhaustive()
    }
}
