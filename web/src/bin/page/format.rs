//! Formats numbers and sentences for display.

/// Megabytes (10^6 bytes) with one decimal, without the unit.
pub fn megabytes(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / 1e6)
}

/// A size with its unit.
pub fn size(bytes: u64) -> String {
    if bytes < 1000 {
        format!("{bytes} bytes")
    } else if bytes < 1_000_000 {
        format!("{:.1} kB", bytes as f64 / 1e3)
    } else {
        format!("{} MB", megabytes(bytes))
    }
}

/// A number of prompts.
pub fn prompts(count: usize) -> String {
    if count == 1 {
        "1 prompt".to_owned()
    } else {
        format!("{count} prompts")
    }
}

/// The text, with a full stop unless it already ends a sentence.
pub fn sentence(text: &str) -> String {
    let text = text.trim_end();
    if text.ends_with(['.', '!', '?']) {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}
