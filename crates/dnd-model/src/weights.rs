//! Named tensors with checked shapes, from a safetensors file, a GGUF file or a bundle.

use std::collections::BTreeMap;

use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use dnd_adapter::gguf::{BlockType, Gguf, unpermute_rows};
use dnd_adapter::tensor_file::TensorFile;
use dnd_adapter::{BundleTensor, Precision};
use dnd_kernels::{Blocks, Bytes, HalfFormat, HalfMatrix, Quantized};

use crate::Error;

/// Reads tensors of one file as f32. Tensors of a model have their Hugging Face names, those of
/// a bundle their own.
pub struct Weights<'a> {
    source_name: String,
    file: File<'a>,
    /// The bytes of each safetensors file, where matrices may keep them.
    kept: Vec<Bytes>,
}

enum File<'a> {
    /// Parts of a model, each with its own tensors.
    Safetensors(Vec<TensorFile<'a>>),
    Gguf {
        gguf: Gguf<'a>,
        /// Numbers of query and key heads, when the rows of q and k are stored permuted.
        permuted_heads: Option<(usize, usize)>,
    },
    Bundle(&'a BTreeMap<String, BundleTensor>),
}

impl<'a> Weights<'a> {
    /// Opens a safetensors file.
    ///
    /// # Errors
    /// [`Error::Adapter`] when `bytes` are not a complete safetensors file.
    pub fn from_safetensors(bytes: &'a [u8], source_name: &str) -> Result<Self, Error> {
        Self::from_shards(&[(bytes, source_name.to_owned())], source_name)
    }

    /// Opens the safetensors files that a model's tensors are spread over, each with its name.
    ///
    /// # Errors
    /// [`Error::Adapter`] when one of them is not a complete safetensors file.
    pub fn from_shards(shards: &[(&'a [u8], String)], source_name: &str) -> Result<Self, Error> {
        let files = shards
            .iter()
            .map(|(bytes, name)| TensorFile::new(bytes, name));
        let files = files.collect::<Result<Vec<_>, _>>()?;
        Ok(Self::new(source_name, File::Safetensors(files)))
    }

    /// Opens a GGUF file of a Llama or Qwen2 model. In the Llama family, q and k rows are
    /// stored in llama.cpp's rotary order; reading restores the Hugging Face order.
    ///
    /// # Errors
    /// When the head counts are missing from the metadata.
    pub fn from_gguf(gguf: Gguf<'a>, source_name: &str) -> Result<Self, Error> {
        let dimensions = dnd_adapter::BaseDimensions::from_gguf(&gguf)?;
        let permuted_heads = (dimensions.architecture == "llama").then_some((
            dimensions.num_attention_heads,
            dimensions.num_key_value_heads,
        ));
        Ok(Self::new(
            source_name,
            File::Gguf {
                gguf,
                permuted_heads,
            },
        ))
    }

    /// Lets matrices in 16 bits stay in these bytes, those of each safetensors file.
    pub fn keep(self, kept: Vec<Bytes>) -> Self {
        Self { kept, ..self }
    }

    /// Takes the tensors of a bundle.
    pub fn from_bundle(tensors: &'a BTreeMap<String, BundleTensor>, source_name: &str) -> Self {
        Self::new(source_name, File::Bundle(tensors))
    }

    fn new(source_name: &str, file: File<'a>) -> Self {
        Self {
            source_name: source_name.to_owned(),
            file,
            kept: Vec::new(),
        }
    }

    /// The file's name, for errors.
    pub fn source_name(&self) -> &str {
        &self.source_name
    }

    /// Whether the file has the tensor `name`.
    pub fn contains(&self, name: &str) -> bool {
        match &self.file {
            File::Safetensors(files) => files.iter().any(|file| file.shape(name).is_ok()),
            File::Gguf { gguf, .. } => {
                gguf_name(name).is_some_and(|name| gguf.tensor(&name).is_ok())
            }
            File::Bundle(tensors) => tensors.contains_key(name),
        }
    }

    /// The tensor `name` with the given shape, on `device`.
    ///
    /// # Errors
    /// When it is missing or has the wrong shape or an unsupported type.
    pub fn tensor<const D: usize>(
        &self,
        name: &str,
        shape: [usize; D],
        device: &Device,
    ) -> Result<Tensor<D>, Error> {
        let values = self.values(name, &shape)?;
        Ok(Tensor::from_data(TensorData::new(values, shape), device))
    }

    /// The tensor `name` as a parameter of a module.
    ///
    /// # Errors
    /// As [`tensor`](Self::tensor).
    pub(crate) fn parameter<const D: usize>(
        &self,
        name: &str,
        shape: [usize; D],
        device: &Device,
    ) -> Result<Param<Tensor<D>>, Error> {
        Ok(Param::from_tensor(self.tensor(name, shape, device)?))
    }

    /// The values of the tensor `name`, row-major. Bundle shapes are compared before anything
    /// is allocated, so that a configuration with huge sizes cannot exhaust memory.
    ///
    /// # Errors
    /// As [`tensor`](Self::tensor).
    pub(crate) fn values(&self, name: &str, expected: &[usize]) -> Result<Vec<f32>, Error> {
        let (found, values) = match &self.file {
            File::Bundle(tensors) => {
                let stored = tensors.get(name).ok_or_else(|| self.missing(name))?;
                let is_right = stored.shape == expected;
                let values = is_right.then(|| stored.data.clone());
                (stored.shape.clone(), values.unwrap_or_default())
            }
            File::Safetensors(files) => {
                let file = files.iter().find(|file| file.shape(name).is_ok());
                let file = file.ok_or_else(|| self.missing(name))?;
                let stored = file.tensor(name)?;
                (stored.shape, stored.data)
            }
            File::Gguf { gguf, .. } => {
                let stored = gguf_name(name).ok_or_else(|| self.missing(name))?;
                let info = gguf.tensor(&stored).map_err(|_| self.missing(name))?;
                let values = match self.permuted_heads(name) {
                    Some(heads) => gguf.dequantize_unpermuted(&stored, heads),
                    None => gguf.dequantize(&stored),
                };
                (
                    info.shape.clone(),
                    values.map_err(dnd_adapter::Error::from)?,
                )
            }
        };
        if found != expected {
            return Err(Error::Shape {
                source_name: self.source_name.clone(),
                tensor: name.to_owned(),
                expected: expected.to_vec(),
                found,
            });
        }
        Ok(values)
    }

    /// The matrix `name`, if the file has it quantized in blocks that products read as they are.
    pub(crate) fn quantized(&self, name: &str, shape: [usize; 2]) -> Option<Quantized> {
        let File::Gguf { gguf, .. } = &self.file else {
            return None;
        };
        let info = gguf.tensor(&gguf_name(name)?).ok()?;
        let blocks = match info.block_type()? {
            BlockType::Q4_1 => Blocks::Q4_1,
            BlockType::Q8_0 => Blocks::Q8_0,
            _ => return None,
        };
        let bytes = gguf.bytes(info).ok().filter(|_| info.shape == shape)?;
        match self.permuted_heads(name) {
            Some(heads) => {
                let row = bytes.len().checked_div(shape[0])?;
                let bytes = unpermute_rows(bytes, shape[0], row, heads)?;
                Quantized::new(blocks, &bytes, shape)
            }
            None => Quantized::new(blocks, bytes, shape),
        }
    }

    /// The matrix `name`, if the file has it in 16 bits and its bytes may be kept.
    ///
    /// # Errors
    /// When a value is not finite.
    pub(crate) fn half(&self, name: &str, shape: [usize; 2]) -> Result<Option<HalfMatrix>, Error> {
        let File::Safetensors(files) = &self.file else {
            return Ok(None);
        };
        let mut files = files.iter().zip(&self.kept);
        let Some((file, bytes)) = files.find(|(file, _)| file.shape(name).is_ok()) else {
            return Ok(None);
        };
        let (format, exponent) = match file.place(name) {
            Some((Precision::Bf16, _)) => (HalfFormat::Bf16, 0x7f80),
            Some((Precision::F16, _)) => (HalfFormat::F16, 0x7c00),
            _ => return Ok(None),
        };
        let is_right = file.shape(name).is_ok_and(|found| found == shape);
        let place = file.place(name).filter(|_| is_right);
        let Some((_, range)) = place else {
            return Ok(None);
        };
        let numbers = (**bytes).as_ref()[range.clone()].as_chunks::<2>().0.iter();
        let mut bits = numbers.map(|bytes| u16::from_le_bytes(*bytes));
        if bits.any(|bits| bits & exponent == exponent) {
            // Reading it in f32 names the place.
            self.values(name, &shape)?;
        }
        let bytes = Bytes::clone(bytes);
        Ok(HalfMatrix::new(format, bytes, range.start, shape))
    }

    /// Heads of a query or key projection whose rows are stored permuted.
    fn permuted_heads(&self, name: &str) -> Option<usize> {
        let File::Gguf { permuted_heads, .. } = &self.file else {
            return None;
        };
        let (queries, keys) = (*permuted_heads)?;
        if name.contains(".q_proj.") {
            Some(queries)
        } else if name.contains(".k_proj.") {
            Some(keys)
        } else {
            None
        }
    }

    fn missing(&self, name: &str) -> Error {
        Error::MissingTensor {
            source_name: self.source_name.clone(),
            tensor: name.to_owned(),
        }
    }
}

/// GGUF name of the tensor with the Hugging Face name `name` (llama.cpp,
/// gguf-py/gguf/tensor_mapping.py).
fn gguf_name(name: &str) -> Option<String> {
    let fixed = match name {
        "model.embed_tokens.weight" => Some("token_embd.weight"),
        "model.norm.weight" => Some("output_norm.weight"),
        "lm_head.weight" => Some("output.weight"),
        _ => None,
    };
    if let Some(fixed) = fixed {
        return Some(fixed.to_owned());
    }
    let (layer, rest) = name.strip_prefix("model.layers.")?.split_once('.')?;
    let (module, parameter) = rest.rsplit_once('.')?;
    let module = match module {
        "input_layernorm" => "attn_norm",
        "post_attention_layernorm" => "ffn_norm",
        "self_attn.q_norm" => "attn_q_norm",
        "self_attn.k_norm" => "attn_k_norm",
        "self_attn.q_proj" => "attn_q",
        "self_attn.k_proj" => "attn_k",
        "self_attn.v_proj" => "attn_v",
        "self_attn.o_proj" => "attn_output",
        "mlp.gate_proj" => "ffn_gate",
        "mlp.up_proj" => "ffn_up",
        "mlp.down_proj" => "ffn_down",
        _ => return None,
    };
    Some(format!("blk.{layer}.{module}.{parameter}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use dnd_adapter::{Precision, tensor_file};

    #[test]
    fn gguf_names() {
        assert_eq!(
            gguf_name("model.layers.7.self_attn.o_proj.weight").as_deref(),
            Some("blk.7.attn_output.weight")
        );
        assert_eq!(
            gguf_name("lm_head.weight").as_deref(),
            Some("output.weight")
        );
        assert_eq!(gguf_name("model.layers.7.other.weight"), None);
    }

    #[test]
    fn wrong_shape_names_both() {
        let tensor = ("x".to_owned(), &[1][..], &[1.0][..], Precision::F32.into());
        let bytes = tensor_file::write("x", [tensor], ("format", "pt".to_owned())).unwrap();
        let weights = Weights::from_safetensors(&bytes, "model.safetensors").unwrap();
        let error = weights
            .tensor("x", [2], &Device::flex())
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            "model.safetensors: tensor `x`: expected shape [2], found [1]"
        );
    }
}
