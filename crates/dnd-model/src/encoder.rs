//! The text encoder: a BERT model that gives token-level last hidden states.
//!
//! Follows `modeling_bert.py` of transformers; checked against MiniLM-L6 (`all-MiniLM-L6-v2`).

use burn::tensor::{Device, Int, Tensor, TensorData};
use dnd_kernels::cores::split_across_cores;
use dnd_kernels::epilogue::LinearEpilogue;
use dnd_kernels::linear::linear;
use dnd_kernels::{FrozenMatrix, attend_rows, embed, layer_norm};
use serde::Deserialize;

use crate::{Error, Weights};

/// The fields of a BERT `config.json` that the encoder needs.
#[derive(Debug, Clone, Deserialize)]
pub struct TextEncoderConfig {
    /// Size of the vocabulary.
    pub vocab_size: usize,
    /// Width C of a hidden state.
    pub hidden_size: usize,
    /// Width of the feed-forward layer.
    pub intermediate_size: usize,
    /// Number of transformer layers.
    pub num_hidden_layers: usize,
    /// Number of attention heads; divides `hidden_size`.
    pub num_attention_heads: usize,
    /// Longest sequence that has a position embedding.
    pub max_position_embeddings: usize,
    /// Number of token types.
    pub type_vocab_size: usize,
    /// Added to the variance in layer norms.
    pub layer_norm_eps: f64,
    /// Activation of the feed-forward layer; only `gelu` is supported.
    pub hidden_act: String,
}

impl TextEncoderConfig {
    /// Reads a Hugging Face `config.json`.
    ///
    /// # Errors
    /// When a field is missing or has an unsupported value.
    pub fn from_json(text: &str, source_name: &str) -> Result<Self, Error> {
        let config: Self = serde_json::from_str(text).map_err(|e| Error::format(source_name, e))?;
        if config.hidden_act != "gelu" {
            return Err(Error::field(
                source_name,
                "hidden_act",
                "gelu",
                &config.hidden_act,
            ));
        }
        if config.num_attention_heads == 0
            || !config
                .hidden_size
                .is_multiple_of(config.num_attention_heads)
        {
            return Err(Error::field(
                source_name,
                "num_attention_heads",
                &format!("a divisor of hidden_size {}", config.hidden_size),
                config.num_attention_heads,
            ));
        }
        if config.type_vocab_size == 0 {
            return Err(Error::field(
                source_name,
                "type_vocab_size",
                "at least 1",
                0,
            ));
        }
        Ok(config)
    }

    /// Loads the encoder's weights onto `device`.
    ///
    /// # Errors
    /// When a tensor is missing or has another shape.
    pub fn load(&self, weights: &Weights, device: &Device) -> Result<TextEncoder, Error> {
        // Some exports keep the `bert.` prefix of the full model.
        let prefix = if weights.contains("bert.embeddings.word_embeddings.weight") {
            "bert."
        } else {
            ""
        };
        let hidden = self.hidden_size;
        let name = |rest: &str| format!("{prefix}{rest}");
        let embedding = |rest: &str, rows| -> Result<Tensor<2>, Error> {
            weights.tensor(&name(rest), [rows, hidden], device)
        };
        let positions = embedding(
            "embeddings.position_embeddings.weight",
            self.max_position_embeddings,
        )?;
        let types = embedding(
            "embeddings.token_type_embeddings.weight",
            self.type_vocab_size,
        )?;
        let words = [self.vocab_size, hidden];
        let word_values = weights.values(&name("embeddings.word_embeddings.weight"), &words)?;
        let layers = (0..self.num_hidden_layers)
            .map(|index| {
                let at = |rest: &str| format!("{prefix}encoder.layer.{index}.{rest}");
                let linear = |rest: &str, input, output| {
                    Linear::load(weights, &[at(rest)], input, output, device)
                };
                let attention = ["query", "key", "value"];
                let attention = attention.map(|rest| at(&format!("attention.self.{rest}")));
                let norm = |rest: &str| LayerNorm::load(weights, &at(rest), self, device);
                Ok(Layer {
                    attention: Linear::load(weights, &attention, hidden, hidden, device)?,
                    output: linear("attention.output.dense", hidden, hidden)?,
                    attention_norm: norm("attention.output.LayerNorm")?,
                    up: linear("intermediate.dense", hidden, self.intermediate_size)?,
                    down: linear("output.dense", self.intermediate_size, hidden)?,
                    output_norm: norm("output.LayerNorm")?,
                })
            })
            .collect::<Result<_, Error>>()?;
        Ok(TextEncoder {
            word_embeddings: FrozenMatrix::half(word_values, words, device),
            // All tokens have type 0.
            position_embeddings: positions + types.narrow(0, 0, 1),
            norm: LayerNorm::load(weights, &name("embeddings.LayerNorm"), self, device)?,
            layers,
            heads: self.num_attention_heads,
        })
    }
}

