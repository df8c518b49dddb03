//! Reading and writing whole files. A write goes to a temporary file, which is then renamed.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write;
use std::path::Path;

use dnd_adapter::gguf::lora;
use dnd_adapter::{Adapter, PeftFiles, peft, prompts};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tempfile::NamedTempFile;

use crate::Error;

pub use peft::{CONFIG_FILE as PEFT_CONFIG, MODEL_FILE as PEFT_MODEL};

/// Reads a file.
///
/// # Errors
/// [`Error::File`] naming the file.
pub fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let bytes = fs::read(path).map_err(|e| Error::file(path, "cannot read", e))?;
    tracing::debug!(path = %path.display(), bytes = bytes.len(), "read");
    Ok(bytes)
}

/// Reads a text file.
///
/// # Errors
/// [`Error::File`], or as [`text`].
pub fn read_text(path: &Path) -> Result<String, Error> {
    text(&read(path)?, path)
}

/// Decodes the bytes of `path`, in UTF-8 or in UTF-16, with or without a byte order mark.
///
/// # Errors
/// When they are no text, with the offset of the first byte that is not.
pub fn text(bytes: &[u8], path: &Path) -> Result<String, Error> {
    Ok(prompts::decode(bytes, &path.display().to_string())?)
}

/// Reads a JSON file.
///
/// # Errors
/// [`Error::File`] or [`Error::Content`] with line, column and field.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    serde_json::from_str(&read_text(path)?).map_err(|e| Error::content(path, e))
}

/// Creates a folder and its parents.
///
/// # Errors
/// [`Error::File`] naming the folder.
pub fn make_folder(path: &Path) -> Result<(), Error> {
    fs::create_dir_all(path).map_err(|e| Error::file(path, "cannot create the folder", e))
}

/// Writes a file atomically: to a temporary file in the same folder, which is then renamed. What a
/// killed process left of the same file is removed.
///
/// # Errors
/// [`Error::File`]. On failure the temporary file is removed and an existing file is unchanged.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let failed = |e| Error::file(path, "cannot write", e);
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut file = temporary(folder, path.file_name().unwrap_or_default()).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|e| failed(e.error))?;
    tracing::debug!(path = %path.display(), bytes = bytes.len(), "written");
    Ok(())
}

/// The temporary file `.dnd-NAME`, or one of another name while a process is writing that one.
fn temporary(folder: &Path, name: &OsStr) -> std::io::Result<NamedTempFile> {
    const PREFIX: &str = ".dnd-";
    let mut full = OsString::from(PREFIX);
    full.push(name);
    let place = folder.join(full);
    // The system unlocks the files of a process that ends, however it ends.
    if let Ok(left) = fs::File::open(&place)
        && left.try_lock().is_ok()
    {
        fs::remove_file(&place)?;
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX);
    // Temporary files are private to the user by default; this one becomes a normal file.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let exact = builder.suffix(name).rand_bytes(0).tempfile_in(folder);
    let Ok(file) = exact else {
        return builder.suffix("").rand_bytes(8).tempfile_in(folder);
    };
    // Where files cannot be locked, what a killed process left stays.
    let _ = file.as_file().try_lock();
    Ok(file)
}

/// Checks before long work that a result can be written to `path`: its folder is writable, and
/// its extension is not in `taken`, the extensions of files written next to it.
///
/// # Errors
/// [`Error::Content`] or [`Error::File`] if it cannot be written.
pub fn check_output(path: &Path, taken: &[&str]) -> Result<(), Error> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        return Err(Error::content(folder, "expected a folder, found none"));
    }
    tempfile::tempfile_in(folder.unwrap_or(Path::new(".")))
        .map_err(|e| Error::file(path, "cannot write", e))?;
    match path.extension().and_then(|extension| extension.to_str()) {
        Some(extension) if taken.contains(&extension) => Err(Error::content(
            path,
            format!("expected another extension than .{extension}, which is for a file next to it"),
        )),
        _ => Ok(()),
    }
}

/// Writes `value` as indented JSON.
///
/// # Errors
/// As [`write()`].
pub fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), Error> {
    let mut text = serde_json::to_vec_pretty(value).map_err(|e| Error::content(path, e))?;
    text.push(b'\n');
    write(path, &text)
}

/// Reads a PEFT directory.
///
/// # Errors
/// When a file is missing or malformed, or configuration and weights do not match.
pub fn read_peft(folder: &Path) -> Result<Adapter, Error> {
    let (config, model) = (folder.join(PEFT_CONFIG), folder.join(PEFT_MODEL));
    let pickle = folder.join("adapter_model.bin");
    if !model.exists() && pickle.exists() {
        return Err(Error::content(
            &pickle,
            format!(
                "expected {PEFT_MODEL}, found the weights as a pickle, which is not read: save the \
                 adapter again with `save_pretrained(..., safe_serialization=True)`"
            ),
        ));
    }
    if folder.is_dir() && !config.exists() {
        let what = match model.exists() {
            true => format!("{PEFT_MODEL} alone"),
            false => "neither it nor weights".to_owned(),
        };
        let message =
            format!("expected the folder of an adapter, with {PEFT_CONFIG}, found {what}");
        return Err(Error::content(folder, message));
    }
    Ok(peft::read(
        &read(&config)?,
        &config.display().to_string(),
        &read(&model)?,
        &model.display().to_string(),
    )?)
}

/// Writes a PEFT directory. An old configuration is removed first and the new one written last,
/// so a folder with a configuration is complete. The GGUF file of an adapter before is removed.
///
/// # Errors
/// As [`write()`]. On failure, a folder that this call created is removed.
pub fn write_peft(folder: &Path, files: &PeftFiles, readme: &str) -> Result<(), Error> {
    let is_new = !folder.exists();
    make_folder(folder)?;
    let config = folder.join(PEFT_CONFIG);
    for old in [&config, &folder.join(lora::FILE)] {
        if old.exists() {
            fs::remove_file(old).map_err(|e| Error::file(old, "cannot replace", e))?;
        }
    }
    let written = write(&folder.join(PEFT_MODEL), &files.model)
        .and_then(|()| write(&folder.join("README.md"), readme.as_bytes()))
        .and_then(|()| write(&config, &files.config));
    if written.is_err() && is_new {
        // Report the write error, not an error of the clean-up.
        let _ = fs::remove_dir_all(folder);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("taken");
        fs::create_dir(&target).unwrap();
        assert!(write(&target, b"text").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_a_killed_process_left_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let (target, left) = (folder.path().join("a"), folder.path().join(".dnd-a"));
        fs::write(&left, b"half").unwrap();
        write(&target, b"text").unwrap();
        assert!(!left.exists());
        // A process that lives is left alone.
        fs::write(&left, b"half").unwrap();
        let other = fs::File::open(&left).unwrap();
        other.lock().unwrap();
        write(&target, b"more").unwrap();
        assert_eq!(fs::read(&left).unwrap(), b"half");
        assert_eq!(fs::read(&target).unwrap(), b"more");
    }

    #[test]
    fn text_that_is_not_utf8_names_the_offset() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.txt");
        write(&path, b"ab\xff").unwrap();
        let message = read_text(&path).unwrap_err().to_string();
        assert!(message.contains("x.txt") && message.contains("offset 2"));
    }
}
