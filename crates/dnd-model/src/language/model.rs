//! The decoder: embedding, layers, final norm and logits.
//!
//! Follows `modeling_llama.py`, `modeling_qwen2.py` and `modeling_qwen3.py` of transformers.

use std::sync::Arc;

use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Tensor, TensorData, module};
use dnd_adapter::Projection;
use dnd_adapter::gguf::{Gguf, lora};
use dnd_kernels::{FrozenMatrix, HalfMatrix, Quantized, rms_norm, silu_mul};

use super::attention::{Attention, LayerLora, Rotary, Step, causal_mask, id_tensor};
use super::cache::LayerCache;
use super::linear::{Linear, MatmulDtype};
use super::{Cache, LanguageModelConfig, LanguageTokenizer, TokenBatch};
use crate::{Error, Lora, Weights};

/// A frozen base model.
pub struct LanguageModel {
    config: LanguageModelConfig,
    device: Device,
    /// (vocabulary, hidden).
    embedding: Embedding,
    pub(super) layers: Vec<Layer>,
    pub(super) norm: RmsNorm,
    /// (vocabulary, hidden): `lm_head`, or the tied embedding.
    output: FrozenMatrix,
}

/// Embeddings of tokens (vocabulary, hidden).
#[allow(clippy::large_enum_variant, reason = "one per model")]
enum Embedding {
    Plain(Tensor<2>),
    Half(HalfMatrix),
    Quantized(Arc<Quantized>),
}

impl Embedding {
    /// Rows of these tokens: (tokens, hidden).
    fn rows(&self, ids: &[u32], hidden: usize, device: &Device) -> Tensor<2> {
        match self {
            Self::Plain(weight) => {
                let ids = id_tensor(ids, [1, ids.len()], device);
                module::embedding(weight.clone(), ids).squeeze_dim(0)
            }
            Self::Half(matrix) => of_rows(ids, hidden, device, |row, to| matrix.push_row(row, to)),
            Self::Quantized(matrix) => {
                of_rows(ids, hidden, device, |row, to| matrix.push_row(row, to))
            }
        }
    }
}

/// Rows that `push` appends the values of.
fn of_rows(
    ids: &[u32],
    hidden: usize,
    device: &Device,
    push: impl Fn(usize, &mut Vec<f32>),
) -> Tensor<2> {
    let mut rows = Vec::with_capacity(ids.len() * hidden);
    for &id in ids {
        push(id as usize, &mut rows);
    }
    Tensor::from_data(TensorData::new(rows, [ids.len(), hidden]), device)
}

pub(super) struct Layer {
    attention_norm: RmsNorm,
    attention: Attention,
    feed_forward_norm: RmsNorm,
    gate: Linear,
    up: Linear,
    down: Linear,
}

