//! A bundle loaded onto a device: everything needed to turn prompts into an adapter.

use burn::tensor::{Device, Tensor};
use dnd_adapter::{
    Adapter, BaseDimensions, Bundle, BundleHeader, EncoderId, Layout, Statistics, tokens,
};

use crate::decoder::{self, Decoder};
use crate::{Error, GeneratorConfig, PromptDraw, PromptEncoder, TextEncoder, draw_prompts};

/// A text encoder with its tokenizer and identity.
pub struct EncoderFiles<'a> {
    /// The frozen weights.
    pub model: &'a TextEncoder,
    /// The contents of its `tokenizer.json`.
    pub tokenizer_json: &'a [u8],
    /// Its name and the SHA-256 of its weights.
    pub id: &'a EncoderId,
}

/// A bundle loaded onto a device. [`generate`](Self::generate) runs the pipeline.
pub struct AdapterGenerator {
    header: BundleHeader,
    statistics: Statistics,
    tasks: Vec<(String, Vec<f32>)>,
    decoder: Decoder,
    flops: u64,
    /// Whether the generator reads conditions of any number of prompts.
    is_pooled: bool,
    prompt_encoder: PromptEncoder,
}

/// Generator output, still on the device.
pub enum Decoded {
    /// Normalized weight tokens, flattened: (T · rank · tile width).
    Tokens(Tensor<1>),
    /// The values of all LoRA factors, in layout order.
    Factors(Tensor<1>),
}

impl Decoded {
    /// The tensor of either variant.
    pub fn values(&self) -> &Tensor<1> {
        match self {
            Self::Tokens(numbers) | Self::Factors(numbers) => numbers,
        }
    }
}

impl AdapterGenerator {
    /// Loads the bundle's generator onto `device`; `source_name` names the bundle in errors.
    ///
    /// # Errors
    /// When the bundle was made for another encoder, or its generator is malformed.
    pub fn new(
        bundle: &Bundle,
        source_name: &str,
        encoder: &EncoderFiles<'_>,
        device: &Device,
    ) -> Result<Self, Error> {
        let header = &bundle.header;
        if header.encoder.sha256 != encoder.id.sha256 {
            let name = |id: &EncoderId| format!("{} with SHA-256 {}", id.name, id.sha256);
            return Err(Error::field(
                source_name,
                "encoder",
                &name(&header.encoder),
                name(encoder.id),
            ));
        }
        let config: GeneratorConfig = serde_json::from_value(header.generator.clone())
            .map_err(|e| Error::format(source_name, format!("generator: {e}")))?;
        config.validate(source_name)?;
        let output = tokens::shape(&header.layout)?;
        let mut input = [
            header.prompts,
            header.tokens_per_prompt,
            encoder.model.hidden_size(),
        ];
        if config.pooling {
            // The pooled block has the width of the condition, and sizes of its own.
            input[..2].copy_from_slice(&config.input()[..2]);
        }
        for (field, expected, found) in [
            ("generator input", input, config.input()),
            ("generator output", output, config.output()),
        ] {
            if expected != found {
                return Err(Error::field(
                    source_name,
                    field,
                    &format!("{expected:?}"),
                    format!("{found:?}"),
                ));
            }
        }
        let statistics = bundle.statistics()?;
        let targets = decoder::targets(&header.layout, &statistics)?;
        let (tensors, mean) = (&bundle.tensors, &statistics.mean);
        let decoder = Decoder::load(tensors, source_name, &config, &targets, mean, device)?;
        Ok(Self {
            header: header.clone(),
            statistics,
            tasks: bundle.task_embeddings(),
            is_pooled: config.pooling,
            decoder,
            flops: config.flops(),
            prompt_encoder: PromptEncoder::new(
                encoder.model,
                encoder.tokenizer_json,
                header.tokens_per_prompt,
                device,
            )?,
        })
    }

    /// Which modules the generated adapters cover.
    pub fn layout(&self) -> &Layout {
        &self.header.layout
    }

