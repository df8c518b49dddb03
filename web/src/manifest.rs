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
    #[error("{FILE}: field `format`: expected {FORMAT}, found {0}")]
    Format(u32),
    /// A role does not have exactly one file.
    #[error("{FILE}: field `files`: expected one file with role {role:?}, found {found}")]
    Role {
        /// The role.
        role: Role,
        /// How many files have it.
        found: usize,
    },
    /// Generators for several base models need one name each, and files of the right roles.
    #[error("{FILE}: field `{field}`: expected {expected}, found {found}")]
    Generators {
        /// The field.
        field: &'static str,
        /// What it has to hold.
        expected: &'static str,
        /// What it holds.
        found: String,
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
        manifest.check_generators()?;
        Ok(manifest)
    }

    fn check_generators(&self) -> Result<(), Error> {
        let error = |field, expected, found: &str| {
            let found = found.to_owned();
            Err(Error::Generators {
                field,
                expected,
                found,
            })
        };
        if self.name.is_none() && !self.others.is_empty() {
            return error("name", "a base model beside `others`", "none");
        }
        let names = self.names();
        for (place, name) in names.iter().enumerate() {
            if names[..place].contains(name) {
                return error("others", "each base model once", name);
            }
        }
        for other in &self.others {
            let base_model = other.base_model.as_ref();
            let has_roles = other.bundle.role == Role::Bundle
                && base_model.is_none_or(|file| file.role == Role::BaseModel);
            if !has_roles {
                return error("others", "roles `bundle` and `base_model`", &other.name);
            }
        }
        Ok(())
    }

    /// The base models that there is a generator for, the default first.
    pub fn names(&self) -> Vec<String> {
        let others = self.others.iter().map(|other| &other.name);
        self.name.iter().chain(others).cloned().collect()
    }

    /// The same with the generator for the base model of this name, or of this last part of a
    /// name, as the only one; with the first one for no name.
    ///
    /// # Errors
    /// When there is none, or several have this last part.
    pub fn with_generator(mut self, wanted: Option<&str>) -> Result<Self, Error> {
        let names = self.names();
        let others = std::mem::take(&mut self.others);
        let Some(wanted) = wanted else {
            return Ok(self);
        };
        let places = |is_wanted: &dyn Fn(&str) -> bool| -> Vec<usize> {
            let found = names.iter().enumerate().filter(|(_, name)| is_wanted(name));
            found.map(|(place, _)| place).collect()
        };
        let mut found = places(&|name| name == wanted);
        if found.is_empty() {
            found = places(&|name| name.rsplit('/').next() == Some(wanted));
        }
        let &[place] = found.as_slice() else {
            return Err(Error::Name {
                wanted: wanted.to_owned(),
                known: names.join(", "),
            });
        };
        // The first name is that of `files`.
        let other = place.checked_sub(1);
        let Some(other) = other.and_then(|place| others.into_iter().nth(place)) else {
            return Ok(self);
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
            let chosen = all.clone().with_generator(Some(wanted)).unwrap();
            let bundle = chosen.files.iter().find(|file| file.role == Role::Bundle);
            assert_eq!(bundle.unwrap().path, path, "{wanted}");
            assert_eq!(chosen.all_files().count(), 4);
        }
        let first = all.clone().with_generator(None).unwrap();
        assert_eq!(first.names(), ["hub/small"]);
        let unknown = all.clone().with_generator(Some("medium"));
        let message = unknown.unwrap_err().to_string();
        assert!(message.contains("hub/small, hub/large") && message.contains("medium"));

        let read = |all: &Manifest| {
            let json = serde_json::to_string(all).unwrap();
            Manifest::from_json(&json).map_err(|error| error.to_string())
        };
        let mut nameless = all.clone();
        nameless.name = None;
        assert!(read(&nameless).unwrap_err().contains("`name`"));
        let mut twice = all.clone();
        twice.others[0].name = "hub/small".to_owned();
        assert!(read(&twice).unwrap_err().contains("each base model once"));
        // The last part of a name that two have says too little.
        all.others[0].name = "other/small".to_owned();
        assert!(all.clone().with_generator(Some("small")).is_err());
        assert!(all.clone().with_generator(Some("other/small")).is_ok());
        all.others[0].bundle.role = Role::BaseModel;
        assert!(read(&all).unwrap_err().contains("roles"));
    }

    #[test]
    fn another_format_is_refused() {
        assert!(manifest(2, &ROLES).unwrap_err().contains("found 2"));
    }
}