/// A frozen BERT encoder; a clone shares its weights.
#[derive(Clone)]
pub struct TextEncoder {
    /// (vocabulary, C).
    word_embeddings: FrozenMatrix,
    /// Position embeddings plus the embedding of token type 0: (positions, C).
    position_embeddings: Tensor<2>,
    norm: LayerNorm,
    layers: Vec<Layer>,
    heads: usize,
}

impl TextEncoder {
    /// Width C of the hidden states.
    pub fn hidden_size(&self) -> usize {
        self.word_embeddings.shape()[1]
    }

    /// Size of the vocabulary.
    pub fn vocab_size(&self) -> usize {
        self.word_embeddings.shape()[0]
    }

    /// Longest sequence L that has position embeddings.
    pub fn max_length(&self) -> usize {
        self.position_embeddings.dims()[0]
    }

    /// Token-level last hidden states of shape (N, L, C).
    ///
    /// `ids` and `mask` have shape (N, L); the mask is 1 at real tokens, 0 at padding. States
    /// at padding are meaningless. L is at most `max_position_embeddings`.
    pub fn forward(&self, ids: Tensor<2, Int>, mask: Tensor<2>) -> Tensor<3> {
        let [prompts, length] = ids.dims();
        let hidden = self.hidden_size();
        let state = embed(
            ids,
            &self.word_embeddings,
            self.position_embeddings.clone(),
            self.norm.scale.clone(),
            self.norm.shift.clone(),
            self.norm.epsilon,
        );
        // Additive attention bias: 0 at real tokens, -1e9 at padding.
        let bias = (mask - 1.0) * 1e9;
        let state = split_across_cores(state, bias, |mut state, bias| {
            for layer in &self.layers {
                state = layer.forward(state, bias.clone(), self.heads);
            }
            state
        });
        state.reshape([prompts, length, hidden])
    }
}

#[derive(Clone)]
struct Layer {
    /// Query, key and value projections, concatenated.
    attention: Linear,
    output: Linear,
    attention_norm: LayerNorm,
    up: Linear,
    down: Linear,
    output_norm: LayerNorm,
}

impl Layer {
    /// (N * L, C) to (N * L, C); `bias` is (N, L).
    fn forward(&self, state: Tensor<2>, bias: Tensor<2>, heads: usize) -> Tensor<2> {
        let rows = self
            .attention
            .forward(state.clone(), LinearEpilogue::Identity);
        let context = attend_rows(rows, bias, heads);
        let sum = self
            .output
            .forward(context, LinearEpilogue::Residual(state));
        let state = self.attention_norm.forward(sum);
        let fed = self.up.forward(state.clone(), LinearEpilogue::Gelu);
        let sum = self.down.forward(fed, LinearEpilogue::Residual(state));
        self.output_norm.forward(sum)
    }
}

#[derive(Clone)]
struct Linear {
    /// (output, input), in f16 on devices that run WGSL; exact when the file is f16.
    weight: FrozenMatrix,
    /// (1, output).
    bias: Tensor<2>,
}

impl Linear {
    /// Loads the layers `names`, each with `output` outputs, as one layer with concatenated
    /// outputs.
    fn load(
        weights: &Weights,
        names: &[String],
        input: usize,
        output: usize,
        device: &Device,
    ) -> Result<Self, Error> {
        let (mut values, mut bias) = (Vec::new(), Vec::new());
        for name in names {
            values.extend(weights.values(&format!("{name}.weight"), &[output, input])?);
            bias.extend(weights.values(&format!("{name}.bias"), &[output])?);
        }
        let output = names.len() * output;
        Ok(Self {
            weight: FrozenMatrix::inference(values, [output, input], device),
            bias: Tensor::from_data(TensorData::new(bias, [1, output]), device),
        })
    }

    fn forward(&self, input: Tensor<2>, epilogue: LinearEpilogue) -> Tensor<2> {
        linear(input, &self.weight, self.bias.clone(), epilogue)
    }
}

#[derive(Clone)]
struct LayerNorm {
    scale: Tensor<1>,
    shift: Tensor<1>,
    epsilon: f64,
}

impl LayerNorm {
    fn load(
        weights: &Weights,
        name: &str,
        config: &TextEncoderConfig,
        device: &Device,
    ) -> Result<Self, Error> {
        let parameter =
            |rest: &str| weights.tensor(&format!("{name}.{rest}"), [config.hidden_size], device);
        Ok(Self {
            scale: parameter("weight")?,
            shift: parameter("bias")?,
            epsilon: config.layer_norm_eps,
        })
    }

    fn forward(&self, input: Tensor<2>) -> Tensor<2> {
        layer_norm(input, self.scale.clone(), self.shift.clone(), self.epsilon)
    }
}
