//! `manifest.json`: the model files beside the page.

use dnd_adapter::EncoderId;
use serde::{Deserialize, Serialize};

/// Name of the manifest beside the page.
pub const FILE: &str = "manifest.json";
/// The format version that this page reads.
pub const FORMAT: u32 = 1;

/// The model files and the encoder they belong to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Format version, [`FORMAT`].
    pub format: u32,
    /// The encoder that the file with role `encoder` was converted from, as bundles name it.
    pub encoder: EncoderId,
    /// One file of each role that generating takes.
    pub files: Vec<ModelFile>,
    /// The base model, to try adapters with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_model: Option<ModelFile>,
}

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Weights of the text encoder, safetensors.
    Encoder,
    /// The encoder's `config.json`.
    EncoderConfig,
    /// The encoder's `tokenizer.json`.
    Tokenizer,
    /// The generator.
    Bundle,
    /// The base model, GGUF.
    BaseModel,
}

/// A model file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelFile {
    /// What it is for.
    pub role: Role,
    /// Address, relative to the manifest.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 in lower-case hexadecimal.
    pub sha256: String,
}

/// Why a manifest cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not JSON of the expected shape.
    #[error("{FILE}: {0}")]
    Json(#[from] serde_json::Error),
    /// Its format version is not supported.
    #[error("{FILE}: field `format`: expected {FORMAT}, found {0}; reload the page")]
    Format(u32),
    /// A role does not have exactly one file.
    #[error("{FILE}: field `files`: expected one file with role {role:?}, found {found}")]
    Role {
        /// The role.
        role: Role,
        /// How many files have it.
        found: usize,
    },
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// When it is malformed, has another format version, or a role does not have exactly one
    /// file.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let manifest: Self = serde_json::from_str(text)?;
        if manifest.format != FORMAT {
            return Err(Error::Format(manifest.format));
        }
        for role in [
            Role::Encoder,
            Role::EncoderConfig,
            Role::Tokenizer,
            Role::Bundle,
        ] {
            let found = manifest.files.iter().filter(|f| f.role == role).count();
            if found != 1 {
                return Err(Error::Role { role, found });
            }
        }
        Ok(manifest)
    }

    /// Bytes of the files that generating takes.
    pub fn total(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// All files.
    pub fn all_files(&self) -> impl Iterator<Item = &ModelFile> {
        self.files.iter().chain(&self.base_model)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(format: u32, roles: &[&str]) -> Result<Manifest, String> {
        let files: Vec<String> = roles
            .iter()
            .map(|role| format!(r#"{{"role":"{role}","path":"x","bytes":3,"sha256":"00"}}"#))
            .collect();
        let text = format!(
            r#"{{"format":{format},"encoder":{{"name":"e","sha256":"11"}},"files":[{}]}}"#,
            files.join(",")
        );
        Manifest::from_json(&text).map_err(|e| e.to_string())
    }

    const ROLES: [&str; 4] = ["encoder", "encoder_config", "tokenizer", "bundle"];

    #[test]
    fn all_roles_are_needed_once() {
        assert_eq!(manifest(1, &ROLES).unwrap().total(), 12);
        assert!(manifest(1, &ROLES[..3]).unwrap_err().contains("Bundle"));
        assert!(manifest(1, &["bundle"; 4]).unwrap_err().contains("found 0"));
    }

    #[test]
    fn another_format_is_refused() {
        assert!(manifest(2, &ROLES).unwrap_err().contains("found 2"));
    }
}