impl LanguageModelConfig {
    /// Loads the model's weights onto `device`.
    ///
    /// # Errors
    /// When a tensor is missing or has another shape; [`Error::NoBf16`].
    pub fn load(
        &self,
        weights: &Weights,
        matmul_dtype: MatmulDtype,
        device: &Device,
    ) -> Result<LanguageModel, Error> {
        let dimensions = &self.dimensions;
        let hidden = dimensions.hidden_size;
        let vocabulary = [self.vocab_size, hidden];
        let norm_of = |name: &str, width: usize| {
            Ok::<_, Error>(RmsNorm {
                weight: weights
                    .tensor::<1>(name, [width], device)?
                    .reshape([1, width]),
                epsilon: self.rms_norm_eps,
            })
        };
        let norm = |name: &str| norm_of(name, hidden);
        let layers = (0..dimensions.num_layers)
            .map(|index| {
                let linear = |projection: Projection| {
                    let name = format!(
                        "model.layers.{index}.{}.{}",
                        projection.block(),
                        projection.name()
                    );
                    let (input, output) = dimensions.projection_shape(projection);
                    Linear::load(weights, &name, [output, input], matmul_dtype, device)
                };
                let head_norm = |name: &str| {
                    let name = format!("model.layers.{index}.self_attn.{name}.weight");
                    norm_of(&name, dimensions.head_dim)
                };
                let norms = match dimensions.architecture.as_str() {
                    "qwen3" => Some([head_norm("q_norm")?, head_norm("k_norm")?]),
                    _ => None,
                };
                Ok(Layer {
                    attention_norm: norm(&format!("model.layers.{index}.input_layernorm.weight"))?,
                    attention: Attention {
                        query: linear(Projection::Query)?,
                        key: linear(Projection::Key)?,
                        value: linear(Projection::Value)?,
                        output: linear(Projection::Output)?,
                        norms,
                        key_value_heads: dimensions.num_key_value_heads,
                        head_dim: dimensions.head_dim,
                    },
                    feed_forward_norm: norm(&format!(
                        "model.layers.{index}.post_attention_layernorm.weight"
                    ))?,
                    gate: linear(Projection::Gate)?,
                    up: linear(Projection::Up)?,
                    down: linear(Projection::Down)?,
                })
            })
            .collect::<Result<_, Error>>()?;
        let embedding_name = "model.embed_tokens.weight";
        let quantized = matmul_dtype.quantized(weights, embedding_name, vocabulary);
        let own = weights
            .contains("lm_head.weight")
            .then(|| matmul_dtype.matrix(weights, "lm_head.weight", vocabulary, device));
        let half = matmul_dtype.half(weights, embedding_name, vocabulary, device)?;
        // Tied: one matrix serves both.
        let tied = || match (&quantized, &half) {
            (Some(matrix), _) => FrozenMatrix::quantized(matrix, device),
            (None, half) => half.clone().map(FrozenMatrix::stored_half),
        };
        let (embedding, output) = match (own.transpose()?.or_else(tied), &quantized, half) {
            (Some(output), Some(matrix), _) => (Embedding::Quantized(Arc::clone(matrix)), output),
            (Some(output), None, Some(matrix)) => (Embedding::Half(matrix), output),
            (output, ..) => {
                let embedding = weights.tensor(embedding_name, vocabulary, device)?;
                let output = match output {
                    Some(output) => output,
                    None if *device != Device::flex() => FrozenMatrix::new(embedding.clone()),
                    None => matmul_dtype.matrix(weights, embedding_name, vocabulary, device)?,
                };
                (Embedding::Plain(embedding), output)
            }
        };
        Ok(LanguageModel {
            embedding,
            layers,
            norm: norm("model.norm.weight")?,
            output,
            config: self.clone(),
            device: device.clone(),
        })
    }
}

impl LanguageModel {
    /// Reads the model and its tokenizer from a GGUF file; `source_name` names it in errors.
    ///
    /// # Errors
    /// When the file is malformed, a LoRA adapter or of an unsupported kind; [`Error::NoBf16`].
    pub fn from_gguf(
        bytes: &[u8],
        source_name: &str,
        matmul_dtype: MatmulDtype,
        device: &Device,
    ) -> Result<(Self, LanguageTokenizer), Error> {
        if lora::is_adapter(bytes, source_name).map_err(dnd_adapter::Error::from)? {
            let expected = "a model, not a LoRA adapter, which goes beside one";
            return Err(Error::field(
                source_name,
                "general.type",
                expected,
                "adapter",
            ));
        }
        let gguf = Gguf::parse(bytes, source_name).map_err(dnd_adapter::Error::from)?;
        if let Ok(parts) = gguf.unsigned("split.count")
            && parts > 1
        {
            let expected = "a whole model; `llama-gguf-split --merge FIRST_PART WHOLE` joins parts";
            let part = gguf.unsigned("split.no").unwrap_or_default() + 1;
            let found = format!("part {part} of {parts}");
            return Err(Error::field(source_name, "split.count", expected, found));
        }
        let tokenizer = LanguageTokenizer::from_gguf(&gguf, source_name)?;
        let config = LanguageModelConfig::from_gguf(&gguf, source_name)?;
        tokenizer.check_vocabulary(config.vocab_size, source_name)?;
        let weights = Weights::from_gguf(gguf, source_name)?;
        Ok((config.load(&weights, matmul_dtype, device)?, tokenizer))
    }

