//! Reading GGUF, the file format of llama.cpp: metadata, tensor list, and tensors as `f32`.
//!
//! Follows `docs/gguf.md` and `gguf.h` of ggml, versions 2 and 3, little endian. Bytes in, values out: the caller
//! brings the whole file, and nothing is copied until a tensor is dequantised. The bytes may come from anyone, so every
//! length and count is checked against the file before it is believed.

mod dequantise;
#[cfg(test)]
mod tests;
mod value;

use std::collections::BTreeMap;
use std::fmt;

pub use dequantise::BlockType;
pub use value::Value;

use value::Reader;

const MAGIC: [u8; 4] = *b"GGUF";
const DEFAULT_ALIGNMENT: u64 = 32;
/// `GGML_MAX_DIMS` of `ggml.h`.
const MAXIMUM_DIMENSIONS: u32 = 4;
/// Key length, type and one byte of value.
const MINIMUM_ENTRY_BYTES: u64 = 8 + 4 + 1;
/// Name length, dimension count, type and offset.
const MINIMUM_TENSOR_INFO_BYTES: u64 = 8 + 4 + 4 + 8;

/// Why a GGUF file could not be read. `file` is the name that the caller gave to [`Gguf::parse`].
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GgufError {
    /// The file does not start with the magic bytes.
    #[error("{file}: not a GGUF file: expected the bytes \"GGUF\" at the start, found \"{}\"", .found.escape_ascii())]
    WrongMagic {
        /// The file.
        file: String,
        /// Up to four bytes from its start.
        found: Vec<u8>,
    },
    /// The file ends before something that its header promises.
    #[error(
        "{file}: {field}: expected {needed} bytes at offset {offset}, found {available} before the end of the file"
    )]
    Truncated {
        /// The file.
        file: String,
        /// What was being read.
        field: String,
        /// Bytes that it takes, at least.
        needed: u64,
        /// Where it starts, in bytes from the start of the file.
        offset: u64,
        /// Bytes between there and the end of the file.
        available: u64,
    },
    /// A field, metadata value or tensor is not what it has to be.
    #[error("{file}: {field}: expected {expected}, found {found}")]
    Invalid {
        /// The file.
        file: String,
        /// The field, metadata key or tensor.
        field: String,
        /// What is allowed there.
        expected: String,
        /// What is there.
        found: String,
    },
    /// The file lacks a metadata key.
    #[error("{file}: no metadata {key:?}: expected {expected}, found no such key")]
    MissingKey {
        /// The file.
        file: String,
        /// The key.
        key: String,
        /// What its value would have to be.
        expected: &'static str,
    },
    /// The file lacks a tensor.
    #[error("{file}: no tensor {tensor:?} among the {count} tensors of the file")]
    MissingTensor {
        /// The file.
        file: String,
        /// The name that was asked for.
        tensor: String,
        /// How many tensors the file has.
        count: usize,
    },
    /// The tensor is packed in a way that this project does not read.
    #[error(
        "{file}: tensor {tensor:?}: expected a block type among {}, found type {type_id} ({type_name})",
        BlockType::ALL.map(BlockType::name).join(", ")
    )]
    UnsupportedType {
        /// The file.
        file: String,
        /// The tensor.
        tensor: String,
        /// Its number in `enum ggml_type`.
        type_id: u32,
        /// Its name in ggml, or `unknown`.
        type_name: &'static str,
    },
}

/// Where a tensor lies in the file, and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// Name, for example `blk.0.attn_q.weight`.
    pub name: String,
    /// Row-major shape, the last axis contiguous: a linear weight is `[out, in]`. (The file stores it reversed.)
    pub shape: Vec<usize>,
    /// Number in `enum ggml_type`. See [`TensorInfo::block_type`].
    pub type_id: u32,
    /// First byte, counted from the start of the file.
    pub offset: usize,
    /// How many bytes it takes, or `None` for an unsupported block type.
    pub byte_len: Option<usize>,
}

impl TensorInfo {
    /// How the values are packed, or `None` for a block type that is not supported.
    pub fn block_type(&self) -> Option<BlockType> {
        BlockType::from_type_id(self.type_id)
    }

    /// The name that ggml gives the block type, supported or not, or `unknown`.
    pub fn type_name(&self) -> &'static str {
        dequantise::type_name(self.type_id)
    }

    /// How many values the tensor holds: the product of its shape.
    pub fn element_count(&self) -> usize {
        let product = |product: usize, &size: &usize| product.saturating_mul(size);
        self.shape.iter().fold(1, product)
    }
}