    /// Dimensions of the base model, where the bundle tells them.
    pub fn base(&self) -> Option<&BaseDimensions> {
        self.header.base.as_ref()
    }

    /// The adapter that generated differences are added to.
    ///
    /// # Errors
    /// When the layout is malformed.
    pub fn mean_adapter(&self) -> Result<Adapter, Error> {
        Ok(tokens::to_adapter(
            &self.header.layout,
            &self.statistics.mean,
        )?)
    }

    /// Number of prompts N in a condition.
    pub fn prompts(&self) -> usize {
        self.header.prompts
    }

    /// Chooses and orders the prompts of a condition among `given` prompts.
    ///
    /// # Errors
    /// [`Error::NoPrompts`] when `given` is zero.
    pub fn draw(&self, given: usize, seed: u64) -> Result<PromptDraw, Error> {
        // Pooling reads any number of prompts, so that none has to be repeated.
        let wanted = if self.is_pooled {
            self.prompts().min(given)
        } else {
            self.prompts()
        };
        draw_prompts(given, wanted, seed)
    }

    /// Runs the generator on hidden states (N, L, C). `report` gets the number of
    /// [`layers`](Self::layers) done.
    pub fn decode(&self, states: Tensor<3>, report: &mut dyn FnMut(usize)) -> Decoded {
        self.decoder.decode(states.unsqueeze_dim(0), report)
    }

    /// Reads decoded values back asynchronously, as browsers require, and builds the adapter.
    /// The values of `also` are read in the same transfer, so that the device is synchronized
    /// once.
    ///
    /// # Errors
    /// [`Error::Device`], or when the number of values does not match the layout.
    pub async fn read(
        &self,
        decoded: Decoded,
        also: Tensor<1>,
    ) -> Result<(Adapter, Vec<f32>), Error> {
        let [count] = also.dims();
        let all = Tensor::cat(vec![decoded.values().clone(), also], 0);
        let mut numbers = read_values(all).await?;
        let also = numbers.split_off(numbers.len() - count);
        let layout = &self.header.layout;
        let adapter = match decoded {
            Decoded::Factors(_) => tokens::from_flat(layout, &numbers)?,
            Decoded::Tokens(_) => {
                self.statistics.denormalize(&mut numbers);
                tokens::to_adapter(layout, &numbers)?
            }
        };
        Ok((adapter, also))
    }

    /// Encodes prompts into hidden states.
    pub fn prompt_encoder(&self) -> &PromptEncoder {
        &self.prompt_encoder
    }

    /// Shape (N, L, C) of the condition that the generator reads.
    pub fn condition_shape(&self) -> [usize; 3] {
        let width = self.prompt_encoder.hidden_size();
        [self.header.prompts, self.header.tokens_per_prompt, width]
    }

    /// Multiplications and additions of the decoder for one condition.
    pub fn flops(&self) -> u64 {
        self.flops
    }

    /// Number of layers of the decoder.
    pub fn layers(&self) -> usize {
        self.decoder.generator().layers().len()
    }

    /// The generator's training tasks, each with the cosine similarity of its mean prompt
    /// embedding to `embedding`, a [`mean_embedding`](crate::mean_embedding); the most similar
    /// first. Empty when the bundle has no task embeddings.
    pub fn similar_tasks(&self, embedding: &[f32]) -> Vec<(String, f32)> {
        let mut tasks: Vec<(String, f32)> = self
            .tasks
            .iter()
            .map(|(name, task)| {
                let cosine = task.iter().zip(embedding).map(|(a, b)| a * b).sum();
                (name.clone(), cosine)
            })
            .collect();
        tasks.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        tasks
    }
}

/// Reads the values of a tensor back, row-major.
///
/// # Errors
/// [`Error::Device`] when they cannot be read back.
pub async fn read_values<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, Error> {
    let data = tensor.into_data_async().await;
    let data = data.map_err(Error::device)?;
    data.try_into_vec_as::<f32>().map_err(Error::device)
}
