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
    /// What the bundle calls its base model. Manifests without others may leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Generators for other base models, with the same encoder.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<Generator>,
}

/// A generator for another base model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generator {
    /// What its bundle calls the base model.
    pub name: String,
    /// The generator.
    pub bundle: ModelFile,
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
    /// There is no generator for a base model.
    #[error("{FILE}: expected one of the base models {known}, found `{wanted}`")]
    Name {
        /// The base model that was asked for.
        wanted: String,
        /// Those with a generator.
        known: String,
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

    /// The base models that there is a generator for, the default first.
    pub fn names(&self) -> Vec<String> {
        let others = self.others.iter().map(|other| &other.name);
        self.name.iter().chain(others).cloned().collect()
    }

    /// The same with the generator for the base model of this name, or of this last part of a
    /// name, as the only one.
    ///
    /// # Errors
    /// When there is none.
    pub fn with_generator(mut self, wanted: &str) -> Result<Self, Error> {
        let is_wanted = |name: &str| name == wanted || name.rsplit('/').next() == Some(wanted);
        let known = self.names().join(", ");
        let others = std::mem::take(&mut self.others);
        if self.name.as_deref().is_some_and(is_wanted) {
            return Ok(self);
        }
        let Some(other) = others.into_iter().find(|other| is_wanted(&other.name)) else {
            let wanted = wanted.to_owned();
            return Err(Error::Name { wanted, known });
        };
        self.files.retain(|file| file.role != Role::Bundle);
        self.files.push(other.bundle);
        self.base_model = other.base_model;
        self.name = Some(other.name);
        Ok(self)
    }

    /// Bytes of the files that generating takes.
    pub fn total(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// All files.
    pub fn all_files(&self) -> impl Iterator<Item = &ModelFile> {
        let others = self.others.iter();
        let others = others.flat_map(|other| [&other.bundle].into_iter().chain(&other.base_model));
        self.files.iter().chain(&self.base_model).chain(others)
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
    fn a_generator_is_chosen_by_the_name_of_its_base_model() {
        let mut all = manifest(1, &ROLES).unwrap();
        all.name = Some("hub/small".to_owned());
        let bundle = ModelFile {
            path: "y".to_owned(),
            ..all.files[3].clone()
        };
        all.others.push(Generator {
            name: "hub/large".to_owned(),
            bundle,
            base_model: None,
        });
        assert_eq!(all.names(), ["hub/small", "hub/large"]);
        assert_eq!(all.all_files().count(), 5);
        for (wanted, path) in [("hub/large", "y"), ("large", "y"), ("small", "x")] {
            let chosen = all.clone().with_generator(wanted).unwrap();
            let bundle = chosen.files.iter().find(|file| file.role == Role::Bundle);
            assert_eq!(bundle.unwrap().path, path, "{wanted}");
            assert_eq!(chosen.all_files().count(), 4);
        }
        let message = all.with_generator("medium").unwrap_err().to_string();
        assert!(message.contains("hub/small, hub/large") && message.contains("medium"));
    }

    #[test]
    fn another_format_is_refused() {
        assert!(manifest(2, &ROLES).unwrap_err().contains("found 2"));
    }
}
