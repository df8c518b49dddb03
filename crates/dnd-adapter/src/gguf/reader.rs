//! The reader that parses fields and metadata values from untrusted bytes.

use super::{GgufError, Value};

/// Maximum nesting of arrays. A hostile file could otherwise exhaust the stack.
const MAXIMUM_ARRAY_DEPTH: usize = 8;
/// Maximum number of metadata values in a file, array elements included. A one-byte element
/// becomes a [`Value`] of 24 bytes, so without a limit a hostile file would take 24 times its
/// own size in memory. A large vocabulary (262,144 tokens, with scores, types and merges) needs
/// about a quarter of this.
const MAXIMUM_VALUES: u64 = 4 * 1024 * 1024;
/// Maximum length of a metadata key or tensor name; the GGUF specification sets it for keys.
const MAXIMUM_NAME_BYTES: u64 = 65_535;

/// Reads little-endian fields in sequence and returns an error at the end of the file.
pub(super) struct Reader<'a, 'f> {
    bytes: &'a [u8],
    position: usize,
    file: &'f str,
    values_left: u64,
    /// The field being read, for errors.
    pub(super) field: String,
}

impl<'a, 'f> Reader<'a, 'f> {
    pub(super) fn new(bytes: &'a [u8], file: &'f str) -> Self {
        Reader {
            bytes,
            position: 0,
            file,
            values_left: MAXIMUM_VALUES,
            field: String::new(),
        }
    }

    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// The bytes read since the position was `start`.
    pub(super) fn since(&self, start: usize) -> &'a [u8] {
        self.bytes.get(start..self.position).unwrap_or_default()
    }

    pub(super) fn file(&self) -> &'f str {
        self.file
    }

    /// An error about the current field.
    pub(super) fn invalid(
        &self,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> GgufError {
        GgufError::Invalid {
            source_name: self.file.to_owned(),
            field: self.field.clone(),
            expected: expected.into(),
            found: found.into(),
        }
    }

    pub(super) fn u32(&mut self) -> Result<u32, GgufError> {
        Ok(u32::from_le_bytes(self.take_array()?))
    }

    pub(super) fn u64(&mut self) -> Result<u64, GgufError> {
        Ok(u64::from_le_bytes(self.take_array()?))
    }

    /// Reads a count of items of at least `minimum_bytes` each. Checks it against the rest of
    /// the file, so that reserving memory for that many is safe.
    pub(super) fn count(&mut self, minimum_bytes: u64) -> Result<u64, GgufError> {
        let count = self.u64()?;
        self.require(count.saturating_mul(minimum_bytes))?;
        Ok(count)
    }

    /// A metadata key or tensor name.
    pub(super) fn name(&mut self) -> Result<&'a str, GgufError> {
        let length = self.u64()?;
        if length > MAXIMUM_NAME_BYTES {
            return Err(self.invalid(
                format!("a name of at most {MAXIMUM_NAME_BYTES} bytes"),
                format!("a length of {length} bytes"),
            ));
        }
        self.text(length)
    }

    /// Reads a type id and the metadata value that follows it.
    pub(super) fn value(&mut self) -> Result<Value<'a>, GgufError> {
        let type_id = self.u32()?;
        self.value_of_type(type_id, 0)
    }

    fn value_of_type(&mut self, type_id: u32, depth: usize) -> Result<Value<'a>, GgufError> {
        self.values_left = match self.values_left.checked_sub(1) {
            Some(left) => left,
            None => {
                let expected = format!("at most {MAXIMUM_VALUES} metadata values in the file");
                return Err(self.invalid(expected, "more"));
            }
        };
        // Type ids of `enum gguf_type` in `gguf.h`.
        Ok(match type_id {
            0 => Value::Unsigned(u8::from_le_bytes(self.take_array()?).into()),
            1 => Value::Signed(i8::from_le_bytes(self.take_array()?).into()),
            2 => Value::Unsigned(u16::from_le_bytes(self.take_array()?).into()),
            3 => Value::Signed(i16::from_le_bytes(self.take_array()?).into()),
            4 => Value::Unsigned(self.u32()?.into()),
            5 => Value::Signed(i32::from_le_bytes(self.take_array()?).into()),
            6 => Value::Float32(f32::from_le_bytes(self.take_array()?)),
            7 => match u8::from_le_bytes(self.take_array()?) {
                0 => Value::Bool(false),
                1 => Value::Bool(true),
                other => return Err(self.invalid("a bool of 0 or 1", other.to_string())),
            },
            8 => {
                let length = self.u64()?;
                Value::String(self.text(length)?)
            }
            9 => self.array(depth)?,
            10 => Value::Unsigned(self.u64()?),
            11 => Value::Signed(i64::from_le_bytes(self.take_array()?)),
            12 => Value::Float64(f64::from_le_bytes(self.take_array()?)),
            other => return Err(self.invalid("a value type from 0 to 12", other.to_string())),
        })
    }

    fn array(&mut self, depth: usize) -> Result<Value<'a>, GgufError> {
        if depth == MAXIMUM_ARRAY_DEPTH {
            let expected = format!("arrays nested at most {MAXIMUM_ARRAY_DEPTH} deep");
            return Err(self.invalid(expected, "deeper nesting"));
        }
        let type_id = self.u32()?;
        let minimum_bytes = match type_id {
            0 | 1 | 7 => 1,
            2 | 3 => 2,
            4..=6 => 4,
            8 | 10..=12 => 8, // a string starts with its length
            9 => 4 + 8,       // an array starts with its type and count
            other => return Err(self.invalid("an element type from 0 to 12", other.to_string())),
        };
        let count = self.count(minimum_bytes)?;
        if count > self.values_left {
            return Err(self.invalid(
                format!("at most {MAXIMUM_VALUES} metadata values in the file"),
                format!("an array of {count} more"),
            ));
        }
        let mut elements = Vec::with_capacity(count as usize);
        for _ in 0..count {
            elements.push(self.value_of_type(type_id, depth + 1)?);
        }
        Ok(Value::Array(elements))
    }

    fn text(&mut self, length: u64) -> Result<&'a str, GgufError> {
        let bytes = self.take(length)?;
        std::str::from_utf8(bytes).map_err(|error| self.invalid("UTF-8 text", error.to_string()))
    }

    fn require(&self, needed: u64) -> Result<(), GgufError> {
        let available = self.bytes.len() - self.position;
        if needed > available as u64 {
            return Err(GgufError::Truncated {
                source_name: self.file.to_owned(),
                field: self.field.clone(),
                needed,
                offset: self.position as u64,
                available: available as u64,
            });
        }
        Ok(())
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], GgufError> {
        self.require(length)?;
        // Fits in `usize`: `require` has checked it against the length of a slice.
        let end = self.position + length as usize;
        let taken = &self.bytes[self.position..end];
        self.position = end;
        Ok(taken)
    }

    fn take_array<const LENGTH: usize>(&mut self) -> Result<[u8; LENGTH], GgufError> {
        let mut taken = [0; LENGTH];
        taken.copy_from_slice(self.take(LENGTH as u64)?);
        Ok(taken)
    }
}
