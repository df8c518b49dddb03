//! A bundle on a device: everything from prompts to an adapter.

use burn::tensor::{Device, Tensor};
use dnd_adapter::{Adapter, Bundle, BundleHeader, EncoderId, Layout, Statistics, tokens};

use crate::assembler::{self, Assembler};
use crate::{
    Error, Generator, GeneratorConfig, PromptDraw, PromptEncoder, TextEncoder, draw_prompts,
};

/// A text encoder as a bundle needs it.
pub struct EncoderFiles<'a> {
    /// The frozen weights.
    pub model: &'a TextEncoder,
    /// Its own `tokenizer.json`.
    pub tokenizer_json: &'a [u8],
    /// Name and SHA-256 of its weights.
    pub id: &'a EncoderId,
}

/// A bundle loaded onto a device; [`generate`](Self::generate) is the pipeline.
pub struct AdapterGenerator {
    header: BundleHeader,
    statistics: Statistics,
    tasks: Vec<(String, Vec<f32>)>,
    generator: Generator,
    /// Assembles the factors in one kernel, on a device that runs WGSL.
    assembler: Option<Assembler>,
    prompt_encoder: PromptEncoder,
}

/// What the generator gives before it is read back from the device.
pub enum Decoded {
    /// Normalised weight tokens, flattened: (T · rank · tile width).
    Tokens(Tensor<1>),
    /// The numbers of all LoRA factors, in the order of the layout.
    Factors(Tensor<1>),
}

impl Decoded {
    /// The numbers, whichever they are.
    pub fn numbers(&self) -> &Tensor<1> {
        match self {
            Self::Tokens(numbers) | Self::Factors(numbers) => numbers,
        }
    }
}

impl AdapterGenerator {
    /// Loads the bundle's generator onto `device`; `source_name` names the bundle in errors.
    ///
    /// # Errors
    /// When the bundle needs another encoder than this one, or its generator is malformed.
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
        let mut config: GeneratorConfig = serde_json::from_value(header.generator.clone())
            .map_err(|e| Error::format(source_name, format!("generator: {e}")))?;
        config.validate(source_name)?;
        let output = tokens::shape(&header.layout)?;
        let input = [
            header.prompts,
            header.tokens_per_prompt,
            encoder.model.hidden_size(),
        ];
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
        let targets = assembler::targets(&header.layout, &statistics)?;
        let (tensors, mean) = (&bundle.tensors, &statistics.mean);
        let assembler = Assembler::new(tensors, source_name, &config, targets, mean, device)?;
        if assembler.is_some() {
            // It has the head, as integers.
            config.basis = None;
        }
        Ok(Self {
            header: header.clone(),
            statistics,
            tasks: bundle.task_embeddings(),
            generator: config.load(&bundle.tensors, source_name, device)?,
            assembler,
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

    /// Prompts N that a condition holds.
    pub fn prompts(&self) -> usize {
        self.header.prompts
    }

    /// Which of `given` prompts make the condition, and in which order.
    ///
    /// # Errors
    /// [`Error::NoPrompts`] when `given` is zero.
    pub fn draw(&self, given: usize, seed: u64) -> Result<PromptDraw, Error> {
        draw_prompts(given, self.prompts(), seed)
    }

    /// The adapter's numbers for hidden states (N, L, C); `report` gets the number of
    /// [`layers`](Self::layers) done.
    pub fn decode(&self, states: Tensor<3>, report: &mut dyn FnMut(usize)) -> Decoded {
        let condition: Tensor<4> = states.unsqueeze_dim(0);
        let output = self.generator.cascade(condition.clone(), report);
        if let Some(assembler) = &self.assembler {
            return Decoded::Factors(assembler.assemble(output, condition));
        }
        let output = self.generator.add_basis(output, condition);
        let count: usize = output.dims().iter().product();
        Decoded::Tokens(output.reshape([count]))
    }

    /// The adapter of decoded numbers, read back asynchronously, as a browser must; with them the
    /// values of `also`, so that a device is waited for once.
    ///
    /// # Errors
    /// [`Error::Device`], or when there are not as many numbers as the layout asks for.
    pub async fn read(
        &self,
        decoded: Decoded,
        also: Tensor<1>,
    ) -> Result<(Adapter, Vec<f32>), Error> {
        let [count] = also.dims();
        let all = Tensor::cat(vec![decoded.numbers().clone(), also], 0);
        let mut numbers = read_back(all).await?;
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

    /// From prompts to hidden states.
    pub fn prompt_encoder(&self) -> &PromptEncoder {
        &self.prompt_encoder
    }

    /// Shape (N, L, C) of the condition that the generator reads.
    pub fn condition_shape(&self) -> [usize; 3] {
        let width = self.prompt_encoder.hidden_size();
        [self.header.prompts, self.header.tokens_per_prompt, width]
    }

    /// Multiplications and additions of one generation's cascade.
    pub fn flops(&self) -> u64 {
        self.generator.flops()
    }

    /// Layers of the generator.
    pub fn layers(&self) -> usize {
        self.generator.layers().len()
    }

    /// The generator's training tasks with the cosine of their prompts' mean embedding and
    /// `embedding`, a [`mean_embedding`](crate::mean_embedding), the most similar first. Empty when the bundle does not know them.
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

/// Values of a tensor, row-major.
///
/// # Errors
/// [`Error::Device`] when they cannot be read back.
pub async fn read_back<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, Error> {
    let data = tensor.into_data_async().await;
    let data = data.map_err(Error::device)?;
    data.try_into_vec_as::<f32>().map_err(Error::device)
}
