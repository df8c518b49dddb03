//! Metadata values.

use std::fmt;

/// A metadata value. The integer types of GGUF are widened to 64 bits without loss. Strings
/// borrow from the file.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// GGUF types `uint8`, `uint16`, `uint32` and `uint64`.
    Unsigned(u64),
    /// GGUF types `int8`, `int16`, `int32` and `int64`.
    Signed(i64),
    /// GGUF type `float32`.
    Float32(f32),
    /// GGUF type `float64`.
    Float64(f64),
    /// GGUF type `bool`.
    Bool(bool),
    /// GGUF type `string`.
    String(&'a str),
    /// GGUF type `array`: values of one type, which can itself be `array`.
    Array(Vec<Value<'a>>),
}

impl<'a> Value<'a> {
    /// The text, if this is a string.
    pub fn as_str(&self) -> Option<&'a str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if this is a non-negative integer of any type.
    pub fn as_u64(&self) -> Option<u64> {
        match *self {
            Value::Unsigned(number) => Some(number),
            Value::Signed(number) => u64::try_from(number).ok(),
            _ => None,
        }
    }

    /// The number, if this is a float of either type.
    pub fn as_f64(&self) -> Option<f64> {
        match *self {
            Value::Float32(number) => Some(f64::from(number)),
            Value::Float64(number) => Some(number),
            _ => None,
        }
    }

    /// The value, if this is a bool.
    pub fn as_bool(&self) -> Option<bool> {
        match *self {
            Value::Bool(truth) => Some(truth),
            _ => None,
        }
    }

    /// The elements, if this is an array.
    pub fn as_array(&self) -> Option<&[Value<'a>]> {
        match self {
            Value::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// The kind of value, for error messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Value::Unsigned(_) => "an unsigned integer",
            Value::Signed(..0) => "a negative integer",
            Value::Signed(_) => "an integer",
            Value::Float32(_) | Value::Float64(_) => "a float",
            Value::Bool(_) => "a bool",
            Value::String(_) => "a string",
            Value::Array(_) => "an array",
        }
    }
}

/// For listings. Strings are quoted and escaped; a long array shows its first elements and its
/// length.
impl fmt::Display for Value<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN_ELEMENTS: usize = 4;
        match self {
            Value::Unsigned(number) => write!(formatter, "{number}"),
            Value::Signed(number) => write!(formatter, "{number}"),
            // The debug form distinguishes `10000.0` from an integer and shortens `1e-5`.
            Value::Float32(number) => write!(formatter, "{number:?}"),
            Value::Float64(number) => write!(formatter, "{number:?}"),
            Value::Bool(truth) => write!(formatter, "{truth}"),
            Value::String(text) => write!(formatter, "{text:?}"),
            Value::Array(elements) => {
                formatter.write_str("[")?;
                for (index, element) in elements.iter().take(SHOWN_ELEMENTS).enumerate() {
                    let separator = if index == 0 { "" } else { ", " };
                    write!(formatter, "{separator}{element}")?;
                }
                if elements.len() > SHOWN_ELEMENTS {
                    write!(formatter, ", ... {} in all", elements.len())?;
                }
                formatter.write_str("]")
            }
        }
    }
}