    /// The model's configuration.
    pub fn config(&self) -> &LanguageModelConfig {
        &self.config
    }

    /// The device of the weights.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Computes hidden states (B * T, hidden) after the final norm and extends `cache` by T.
    ///
    /// A cache filled with a batch of one is shared by all B rows.
    pub fn forward(&self, batch: &TokenBatch, lora: Option<&Lora>, cache: &mut Cache) -> Tensor<2> {
        let step = self.step(batch, cache.len());
        let mut state = self.embed(batch);
        cache
            .layers
            .resize_with(self.layers.len(), LayerCache::default);
        let layers = self.layers.iter().zip(&mut cache.layers);
        for (index, (layer, cache)) in layers.enumerate() {
            let lora = LayerLora { lora, layer: index };
            state = layer.forward(state, &step, lora, cache);
        }
        self.norm.forward(state)
    }

    /// What the layers share when they read `batch` behind `cached` positions.
    pub(super) fn step(&self, batch: &TokenBatch, cached: usize) -> Step {
        let total = cached + batch.shape[1];
        Step {
            shape: batch.shape,
            rotary: Rotary::new(
                &batch.positions,
                batch.shape,
                &self.config.frequencies,
                &self.device,
            ),
            mask: causal_mask(&batch.columns, batch.shape, total, &self.device),
        }
    }

    /// (B * T, hidden).
    pub(super) fn embed(&self, batch: &TokenBatch) -> Tensor<2> {
        let hidden = self.config.dimensions.hidden_size;
        self.embedding.rows(&batch.ids, hidden, &self.device)
    }

    /// Logits (rows, vocabulary) of hidden states (rows, hidden).
    pub fn logits(&self, hidden: Tensor<2>) -> Tensor<2> {
        self.output.product(hidden)
    }

    /// Cross-entropies (rows), in nats, of `answers` by hidden states (rows, hidden). On the CPU,
    /// not all logits are in memory at once.
    ///
    /// # Panics
    /// If there are not as many answers as rows, or an answer is no token.
    pub fn cross_entropy(&self, hidden: Tensor<2>, answers: Vec<u32>) -> Tensor<1> {
        let count = answers.len();
        let ids = id_tensor(&answers, [count, 1], &self.device);
        if let Some(losses) = self.output.cross_entropy(hidden.clone(), answers) {
            return losses;
        }
        let logits = log_softmax(self.logits(hidden), 1);
        -logits.gather(1, ids).reshape([count])
    }
}

impl Layer {
    pub(super) fn forward(
        &self,
        state: Tensor<2>,
        step: &Step,
        lora: LayerLora,
        cache: &mut LayerCache,
    ) -> Tensor<2> {
        let normed = self.attention_norm.forward(state.clone());
        let state = state + self.attention.forward(normed, step, lora, cache);
        let normed = self.feed_forward_norm.forward(state.clone());
        let gate = self
            .gate
            .forward(normed.clone(), lora.factors(Projection::Gate));
        let up = self.up.forward(normed, lora.factors(Projection::Up));
        let down = self
            .down
            .forward(silu_mul(gate, up), lora.factors(Projection::Down));
        state + down
    }
}

pub(super) struct RmsNorm {
    /// (1, width).
    weight: Tensor<2>,
    epsilon: f64,
}

impl RmsNorm {
    pub(super) fn forward(&self, input: Tensor<2>) -> Tensor<2> {
        rms_norm(input, self.weight.clone(), self.epsilon as f32)
    }
}
