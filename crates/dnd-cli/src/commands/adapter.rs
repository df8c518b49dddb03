//! Adapters as files: what `convert`, `merge` and `complete` share.

use std::path::Path;

use anyhow::{Result, bail};
use clap::ValueEnum;
use dnd_adapter::gguf::lora;
use dnd_adapter::{Adapter, Precision};
use dnd_model::Lora;
use dnd_model::files::{Base, base_dimensions, default_base, map};
use dnd_model::lora::check_layout;

use crate::output;

/// Precision of written LoRA factors.
#[derive(Clone, Copy, ValueEnum)]
pub enum PrecisionArg {
    F32,
    F16,
    Bf16,
}

impl From<PrecisionArg> for Precision {
    fn from(precision: PrecisionArg) -> Self {
        match precision {
            PrecisionArg::F32 => Self::F32,
            PrecisionArg::F16 => Self::F16,
            PrecisionArg::Bf16 => Self::Bf16,
        }
    }
}

/// Reads an adapter from its PEFT folder or its GGUF file. The latter has the row order of the
/// model at `base`, or of the default one. The page's zip download gets its own error message.
pub fn read_adapter(path: &Path, base: Option<&Path>) -> Result<Adapter> {
    let name = path.display().to_string();
    // Without permission to look, continue: the read error below is clearer.
    if path.try_exists().is_ok_and(|exists| !exists) {
        bail!("{name}: expected the folder of an adapter or its GGUF file, found neither");
    }
    if !path.is_file() {
        return Ok(dnd_files::read_peft(path)?);
    }
    let bytes = dnd_files::read(path)?;
    if bytes.starts_with(b"GGUF") {
        if !lora::is_adapter(&bytes, &name)? {
            bail!("{name}: expected an adapter, found a GGUF file with a model");
        }
        let base = base_dimensions(&base.map_or_else(default_base, Path::to_owned))?;
        return Ok(lora::read(&bytes, &name, &base)?);
    }
    if bytes.starts_with(b"PK") {
        bail!("{name}: expected a folder, found a zip archive; unpack it first");
    }
    bail!("{name}: expected the folder of an adapter or its GGUF file, found another file");
}

/// What a GGUF file holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum GgufKind {
    Adapter,
    Model,
}

/// What the file at `path` holds, if it is a GGUF file.
pub fn gguf_kind(path: &Path) -> Option<GgufKind> {
    let bytes = path.is_file().then(|| map(path).ok())??;
    let is_adapter = lora::is_adapter(&bytes, "").ok()?;
    Some(if is_adapter {
        GgufKind::Adapter
    } else {
        GgufKind::Model
    })
}

/// Whether both paths lead to one file.
pub fn is_same_file(one: &Path, other: &Path) -> bool {
    let [one, other] = [one, other].map(Path::canonicalize);
    one.is_ok_and(|one| other.is_ok_and(|other| one == other))
}

/// Reads the adapter at `path` for the base model, which stands at `base_path`.
pub fn open_lora(
    path: Option<&Path>,
    base: &Base,
    base_path: Option<&Path>,
) -> Result<Option<Lora>> {
    let Some(path) = path else {
        return Ok(None);
    };
    let adapter = read_adapter(path, base_path)?;
    let dimensions = &base.model.config().dimensions;
    check_layout(&adapter.layout, &path.display().to_string(), dimensions)?;
    let name = &adapter.layout.base_model;
    let last = |name: &str| name.rsplit(['/', '\\']).next().map(str::to_owned);
    if base_path.is_none() && !name.is_empty() && last(name) != last(&base.name) {
        output::eprint_line(&format!(
            "note: {} is for the base model {name}, and {} answers; --base changes that",
            path.display(),
            base.name
        ));
    }
    Ok(Some(Lora::from_adapter(&adapter, base.model.device())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_adapter_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let told = |name: &str| {
            let path = folder.path().join(name);
            read_adapter(&path, None).err().unwrap().to_string()
        };
        dnd_files::write(&folder.path().join("adapter.zip"), b"PK\x03\x04").unwrap();
        dnd_files::write(&folder.path().join("notes.txt"), b"x").unwrap();
        let zip = told("adapter.zip");
        assert!(
            zip.ends_with("found a zip archive; unpack it first"),
            "{zip}"
        );
        assert!(told("notes.txt").ends_with("found another file"));
        assert!(told("nowhere").ends_with(
            "nowhere: expected the folder of an adapter or its GGUF file, found neither"
        ));
        assert!(told("").contains("adapter_config.json"));
    }
}
