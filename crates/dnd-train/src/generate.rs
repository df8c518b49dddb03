//! `dnd generate`: prompts in, adapter out.

use std::time::Instant;

use burn::tensor::Device;
use dnd_adapter::{Adapter, Bundle, Layout, tokens};
use dnd_model::{Condition, Generator, GeneratorConfig, PromptDraw, draw_prompts};
use serde::Serialize;

use crate::Error;
use crate::models::Encoder;

/// Seconds of each stage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Timing {
    /// Prompts to condition.
    pub encode: f64,
    /// Condition to adapter.
    pub decode: f64,
}

/// A generated adapter.
pub struct Generation {
    /// The adapter.
    pub adapter: Adapter,
    /// Which of the given prompts it was generated from.
    pub draw: PromptDraw,
    /// How long it took.
    pub timing: Timing,
}

/// A bundle ready to generate.
pub struct Workshop<'a> {
    bundle: &'a Bundle,
    config: GeneratorConfig,
    generator: Generator,
    encoder: &'a Encoder,
    device: Device,
}

impl<'a> Workshop<'a> {
    /// Loads the bundle's generator onto `device`.
    ///
    /// # Errors
    /// When the bundle names another base model than `base_model`, needs another encoder than
    /// this one, or its generator is malformed.
    pub fn new(
        bundle: &'a Bundle,
        source_name: &str,
        base_model: &str,
        encoder: &'a Encoder,
        device: &Device,
    ) -> Result<Self, Error> {
        let header = &bundle.header;
        let mismatch = |field: &str, expected: &str, found: &str| {
            Err(Error::argument(
                &format!("{source_name}: {field}"),
                expected,
                found,
            ))
        };
        if header.layout.base_model != base_model {
            return mismatch("base model", base_model, &header.layout.base_model);
        }
        let found = encoder.id()?;
        if header.encoder.sha256 != found.sha256 {
            let name = |name: &str, hash: &str| format!("{name} with SHA-256 {hash}");
            return mismatch(
                "encoder",
                &name(&header.encoder.name, &header.encoder.sha256),
                &name(&found.name, &found.sha256),
            );
        }
        let config: GeneratorConfig = serde_json::from_value(header.generator.clone())
            .map_err(|e| dnd_model::Error::format(source_name, format!("generator: {e}")))?;
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
                return mismatch(field, &format!("{expected:?}"), &format!("{found:?}"));
            }
        }
        let generator = config.load(&bundle.tensors, source_name, device)?;
        Ok(Self {
            bundle,
            config,
            generator,
            encoder,
            device: device.clone(),
        })
    }

    /// Which modules the generated adapters cover.
    pub fn layout(&self) -> &Layout {
        &self.bundle.header.layout
    }

    /// Prompts N that a condition holds.
    pub fn prompts(&self) -> usize {
        self.config.input()[0]
    }

    /// Generates an adapter from prompts; `seed` decides which ones and in which order.
    ///
    /// # Errors
    /// When there is no prompt, or values cannot be read back from the device.
    pub fn generate(&self, prompts: &[String], seed: u64) -> Result<Generation, Error> {
        let started = Instant::now();
        let draw = draw_prompts(prompts.len(), self.prompts(), seed)?;
        let [_, length, width] = self.config.input();
        let condition = Condition::new(
            &self.encoder.model,
            &self.encoder.tokenizer_json,
            length,
            &self.device,
        )?;
        let drawn: Vec<&str> = draw
            .indices
            .iter()
            .map(|&index| prompts[index].as_str())
            .collect();
        let states = condition.encode(&drawn)?;
        self.device
            .sync()
            .map_err(|e| dnd_model::Error::Device(e.to_string()))?;
        let encode = started.elapsed().as_secs_f64();

        let started = Instant::now();
        let output = self
            .generator
            .forward(states.reshape([1, self.prompts(), length, width]));
        let mut values = output
            .try_into_vec_as::<f32>()
            .map_err(|e| dnd_model::Error::Device(e.to_string()))?;
        self.bundle.statistics()?.denormalise(&mut values);
        let adapter = tokens::join(&self.bundle.header.layout, &values)?;
        let decode = started.elapsed().as_secs_f64();
        Ok(Generation {
            adapter,
            draw,
            timing: Timing { encode, decode },
        })
    }
}
