//! Limits on the size of the page.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use anyhow::{Context, Result, bail};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::context::walk;

/// Maximum size of all WebAssembly modules, gzipped, in bytes.
const MAX_WASM: u64 = 4_500_000;
/// Maximum bytes of all files but the base model as a server sends them, WebAssembly gzipped.
const MAX_FETCHED: u64 = 60_000_000;

/// Prints the sizes of a page and checks them against the limits, which apply only to modules
/// `optimized` by `wasm-opt`.
pub fn check(page: &Path, optimized: bool) -> Result<()> {
    let mut wasm = 0;
    let mut fetched = 0;
    for name in walk(page)? {
        let path = page.join(name);
        if path.extension().is_some_and(|end| end == "wasm") {
            let size = gzipped(&path)?;
            wasm += size;
            fetched += size;
        } else if path.extension().is_none_or(|end| end != "gguf") {
            let metadata = fs::metadata(&path);
            let metadata = metadata.with_context(|| format!("cannot read {}", path.display()))?;
            fetched += metadata.len();
        }
    }
    println!(
        "page: WebAssembly {} gzipped (limit {}), everything but the base model {} (limit {})",
        megabytes(wasm),
        megabytes(MAX_WASM),
        megabytes(fetched),
        megabytes(MAX_FETCHED)
    );
    if optimized {
        return judge(wasm, fetched);
    }
    println!("page: limits not checked without wasm-opt");
    Ok(())
}

fn judge(wasm: u64, fetched: u64) -> Result<()> {
    for (what, size, most) in [
        ("WebAssembly modules, gzipped", wasm, MAX_WASM),
        ("all files of the page", fetched, MAX_FETCHED),
    ] {
        if size > most {
            bail!("{what}: expected at most {most} bytes, found {size}");
        }
    }
    Ok(())
}

/// The gzipped size of a file.
fn gzipped(path: &Path) -> Result<u64> {
    let compress = || {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        io::copy(&mut File::open(path)?, &mut encoder)?;
        encoder.finish()
    };
    let compressed = compress().with_context(|| format!("cannot read {}", path.display()))?;
    Ok(u64::try_from(compressed.len())?)
}

fn megabytes(bytes: u64) -> String {
    format!("{}.{:02} MB", bytes / 1_000_000, bytes % 1_000_000 / 10_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_inclusive() {
        judge(MAX_WASM, MAX_FETCHED).unwrap();
        let error = judge(MAX_WASM + 1, 0).unwrap_err().to_string();
        assert!(
            error.contains("WebAssembly") && error.ends_with(&(MAX_WASM + 1).to_string()),
            "{error}"
        );
        assert!(judge(0, MAX_FETCHED + 1).is_err());
    }

    #[test]
    fn modules_are_measured_compressed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wasm");
        fs::write(&path, [0; 100_000]).unwrap();
        assert!(gzipped(&path).unwrap() < 1_000);
        check(folder.path(), true).unwrap();
        assert_eq!(megabytes(54_123_456), "54.12 MB");
    }
}