/// A GGUF file: its header parsed, its tensors left where they are.
#[derive(Clone)]
pub struct Gguf<'a> {
    bytes: &'a [u8],
    source: String,
    version: u32,
    alignment: u64,
    metadata: BTreeMap<&'a str, Value<'a>>,
    tensors: Vec<TensorInfo>,
    positions: BTreeMap<&'a str, usize>,
}

impl<'a> Gguf<'a> {
    /// Parses the header of a whole file. `source` is the file name to show in errors.
    ///
    /// Succeeds on tensors of unsupported block types, so that they can be listed; only reading such a tensor fails.
    ///
    /// # Errors
    /// [`GgufError::WrongMagic`], [`GgufError::Truncated`] or [`GgufError::Invalid`]: the file is not GGUF, of another
    /// version, cut short (also if a tensor reaches past its end), or contradicts itself.
    pub fn parse(bytes: &'a [u8], source: &str) -> Result<Gguf<'a>, GgufError> {
        if !bytes.starts_with(&MAGIC) {
            return Err(GgufError::WrongMagic {
                file: source.to_owned(),
                found: bytes.iter().take(MAGIC.len()).copied().collect(),
            });
        }
        let mut reader = Reader::new(bytes, source);
        reader.field = "magic".to_owned();
        reader.u32()?;
        reader.field = "version".to_owned();
        let version = reader.u32()?;
        if !(2..=3).contains(&version) {
            // Version 1 had 32-bit lengths. A big-endian file shows its version with the bytes swapped.
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

        let metadata = read_metadata(&mut reader, entry_count)?;
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
                return Err(reader.invalid("a name of its own", "a second tensor of this name"));
            }
            tensors.push(locate(header, &reader, bytes.len(), data_start, alignment)?);
        }
        Ok(Gguf {
            bytes,
            source: source.to_owned(),
            version,
            alignment,
            metadata,
            tensors,
            positions,
        })
    }

    /// The name of the file in messages.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Version of the format, 2 or 3.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Every tensor starts at a multiple of this many bytes, counted from the end of the padded header.
    pub fn alignment(&self) -> u64 {
        self.alignment
    }

    /// All metadata by key. A key that has to be there is better read with [`Gguf::string`] and its siblings.
    pub fn metadata(&self) -> &BTreeMap<&'a str, Value<'a>> {
        &self.metadata
    }

    /// All tensors, in the order of the file.
    pub fn tensors(&self) -> &[TensorInfo] {
        &self.tensors
    }

