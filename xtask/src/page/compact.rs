//! Compresses the encoder for the page to little more than a third of its size; adapters hardly
//! change.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use dnd_adapter::tensor_file::{self, TensorFile};
use dnd_adapter::{Precision, Storage};
use serde_json::Value;

use crate::context::{Context, create_folder};

/// The word embeddings, half of a small encoder. Their quantization errors differ from word to word
/// and average out over many prompts; errors in other weights would affect all prompts alike.
const WORDS: &str = "word_embeddings.weight";

/// The pooling head, which token-level hidden states do not need.
const UNUSED: &str = "pooler.";

/// Returns the path of `original` converted to f16, with word embeddings in int8. The result is
/// cached by `sha256`, the hash of `original`.
pub fn provide(context: &Context, original: &Path, sha256: &str) -> Result<PathBuf> {
    let folder = context.cache("models/page");
    let path = folder.join(format!("{sha256}.safetensors"));
    if !path.exists() {
        println!("page: converting {} to f16 and int8", original.display());
        let bytes = std::fs::read(original)
            .with_context(|| format!("cannot read {}", original.display()))?;
        let converted = convert(&bytes, &original.display().to_string())?;
        create_folder(&folder)?;
        dnd_files::write(&path, &converted)?;
    }
    Ok(path)
}

/// Converts a safetensors file, which errors call `name`.
fn convert(bytes: &[u8], name: &str) -> Result<Vec<u8>> {
    let file = TensorFile::new(bytes, name)?;
    let mut tensors = Vec::new();
    for (tensor, entry) in header(bytes, name)? {
        // Integer tensors, such as position ids, are not weights. The metadata entry has no dtype.
        let is_number = entry["dtype"]
            .as_str()
            .is_some_and(|dtype| !is_integer(dtype));
        if is_number && !tensor.contains(UNUSED) {
            let stored = file.tensor(&tensor)?;
            tensors.push((tensor, stored));
        }
    }
    let tensors = tensors.iter().map(|(tensor, stored)| {
        let (shape, data) = (stored.shape.as_slice(), stored.data.as_slice());
        let storage = if tensor.ends_with(WORDS) {
            Storage::Int8
        } else {
            Precision::F16.into()
        };
        (tensor.clone(), shape, data, storage)
    });
    let metadata = ("format", "pt".to_owned());
    Ok(tensor_file::write(name, tensors, metadata)?)
}

fn is_integer(dtype: &str) -> bool {
    dtype == "BOOL" || dtype.starts_with(['I', 'U'])
}

/// The JSON header of a safetensors file: dtype, shape and offsets by tensor name.
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
    fn floats_are_made_smaller_and_what_is_not_needed_left_out() {
        let header = concat!(
            r#"{"ids":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},"#,
            r#""w":{"dtype":"F32","shape":[2],"data_offsets":[8,16]},"#,
            r#""e.word_embeddings.weight":{"dtype":"F32","shape":[1,2],"data_offsets":[16,24]},"#,
            r#""pooler.dense.bias":{"dtype":"F32","shape":[1],"data_offsets":[24,28]}}"#,
        );
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.extend(7_i64.to_le_bytes());
        bytes.extend(
            [1.5_f32, -0.25, 127.0, 1.0, 2.0]
                .into_iter()
                .flat_map(f32::to_le_bytes),
        );

        let converted = convert(&bytes, "x").unwrap();
        let file = TensorFile::new(&converted, "x").unwrap();
        assert_eq!(file.names(), ["e.word_embeddings.weight", "w"]);
        let stored = file.tensor("w").unwrap();
        assert_eq!((stored.shape, stored.data), (vec![2], vec![1.5, -0.25]));
        assert_eq!(stored.storage, Precision::F16.into());
        let words = file.tensor("e.word_embeddings.weight").unwrap();
        assert_eq!((words.shape, words.data), (vec![1, 2], vec![127.0, 1.0]));
        assert_eq!(words.storage, Storage::Int8);
    }
}
