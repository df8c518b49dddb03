//! Reads the metadata and the tensor list.

use std::collections::BTreeMap;

use super::{BlockType, GgufError, TensorInfo};
use super::{Value, reader::Reader};

/// `GGML_MAX_DIMS` of `ggml.h`.
const MAXIMUM_DIMENSIONS: u32 = 4;

/// A tensor entry of the header; its offset counts from the start of the tensor data.
pub(super) struct TensorHeader<'a> {
    pub(super) name: &'a str,
    shape: Vec<usize>,
    type_id: u32,
    offset: u64,
}

/// Metadata by key, and the bytes of each entry in file order.
type Metadata<'a> = (BTreeMap<&'a str, Value<'a>>, Vec<(&'a str, &'a [u8])>);

pub(super) fn read_metadata<'a>(
    reader: &mut Reader<'a, '_>,
    count: u64,
) -> Result<Metadata<'a>, GgufError> {
    let mut metadata = BTreeMap::new();
    let mut entries = Vec::new();
    for index in 0..count {
        reader.field = format!("key of metadata entry {index}");
        let start = reader.position();
        let key = reader.name()?;
        reader.field = format!("metadata {key:?}");
        let value = reader.value()?;
        if metadata.insert(key, value).is_some() {
            return Err(reader.invalid("a unique key", "a second entry with this key"));
        }
        entries.push((key, reader.since(start)));
    }
    Ok((metadata, entries))
}

pub(super) fn read_tensor_headers<'a>(
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
        // GGUF lists the contiguous axis first; the rest of this project lists it last.
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

/// Checks that a tensor has whole blocks, is aligned and ends within the file. `reader` only
/// serves to build errors. `data_start` is `None` if it overflows `u64`.
pub(super) fn locate(
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
    // Saturating is enough: no file has 2^64 bytes.
    let start = data_start.unwrap_or(u64::MAX).saturating_add(offset);
    let needed = byte_len.unwrap_or(0);
    if start.saturating_add(needed) > file_len as u64 {
        return Err(GgufError::Truncated {
            source_name: reader.file().to_owned(),
            field: reader.field.clone(),
            needed,
            offset: start,
            available: (file_len as u64).saturating_sub(start),
        });
    }
    // Both are at most the length of a slice, so they fit in `usize`.
    Ok(TensorInfo {
        name: name.to_owned(),
        shape,
        type_id,
        offset: start as usize,
        byte_len: byte_len.map(|length| length as usize),
    })
}