    /// The text under a metadata key.
    ///
    /// # Errors
    /// [`GgufError::MissingKey`], or [`GgufError::Invalid`] if it is not a string.
    pub fn string(&self, key: &str) -> Result<&'a str, GgufError> {
        self.typed(key, "a string", Value::as_str)
    }

    /// The integer under a metadata key, whichever integer type it has.
    ///
    /// # Errors
    /// [`GgufError::MissingKey`], or [`GgufError::Invalid`] if it is not an integer or is negative.
    pub fn unsigned(&self, key: &str) -> Result<u64, GgufError> {
        self.typed(key, "an integer of zero or more", Value::as_u64)
    }

    /// The float under a metadata key, of either float type.
    ///
    /// # Errors
    /// [`GgufError::MissingKey`], or [`GgufError::Invalid`] if it is not a float.
    pub fn float(&self, key: &str) -> Result<f64, GgufError> {
        self.typed(key, "a float", Value::as_f64)
    }

    /// The texts of the array under a metadata key.
    ///
    /// # Errors
    /// [`GgufError::MissingKey`], or [`GgufError::Invalid`] if it is not an array or an element is not a string.
    pub fn strings(&self, key: &str) -> Result<Vec<&'a str>, GgufError> {
        self.elements(key, "an array of strings", Value::as_str)
    }

    /// The integers of the array under a metadata key, whichever integer type they have.
    ///
    /// # Errors
    /// [`GgufError::MissingKey`], or [`GgufError::Invalid`] if it is not an array or an element is not an integer or
    /// is negative.
    pub fn unsigneds(&self, key: &str) -> Result<Vec<u64>, GgufError> {
        self.elements(key, "an array of integers of zero or more", Value::as_u64)
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
                file: self.source.clone(),
                tensor: name.to_owned(),
                count: self.tensors.len(),
            })
    }

    /// The packed bytes of a tensor of this file. They are not aligned in memory.
    ///
    /// # Errors
    /// [`GgufError::UnsupportedType`] if nothing is known about how long such a tensor is, or
    /// [`GgufError::Truncated`] if `tensor` is of another file and does not fit this one.
    pub fn bytes(&self, tensor: &TensorInfo) -> Result<&'a [u8], GgufError> {
        let byte_len = tensor
            .byte_len
            .ok_or_else(|| self.unsupported_type(tensor))?;
        let rest = self.bytes.get(tensor.offset..).unwrap_or_default();
        rest.get(..byte_len).ok_or_else(|| GgufError::Truncated {
            file: self.source.clone(),
            field: format!("tensor {:?}", tensor.name),
            needed: byte_len as u64,
            offset: tensor.offset as u64,
            available: rest.len() as u64,
        })
    }

    /// The values of a tensor, row-major in its shape.
    ///
    /// # Errors
    /// [`GgufError::MissingTensor`], [`GgufError::UnsupportedType`], or [`GgufError::Invalid`] if memory has no room
    /// for the values.
    pub fn dequantise(&self, name: &str) -> Result<Vec<f32>, GgufError> {
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
        block_type.dequantise_into(bytes, &mut values);
        Ok(values)
    }

    /// The values of a query or key projection (weight or bias) of the Llama family, with its rows brought back from
    /// the order of llama.cpp into that of Hugging Face, see [`unpermute_rows`]. `heads` is the number of query heads
    /// for a query projection and of key-value heads for a key projection.
    ///
    /// # Errors
    /// Those of [`Gguf::dequantise`], and [`GgufError::Invalid`] if the rows do not make that many heads of even size.
    pub fn dequantise_unpermuted(&self, name: &str, heads: usize) -> Result<Vec<f32>, GgufError> {
        let tensor = self.tensor(name)?;
        let values = self.dequantise(name)?;
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
                file: self.source.clone(),
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
            file: self.source.clone(),
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
            file: self.source.clone(),
            field: format!("tensor {:?}", tensor.name),
            expected,
            found: found.into(),
        }
    }

    fn unsupported_type(&self, tensor: &TensorInfo) -> GgufError {
        GgufError::UnsupportedType {
            file: self.source.clone(),
            tensor: tensor.name.clone(),
            type_id: tensor.type_id,
            type_name: tensor.type_name(),
        }
    }
}

/// Without the bytes of the file, which may be many millions.
impl fmt::Debug for Gguf<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Gguf")
            .field("source", &self.source)
            .field("version", &self.version)
            .field("metadata", &self.metadata.len())
            .field("tensors", &self.tensors.len())
            .finish_non_exhaustive()
    }
}

/// Brings the rows of a query or key projection of the Llama family from the order of llama.cpp into that of Hugging
/// Face. Takes `rows * columns` values, row-major, and returns as many. For a packed weight, give its bytes and the
/// bytes of a row as `columns`; for a bias, one column. `None` if the rows do not make `heads` heads of even size, or
/// the values do not make `rows` rows of `columns`.
///
/// Rotary embedding turns the channels of a head two by two. Hugging Face pairs channel `i` of the first half of a
/// head with channel `i` of its second half; ggml pairs neighbours, `2 i` with `2 i + 1`. So `LlamaModel.permute` of
/// llama.cpp's `convert_hf_to_gguf.py` interleaves the two halves of every head, by
/// `reshape(heads, 2, rows / heads / 2, columns).swapaxes(1, 2)`, and here they are taken apart again. Qwen2 and other
/// families keep the order of Hugging Face in GGUF: leave them alone.
pub fn unpermute_rows<T: Copy>(
    weight: &[T],
    rows: usize,
    columns: usize,
    heads: usize,
) -> Option<Vec<T>> {
    let head_rows = rows.checked_div(heads)?;
    let fits = rows.checked_mul(columns) == Some(weight.len());
    if !fits || head_rows * heads != rows || head_rows % 2 != 0 {
        return None;
    }
    // Without columns there may be any number of rows or heads to loop over for nothing.
    if weight.is_empty() {
        return Some(Vec::new());
    }
    let mut unpermuted = Vec::with_capacity(weight.len());
    for head in 0..heads {
        for half in 0..2 {
            for pair in 0..head_rows / 2 {
                let stored_row = head * head_rows + 2 * pair + half;
                unpermuted.extend_from_slice(&weight[stored_row * columns..][..columns]);
            }
        }
    }
    Some(unpermuted)
}

