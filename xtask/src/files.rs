//! Small things done with files in several places.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// The SHA-256 of a file, in lower-case hexadecimal.
pub fn sha256(path: &Path) -> Result<String> {
    let mut file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut hasher = Sha256::new();
    io::copy(&mut file, &mut hasher).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(format!("{:x}", hasher.finalize()))
}

/// All files under a folder, relative to it, sorted.
pub fn walk(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut pending = vec![PathBuf::new()];
    while let Some(inner) = pending.pop() {
        let path = folder.join(&inner);
        let entries =
            fs::read_dir(&path).with_context(|| format!("cannot read {}", path.display()))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("cannot read {}", path.display()))?;
            let relative = inner.join(entry.file_name());
            if entry.path().is_dir() {
                pending.push(relative);
            } else {
                found.push(relative);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Copies a file; its folder need not exist yet. Gives its size.
pub fn copy(from: &Path, to: &Path) -> Result<u64> {
    if let Some(folder) = to.parent() {
        create_folder(folder)?;
    }
    fs::copy(from, to)
        .with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))
}

/// Writes a file beside its place and renames it, so that whatever exists is whole.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    fs::write(&beside, bytes)
        .and_then(|()| fs::rename(&beside, path))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// Makes a folder with all that lead to it.
pub fn create_folder(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))
}

/// Makes an empty folder in the place of whatever folder was there.
pub fn renew_folder(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)
            .with_context(|| format!("cannot delete {}", folder.display()))?;
    }
    create_folder(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walk_finds_files_in_order() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b/2", "b/1", "a"] {
            let path = folder.path().join(name);
            create_folder(path.parent().unwrap()).unwrap();
            write(&path, name.as_bytes()).unwrap();
        }
        let expected = ["a", "b/1", "b/2"].map(PathBuf::from);
        assert_eq!(walk(folder.path()).unwrap(), expected);
        renew_folder(folder.path()).unwrap();
        assert!(walk(folder.path()).unwrap().is_empty());
    }
}
