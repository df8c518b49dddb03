//! A bundle: one safetensors file with the weights of a generator and everything needed to use
//! it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::dimensions::BaseDimensions;
use crate::error::Error;
use crate::layout::Layout;
use crate::precision::Precision;
use crate::statistics::Statistics;
use crate::storage::Storage;
use crate::tensor_file::{self, StoredTensor, TensorFile};

/// The supported version of the bundle format.
pub const FORMAT: u32 = 1;
/// Key of the JSON header in the safetensors metadata.
const HEADER_KEY: &str = "dnd";
/// Tensor of shape (tokens, rank, tile width): the mean adapter as weight tokens.
pub const MEAN: &str = "statistics.mean";
/// Tensor of shape (tokens): the scale of each token.
pub const SCALE: &str = "statistics.scale";
/// Tensor of shape (tasks, C): the mean prompt embedding of each training task.
pub const TASKS: &str = "tasks.embedding";

/// A generator with its header. The weights are the tensors `generator.*`, whose shapes
/// `dnd-model` defines.
#[derive(Clone, Debug, PartialEq)]
pub struct Bundle {
    /// Everything that is not a tensor.
    pub header: BundleHeader,
    /// Tensors by name.
    pub tensors: BTreeMap<String, BundleTensor>,
}

/// A tensor of a bundle: shape, row-major values and storage format.
pub type BundleTensor = StoredTensor;

/// The JSON header of a bundle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BundleHeader {
    /// Format version, [`FORMAT`].
    pub format: u32,
    /// Configuration of the generator, typed by `dnd-model`.
    pub generator: Value,
    /// Layout of the generated adapters.
    pub layout: Layout,
    /// Dimensions of the base model, for adapters in GGUF; none in a bundle of the weights
    /// objective.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<BaseDimensions>,
    /// The text encoder that the generator was trained with.
    pub encoder: EncoderId,
    /// Prompts per condition, N.
    pub prompts: usize,
    /// Tokens per prompt after truncation or padding, L.
    pub tokens_per_prompt: usize,
    /// Names of the training tasks, one per row of the tensor [`TASKS`]; empty in a bundle
    /// without it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<String>,
    /// Provenance of the generator; free form.
    pub provenance: Value,
}

/// Which text encoder a generator needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EncoderId {
    /// Name, for display and to find the files.
    pub name: String,
    /// SHA-256 of the encoder weights, in lowercase hexadecimal.
    pub sha256: String,
}

impl Bundle {
    /// Reads a bundle; `source_name` names it in errors.
    ///
    /// Fails when the file is damaged or has another format version, when the statistics are
    /// missing or do not match the layout, or when a tensor is not f32, f16, bf16 or int8 with
    /// scales, or has values that are not finite.
    pub fn read(bytes: &[u8], source_name: &str) -> Result<Bundle, Error> {
        let file = TensorFile::new(bytes, source_name)?;
        let header = file.text(HEADER_KEY).ok_or_else(|| {
            Error::field(
                source_name,
                "metadata",
                "the key \"dnd\" of a bundle",
                "none, as in a model's or an adapter's weights",
            )
        })?;
        // Check the version first: other versions may have a different header.
        let json = |error| Error::json(format!("{source_name}: header"), error);
        let version: Version = serde_json::from_str(header).map_err(json)?;
        check_format(source_name, version.format)?;
        let header: BundleHeader = serde_json::from_str(header).map_err(json)?;
        let mut tensors = BTreeMap::new();
        for name in file.names() {
            let tensor = file.tensor(&name)?;
            tensors.insert(name, tensor);
        }
        let bundle = Bundle { header, tensors };
        bundle.validate(source_name)?;
        Ok(bundle)
    }

    /// Serializes the bundle. The output is deterministic.
    ///
    /// Fails where [`Bundle::read`] would, and when a value is too large for its precision.
    pub fn write(&self) -> Result<Vec<u8>, Error> {
        self.validate("bundle")?;
        let header = serde_json::to_string(&self.header)
            .map_err(|error| Error::json("bundle: header", error))?;
        let tensors = self.tensors.iter().map(|(name, tensor)| {
            (
                name.clone(),
                tensor.shape.as_slice(),
                tensor.data.as_slice(),
                tensor.storage,
            )
        });
        tensor_file::write("bundle", tensors, (HEADER_KEY, header))
    }

    /// Mean and scale of the weight tokens.
    pub fn statistics(&self) -> Result<Statistics, Error> {
        let mean = self.tensor("bundle", MEAN)?.data.clone();
        let scale = self.tensor("bundle", SCALE)?.data.clone();
        Ok(Statistics { mean, scale })
    }

