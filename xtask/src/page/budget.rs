//! What a visitor downloads, and the most that it may be.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use anyhow::{Context, Result, bail};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::context::walk;

/// Bytes of all WebAssembly modules, gzipped.
const MOST_WASM: u64 = 4_500_000;
/// Bytes of all files, the models included, nothing compressed.
const MOST_FETCHED: u64 = 70_000_000;

/// Measures a page, prints both figures and compares them with the limits, which are made for modules
/// that `wasm-opt` has `optimised`.
pub fn check(page: &Path, optimised: bool) -> Result<()> {
    let mut wasm = 0;
    let mut fetched = 0;
    for name in walk(page)? {
        let path = page.join(name);
        let metadata = fs::metadata(&path);
        fetched += metadata
            .with_context(|| format!("cannot read {}", path.display()))?
            .len();
        if path.extension().is_some_and(|end| end == "wasm") {
            wasm += gzipped(&path)?;
        }
    }
    println!(
        "page: WebAssembly {} gzipped (limit {}), everything {} (limit {})",
        megabytes(wasm),
        megabytes(MOST_WASM),
        megabytes(fetched),
        megabytes(MOST_FETCHED)
    );
    if optimised {
        return judge(wasm, fetched);
    }
    println!("page: without wasm-opt the limits do not count");
    Ok(())
}

fn judge(wasm: u64, fetched: u64) -> Result<()> {
    for (what, size, most) in [
        ("the WebAssembly modules, gzipped,", wasm, MOST_WASM),
        ("all files that a visitor fetches", fetched, MOST_FETCHED),
    ] {
        if size > most {
            bail!("{what} may have {most} bytes and have {size}");
        }
    }
    Ok(())
}

/// The size of a file as a server sends it.
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
        judge(MOST_WASM, MOST_FETCHED).unwrap();
        let error = judge(MOST_WASM + 1, 0).unwrap_err().to_string();
        assert!(
            error.contains("WebAssembly") && error.ends_with("3500001"),
            "{error}"
        );
        assert!(judge(0, MOST_FETCHED + 1).is_err());
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
