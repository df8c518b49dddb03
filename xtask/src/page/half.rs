//! An encoder in half precision: half the download, and the adapters hardly differ.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use dnd_adapter::Precision;
use dnd_adapter::tensor_file::{self, TensorFile};
use serde_json::Value;

use crate::cache::Cache;
use crate::files;

/// Gives the weights of the file `original`, which has this SHA-256, in f16; converts them once.
pub fn provide(cache: &Cache, original: &Path, sha256: &str) -> Result<PathBuf> {
    let path = cache.half_precision().join(format!("{sha256}.safetensors"));
    if !path.exists() {
        println!("page: converting {} to f16", original.display());
        let bytes = std::fs::read(original)
            .with_context(|| format!("cannot read {}", original.display()))?;
        let converted = convert(&bytes, &original.display().to_string())?;
        files::create_folder(&cache.half_precision())?;
        files::write(&path, &converted)?;
    }
    Ok(path)
}

/// Converts a safetensors file; `name` stands for it in errors.
fn convert(bytes: &[u8], name: &str) -> Result<Vec<u8>> {
    let file = TensorFile::new(bytes, name)?;
    let mut tensors = Vec::new();
    for (tensor, entry) in header(bytes, name)? {
        // Integers are positions and the like, which are counted and not learned. The entry for metadata
        // has no type.
        if entry["dtype"]
            .as_str()
            .is_some_and(|dtype| !is_integer(dtype))
        {
            let stored = file.tensor(&tensor)?;
            tensors.push((tensor, stored));
        }
    }
    let tensors = tensors.iter().map(|(tensor, stored)| {
        let (shape, data) = (stored.shape.as_slice(), stored.data.as_slice());
        (tensor.clone(), shape, data, Precision::F16)
    });
    let metadata = ("format", "pt".to_owned());
    Ok(tensor_file::write(name, tensors, metadata)?)
}

fn is_integer(dtype: &str) -> bool {
    dtype == "BOOL" || dtype.starts_with(['I', 'U'])
}

/// The JSON header of a safetensors file: names with type, shape and place.
fn header(bytes: &[u8], name: &str) -> Result<BTreeMap<String, Value>> {
    let json = bytes.split_first_chunk::<8>().and_then(|(length, rest)| {
        let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
        rest.get(..length)
    });
    let json = json.with_context(|| format!("{name}: expected a safetensors header"))?;
    serde_json::from_slice(json).with_context(|| format!("{name}: header"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_halved_and_integers_left_out() {
        let header = concat!(
            r#"{"ids":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},"#,
            r#""w":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}"#,
        );
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.extend(7_i64.to_le_bytes());
        bytes.extend([1.5_f32, -0.25].into_iter().flat_map(f32::to_le_bytes));

        let converted = convert(&bytes, "x").unwrap();
        let file = TensorFile::new(&converted, "x").unwrap();
        assert_eq!(file.names(), ["w"]);
        let stored = file.tensor("w").unwrap();
        assert_eq!((stored.shape, stored.data), (vec![2], vec![1.5, -0.25]));
        assert_eq!(stored.precision, Precision::F16);
    }
}