    /// Sets the statistics; `mean` is the storage of the mean. Fails when the lengths do not
    /// match the layout of the header.
    pub fn set_statistics(
        &mut self,
        statistics: &Statistics,
        mean: impl Into<Storage>,
    ) -> Result<(), Error> {
        let [mean_shape, scale_shape] = self.statistics_shapes("bundle")?;
        for (name, shape, data, storage) in [
            (MEAN, mean_shape, &statistics.mean, mean.into()),
            // Only one value per token, so f32 costs little.
            (SCALE, scale_shape, &statistics.scale, Precision::F32.into()),
        ] {
            let tensor = BundleTensor {
                shape,
                data: data.clone(),
                storage,
            };
            self.tensors.insert(name.to_owned(), tensor);
        }
        self.validate("bundle")
    }

    /// Training tasks and the mean embeddings of their prompts, of unit length; empty in a
    /// bundle without them.
    pub fn task_embeddings(&self) -> Vec<(String, Vec<f32>)> {
        let Some(tensor) = self.tensors.get(TASKS) else {
            return Vec::new();
        };
        let width = tensor.data.len() / self.header.tasks.len().max(1);
        let rows = tensor.data.chunks(width.max(1)).map(<[f32]>::to_vec);
        self.header.tasks.iter().cloned().zip(rows).collect()
    }

    /// Sets the training tasks and their embeddings, stored in `precision`. Fails when the
    /// embeddings differ in width.
    pub fn set_task_embeddings(
        &mut self,
        tasks: Vec<(String, Vec<f32>)>,
        precision: Precision,
    ) -> Result<(), Error> {
        let width = tasks.first().map_or(0, |(_, embedding)| embedding.len());
        let shape = vec![tasks.len(), width];
        let (names, rows): (Vec<_>, Vec<_>) = tasks.into_iter().unzip();
        self.header.tasks = names;
        self.tensors.insert(
            TASKS.to_owned(),
            BundleTensor {
                shape,
                data: rows.concat(),
                storage: precision.into(),
            },
        );
        self.validate("bundle")
    }

    fn tensor(&self, source_name: &str, name: &str) -> Result<&BundleTensor, Error> {
        self.tensors
            .get(name)
            .ok_or_else(|| Error::tensor(source_name, name, "a tensor of this name", "none"))
    }

    /// Shapes of the mean and of the scale.
    fn statistics_shapes(&self, source_name: &str) -> Result<[Vec<usize>; 2], Error> {
        let layout = &self.header.layout;
        layout.validate(source_name)?;
        let rank = layout.uniform_rank()?;
        let width = layout.tile_width();
        let token_count = layout.token_count(width);
        Ok([vec![token_count, rank, width], vec![token_count]])
    }

    fn validate(&self, source_name: &str) -> Result<(), Error> {
        check_format(source_name, self.header.format)?;
        for (field, value) in [
            ("prompts", self.header.prompts),
            ("tokens_per_prompt", self.header.tokens_per_prompt),
        ] {
            if value == 0 {
                return Err(Error::field(source_name, field, "at least 1", value));
            }
        }
        let [mean_shape, scale_shape] = self.statistics_shapes(source_name)?;
        for (name, shape) in [(MEAN, mean_shape), (SCALE, scale_shape)] {
            let found = &self.tensor(source_name, name)?.shape;
            if *found != shape {
                let expected = format!("shape {shape:?}");
                return Err(Error::tensor(
                    source_name,
                    name,
                    expected,
                    format!("shape {found:?}"),
                ));
            }
        }
        let tasks = self.header.tasks.len();
        let rows = self.tensors.get(TASKS).map(|tensor| &tensor.shape[..]);
        if rows.map_or(tasks != 0, |shape| shape.len() != 2 || shape[0] != tasks) {
            return Err(Error::tensor(
                source_name,
                TASKS,
                format!("shape [{tasks}, width], one row per task of the header"),
                rows.map_or("nothing".to_owned(), |shape| format!("shape {shape:?}")),
            ));
        }
        for (name, tensor) in &self.tensors {
            let product = tensor
                .shape
                .iter()
                .try_fold(1_usize, |product, &size| product.checked_mul(size));
            if product != Some(tensor.data.len()) {
                let expected = format!("as many values as shape {:?} has", tensor.shape);
                return Err(Error::tensor(
                    source_name,
                    name,
                    expected,
                    tensor.data.len(),
                ));
            }
        }
        match self
            .tensor(source_name, SCALE)?
            .data
            .iter()
            .find(|&&scale| scale <= 0.0)
        {
            None => Ok(()),
            Some(scale) => Err(Error::tensor(source_name, SCALE, "positive values", scale)),
        }
    }
}

#[derive(Deserialize)]
struct Version {
    format: u32,
}

fn check_format(source_name: &str, format: u32) -> Result<(), Error> {
    if format != FORMAT {
        return Err(Error::field(source_name, "format", FORMAT, format));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
