//! Fingerprints of inputs, to decide which rows of an earlier run are still valid.

use std::path::Path;

use serde::Serialize;
use sha2::{Digest, Sha256};

use dnd_model::files::map;
use dnd_train::Error;

/// Hexadecimal digits of a fingerprint.
const DIGITS: usize = 16;

/// Changes when decoding or scoring changes, which makes older rows invalid.
const VERSION: &str = "dnd eval 1";

/// A fingerprint being computed.
pub(super) struct Fingerprint(Sha256);

impl Fingerprint {
    /// Starts a fingerprint. Different kinds give different fingerprints.
    pub(super) fn new(kind: &str) -> Self {
        Self(Sha256::new()).text(VERSION).text(kind)
    }

    /// Adds bytes with their length, so that part boundaries change the digest.
    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
        self
    }

    /// Adds a string.
    pub(super) fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    /// Adds a value as JSON.
    pub(super) fn json<T: Serialize>(self, value: &T) -> Result<Self, Error> {
        let json = serde_json::to_vec(value)
            .map_err(|e| Error::argument("inputs", "a value that serializes to JSON", e))?;
        Ok(self.bytes(&json))
    }

    /// Adds the files of a PEFT directory.
    pub(super) fn adapter(self, folder: &Path) -> Result<Self, Error> {
        let config = dnd_files::read(&folder.join(dnd_files::PEFT_CONFIG))?;
        let model = dnd_files::read(&folder.join(dnd_files::PEFT_MODEL))?;
        Ok(self.bytes(&config).bytes(&model))
    }

    /// The first [`DIGITS`] digits of the digest.
    pub(super) fn finish(self) -> String {
        let mut digits = dnd_files::hex(&self.0.finalize());
        digits.truncate(DIGITS);
        digits
    }
}

/// SHA-256 of a bundle or of a model's weights: of a file, or of `model.safetensors` in a folder.
///
/// # Errors
/// When the file cannot be read.
pub fn weights_hash(path: &Path) -> Result<String, Error> {
    let bytes = if path.is_dir() {
        map(&path.join("model.safetensors"))?
    } else {
        map(path)?
    };
    Ok(dnd_files::sha256(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_not_confused() {
        let one = Fingerprint::new("x").text("ab").text("c").finish();
        let other = Fingerprint::new("x").text("a").text("bc").finish();
        assert_ne!(one, other);
        assert_eq!(one, Fingerprint::new("x").text("ab").text("c").finish());
        assert_eq!(one.len(), DIGITS);
    }

    #[test]
    fn folders_stand_for_their_weights() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        dnd_files::write(&path, b"weights").unwrap();
        let hash = weights_hash(&path).unwrap();
        assert_eq!(hash.len(), 64);
        assert_eq!(weights_hash(folder.path()).unwrap(), hash);
    }
}
