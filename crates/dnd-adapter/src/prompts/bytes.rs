//! Text from bytes.

use super::error;
use crate::error::Error;

/// The text of a file in UTF-8, or in UTF-16 as Windows writes it, without a byte order mark.
///
/// # Errors
/// [`Error::Prompts`] when the bytes are no text, with the place of the first that is not.
pub fn decode(bytes: &[u8], source_name: &str) -> Result<String, Error> {
    let utf16 = |bytes: &[u8], number: fn([u8; 2]) -> u16| {
        let (pairs, rest) = bytes.as_chunks::<2>();
        let text = char::decode_utf16(pairs.iter().copied().map(number));
        let text: Result<String, _> = text.collect();
        text.ok().filter(|_| rest.is_empty()).ok_or_else(|| {
            error(
                source_name,
                "expected UTF-16 as its first bytes say, found other bytes",
            )
        })
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => return utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => return utf16(rest, u16::from_be_bytes),
        // ASCII in UTF-16 without a byte order mark.
        [first, 0, ..] if *first != 0 => return utf16(bytes, u16::from_le_bytes),
        [0, second, ..] if *second != 0 => return utf16(bytes, u16::from_be_bytes),
        _ => {}
    }
    if let Some(kind) = kind(bytes) {
        return Err(error(source_name, format!("expected text, found {kind}")));
    }
    let text = std::str::from_utf8(bytes).map_err(|found| {
        let place = found.valid_up_to();
        let line = 1 + bytes[..place].iter().filter(|&&byte| byte == b'\n').count();
        let reason = format!(
            "line {line}: expected text in UTF-8, found an invalid byte at offset {place}; save \
             the file as UTF-8"
        );
        error(source_name, reason)
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text).to_owned())
}

/// The kind of a file that is known not to be text.
fn kind(bytes: &[u8]) -> Option<&'static str> {
    let kinds: [(&[u8], &str); 7] = [
        (b"\x89PNG", "a PNG image"),
        (b"\xff\xd8\xff", "a JPEG image"),
        (b"GIF8", "a GIF image"),
        (b"%PDF", "a PDF document"),
        (b"PK\x03\x04", "a zip archive or an office document"),
        (b"\x1f\x8b", "a gzip archive"),
        (b"GGUF", "a GGUF file"),
    ];
    let named = kinds
        .into_iter()
        .find(|(start, _)| bytes.starts_with(start));
    let named = named.map(|(_, name)| name);
    named.or_else(|| bytes.contains(&0).then_some("a binary file"))
}
