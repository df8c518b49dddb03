//! Writes the model files of the page and `manifest.json`, which lists them. The page reads it in
//! `web/src/manifest.rs`.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use dnd_adapter::Bundle;
use dnd_web::manifest::{FILE, FORMAT, Manifest, ModelFile, Role};

use super::compact;
use crate::context::{Context, copy, renew_folder, sha256};

/// Folder of the model files in a page.
pub const FOLDER: &str = "models";
/// Number of hash digits in a file name.
const SHORT: usize = 16;

/// Writes the models into a page, with a compressed encoder. `encoder` is the folder of the
/// original, which must be the encoder that the bundle was trained with; `base` is the base model.
pub fn write(context: &Context, [encoder, bundle, base]: [&Path; 3], page: &Path) -> Result<()> {
    let bytes =
        std::fs::read(bundle).with_context(|| format!("cannot read {}", bundle.display()))?;
    let id = Bundle::read(&bytes, &bundle.display().to_string())?
        .header
        .encoder;
    let original = encoder.join("model.safetensors");
    let found = sha256(&original)?;
    if found != id.sha256 {
        bail!(
            "{}: {} expects the encoder with SHA-256 {}, found {found}",
            original.display(),
            bundle.display(),
            id.sha256
        );
    }
    let weights = compact::provide(context, &original, &found)?;

    renew_folder(&page.join(FOLDER))?;
    let config = encoder.join("config.json");
    let tokenizer = encoder.join("tokenizer.json");
    let listed = [
        (Role::Encoder, "encoder.safetensors", weights.as_path()),
        (Role::EncoderConfig, "config.json", config.as_path()),
        (Role::Tokenizer, "tokenizer.json", tokenizer.as_path()),
        (Role::Bundle, "bundle.safetensors", bundle),
    ]
    .into_iter()
    .map(|(role, name, source)| add(page, role, name, source))
    .collect::<Result<Vec<_>>>()?;
    let manifest = Manifest {
        format: FORMAT,
        encoder: id,
        files: listed,
        base_model: Some(add(page, Role::BaseModel, "base.gguf", base)?),
    };
    Ok(dnd_files::write_json(&page.join(FILE), &manifest)?)
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
