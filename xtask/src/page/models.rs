//! Writes the model files of the page and `manifest.json`, which lists them. The page reads it in
//! `web/src/manifest.rs`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use dnd_adapter::gguf::Gguf;
use dnd_adapter::{BaseDimensions, Bundle, BundleHeader};
use dnd_web::manifest::{FILE, FORMAT, Generator, Manifest, ModelFile, Role};

use super::compact;
use crate::context::{Context, copy, renew_folder, sha256};

/// Folder of the model files in a page.
pub const FOLDER: &str = "models";
/// Number of hash digits in a file name.
const SHORT: usize = 16;

/// Where the models of a page come from.
pub struct Sources {
    /// Folder of the original encoder, which the bundles must have been trained with.
    pub encoder: PathBuf,
    /// Bundles with their base models, the default first.
    pub generators: Vec<(PathBuf, Option<PathBuf>)>,
}

/// Writes the models into a page, with a compressed encoder.
pub fn write(context: &Context, sources: &Sources, page: &Path) -> Result<()> {
    let encoder = &sources.encoder;
    let original = encoder.join("model.safetensors");
    let found = sha256(&original)?;
    let mut headers = Vec::new();
    for (bundle, base) in &sources.generators {
        let header = header(bundle)?;
        if let (Some(expected), Some(base)) = (&header.base, base) {
            let bytes =
                std::fs::read(base).with_context(|| format!("cannot read {}", base.display()))?;
            let gguf = Gguf::parse(&bytes, &base.display().to_string())?;
            let found = BaseDimensions::from_gguf(&gguf)?;
            if found != *expected {
                bail!(
                    "{}: expected the base model of {}, {expected:?}, found {found:?}",
                    base.display(),
                    bundle.display()
                );
            }
        }
        let expected = &header.encoder.sha256;
        if found != *expected {
            bail!(
                "{}: {} expects the encoder with SHA-256 {expected}, found {found}",
                original.display(),
                bundle.display(),
            );
        }
        let name = &header.layout.base_model;
        if headers
            .iter()
            .any(|other: &BundleHeader| other.layout.base_model == *name)
        {
            bail!(
                "{}: expected one bundle for {name}, found another",
                bundle.display()
            );
        }
        headers.push(header);
    }
    let weights = compact::provide(context, &original, &found)?;

    renew_folder(&page.join(FOLDER))?;
    let config = encoder.join("config.json");
    let tokenizer = encoder.join("tokenizer.json");
    let listed = [
        (Role::Encoder, "encoder.safetensors", weights.as_path()),
        (Role::EncoderConfig, "config.json", config.as_path()),
        (Role::Tokenizer, "tokenizer.json", tokenizer.as_path()),
    ]
    .into_iter()
    .map(|(role, name, source)| add(page, role, name, source))
    .collect::<Result<Vec<_>>>()?;
    let mut generators = Vec::new();
    for (header, (bundle, base)) in headers.iter().zip(&sources.generators) {
        generators.push(Generator {
            name: header.layout.base_model.clone(),
            bundle: add(page, Role::Bundle, "bundle.safetensors", bundle)?,
            base_model: base
                .as_ref()
                .map(|base| add(page, Role::BaseModel, "base.gguf", base))
                .transpose()?,
        });
    }
    let first = generators.remove(0);
    let manifest = Manifest {
        format: FORMAT,
        encoder: headers.swap_remove(0).encoder,
        files: listed.into_iter().chain([first.bundle]).collect(),
        base_model: first.base_model,
        name: Some(first.name),
        others: generators,
    };
    Ok(dnd_files::write_json(&page.join(FILE), &manifest)?)
}

fn header(bundle: &Path) -> Result<BundleHeader> {
    let bytes =
        std::fs::read(bundle).with_context(|| format!("cannot read {}", bundle.display()))?;
    Ok(Bundle::read(&bytes, &bundle.display().to_string())?.header)
}

/// Copies a file to a name that contains its hash, so that no cache serves an old version.
fn add(page: &Path, role: Role, name: &str, source: &Path) -> Result<ModelFile> {
    let hash = sha256(source)?;
    let path = format!("{FOLDER}/{}-{name}", &hash[..SHORT]);
    let bytes = copy(source, &page.join(&path))?;
    Ok(ModelFile {
        role,
        path,
        bytes,
        sha256: hash,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_content() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("any.json");
        std::fs::write(&source, b"abc").unwrap();
        let file = add(folder.path(), Role::EncoderConfig, "config.json", &source).unwrap();
        assert_eq!(file.path, "models/ba7816bf8f01cfea-config.json");
        assert!(folder.path().join(&file.path).exists());
        let json = serde_json::to_value(&file).unwrap();
        assert_eq!(json["role"], "encoder_config");
        assert_eq!(json["bytes"], 3);
    }
}
