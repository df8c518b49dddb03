//! Standard output and error, without a panic when the pipe is closed.

use std::io::{ErrorKind, Write};

use anyhow::{Context, Result};

/// Writes text to standard output and flushes it.
pub fn print(text: &str) -> Result<()> {
    let mut output = std::io::stdout().lock();
    output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush())
        .context("standard output")
}

/// Writes `value` as indented JSON to standard output.
pub fn print_json<T: serde::Serialize>(value: &T) -> Result<()> {
    print(&(serde_json::to_string_pretty(value)? + "\n"))
}

/// Writes a line to standard error. Errors are ignored: there is nowhere left to report them.
pub fn eprint_line(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Whether the reader of standard output closed the pipe, as `head` does.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| cause.kind() == ErrorKind::BrokenPipe)
}