/// A tensor as its header describes it, before it is known where the data of the file starts.
struct TensorHeader<'a> {
    name: &'a str,
    shape: Vec<usize>,
    type_id: u32,
    offset: u64,
}

fn read_metadata<'a>(
    reader: &mut Reader<'a, '_>,
    count: u64,
) -> Result<BTreeMap<&'a str, Value<'a>>, GgufError> {
    let mut metadata = BTreeMap::new();
    for index in 0..count {
        reader.field = format!("key of metadata entry {index}");
        let key = reader.name()?;
        reader.field = format!("metadata {key:?}");
        let value = reader.value()?;
        if metadata.insert(key, value).is_some() {
            return Err(reader.invalid("a key of its own", "a second entry of this key"));
        }
    }
    Ok(metadata)
}

fn read_tensor_headers<'a>(
    reader: &mut Reader<'a, '_>,
    count: u64,
) -> Result<Vec<TensorHeader<'a>>, GgufError> {
    let mut headers = Vec::new();
    for index in 0..count {
        reader.field = format!("name of tensor {index}");
        let name = reader.name()?;
        reader.field = format!("tensor {name:?}");
        let dimensions = reader.u32()?;
        if dimensions > MAXIMUM_DIMENSIONS {
            return Err(reader.invalid(
                format!("at most {MAXIMUM_DIMENSIONS} dimensions"),
                dimensions.to_string(),
            ));
        }
        let mut shape = Vec::with_capacity(dimensions as usize);
        for _ in 0..dimensions {
            let size = reader.u64()?;
            shape.push(usize::try_from(size).map_err(|_| {
                reader.invalid(
                    format!("dimensions of at most {}", usize::MAX),
                    size.to_string(),
                )
            })?);
        }
        // The file starts with the contiguous axis, everything else in this project ends with it.
        shape.reverse();
        headers.push(TensorHeader {
            name,
            shape,
            type_id: reader.u32()?,
            offset: reader.u64()?,
        });
    }
    Ok(headers)
}

/// Checks a tensor against the file: whole blocks, aligned, and within its end. The reader only words the errors.
/// `data_start` is `None` if it is beyond any file.
fn locate(
    header: TensorHeader<'_>,
    reader: &Reader<'_, '_>,
    file_len: usize,
    data_start: Option<u64>,
    alignment: u64,
) -> Result<TensorInfo, GgufError> {
    let TensorHeader {
        name,
        shape,
        type_id,
        offset,
    } = header;
    let count = shape
        .iter()
        .try_fold(1u64, |product, &size| product.checked_mul(size as u64))
        .filter(|&count| usize::try_from(count).is_ok())
        .ok_or_else(|| reader.invalid("a size that can be counted", format!("shape {shape:?}")))?;
    if !offset.is_multiple_of(alignment) {
        return Err(reader.invalid(
            format!("an offset that is a multiple of {alignment}"),
            offset.to_string(),
        ));
    }
    let byte_len = match BlockType::from_type_id(type_id) {
        None => None,
        Some(block_type) => {
            let row_values = shape.last().copied().unwrap_or(1);
            let block_values = block_type.block_values();
            if !row_values.is_multiple_of(block_values) {
                return Err(reader.invalid(
                    format!(
                        "rows of a multiple of {block_values} values for {}",
                        block_type.name()
                    ),
                    format!("shape {shape:?}"),
                ));
            }
            let blocks = count / block_values as u64;
            Some(blocks.saturating_mul(block_type.block_bytes() as u64))
        }
    };
    // Beyond 64 bits is beyond the end of any file, so saturating keeps the answer right.
    let start = data_start.unwrap_or(u64::MAX).saturating_add(offset);
    let needed = byte_len.unwrap_or(0);
    if start.saturating_add(needed) > file_len as u64 {
        return Err(GgufError::Truncated {
            file: reader.file().to_owned(),
            field: reader.field.clone(),
            needed,
            offset: start,
            available: (file_len as u64).saturating_sub(start),
        });
    }
    // Both are at most the length of a slice now, so they fit `usize`.
    Ok(TensorInfo {
        name: name.to_owned(),
        shape,
        type_id,
        offset: start as usize,
        byte_len: byte_len.map(|length| length as usize),
    })
}
