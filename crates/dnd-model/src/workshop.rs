//! A generator with all that it takes to go from prompts to an adapter.
//!
//! The steps are apart, because values are read back from a device at once natively, but only
//! asynchronously in a browser.

use burn::tensor::{Device, Tensor};
use dnd_adapter::{Adapter, Bundle, BundleHeader, EncoderId, Layout, Statistics, tokens};

use crate::assembler::{self, Assembler};
use crate::{Condition, Error, Generator, GeneratorConfig, PromptDraw, TextEncoder, draw_prompts};

/// A text encoder as a bundle needs it.
pub struct EncoderFiles<'a> {
    /// The frozen weights.
    pub model: &'a TextEncoder,
    /// Its own `tokenizer.json`.
    pub tokenizer_json: &'a [u8],
    /// Name and SHA-256 of its weights.
    pub id: &'a EncoderId,
}

/// A bundle ready to generate.
pub struct Workshop {
    header: BundleHeader,
    statistics: Statistics,
    tasks: Vec<(String, Vec<f32>)>,
    generator: Generator,
    /// What comes after the cascade, where a kernel does it.
    assembler: Option<Assembler>,
    condition: Condition,
}

impl Workshop {
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
        let width = header.layout.tile_width();
        let output = [
            header.layout.token_count(width),
            header.layout.uniform_rank()?,
            width,
        ];
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
        let places = assembler::places(&header.layout, &statistics)?;
        let (tensors, mean) = (&bundle.tensors, &statistics.mean);
        let assembler = Assembler::new(tensors, source_name, &config, places, mean, device)?;
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
            condition: Condition::new(
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

    /// Hidden states (N, L, C) of the N drawn prompts; `report` hears how many are done.
    ///
    /// # Errors
    /// When the tokenizer fails.
    pub fn encode(
        &self,
        drawn: &[&str],
        report: &mut dyn FnMut(usize),
    ) -> Result<Tensor<3>, Error> {
        self.condition.encode_reporting(drawn, report)
    }

    /// The numbers of an adapter for hidden states (N, L, C), as [`adapter`](Self::adapter) takes them; `report` hears how many
    /// of the generator's [`layers`](Self::layers) are done.
    pub fn decode(&self, states: Tensor<3>, report: &mut dyn FnMut(usize)) -> Tensor<1> {
        let condition: Tensor<4> = states.unsqueeze_dim(0);
        let output = self.generator.cascade(condition.clone(), report);
        if let Some(assembler) = &self.assembler {
            return assembler.assemble(output, condition);
        }
        let output = self.generator.add_basis(output, condition);
        let count: usize = output.dims().iter().product();
        output.reshape([count])
    }

    /// From prompts to hidden states.
    pub fn prompt_encoder(&self) -> &Condition {
        &self.condition
    }

    /// Sizes N, L and C of the condition that the generator reads.
    pub fn condition(&self) -> [usize; 3] {
        let width = self.condition.hidden_size();
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

    /// The adapter of what [`decode`](Self::decode) gave.
    ///
    /// # Errors
    /// When there are not as many values as the layout asks for.
    pub fn adapter(&self, mut numbers: Vec<f32>) -> Result<Adapter, Error> {
        let layout = &self.header.layout;
        if self.assembler.is_some() {
            return Ok(tokens::in_order(layout, &numbers)?);
        }
        self.statistics.denormalise(&mut numbers);
        Ok(tokens::join(layout, &numbers)?)
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
