//! The pipeline from prompts to an adapter: draw, encode, decode, read back, write files.

use burn::tensor::Tensor;
use dnd_adapter::gguf::lora;
use dnd_adapter::{Adapter, BaseDimensions, PeftFiles, Precision, peft};

use crate::{AdapterGenerator, Error, PromptDraw, PromptEncoder};

/// Gets the number of prompts that are encoded.
pub type Report<'a> = &'a mut dyn FnMut(usize);

/// A stage of the pipeline, for progress reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Prompts to condition, counted in prompts.
    Encode,
    /// Condition to adapter, counted in layers of the decoder.
    Decode,
}

/// A generated adapter.
pub struct Generation {
    /// The adapter.
    pub adapter: Adapter,
    /// Which of the given prompts it was generated from.
    pub draw: PromptDraw,
    /// [Mean embedding](crate::mean_embedding) (C) of these prompts.
    pub embedding: Vec<f32>,
    /// Mean cosine of the embeddings of two of them.
    pub likeness: f32,
    /// [Tokens per word](PromptEncoder::tokens_per_word) of them.
    pub tokens_per_word: f64,
    /// Number of prompts given.
    pub given: usize,
    /// A question for examples of use.
    pub question: String,
    /// Seed of the draw.
    pub seed: u64,
}

/// A generated adapter as files.
pub struct GeneratedFiles {
    /// Weights and configuration for PEFT.
    pub peft: PeftFiles,
    /// What the adapter is and how to use it, as Markdown.
    pub readme: String,
}

impl AdapterGenerator {
    /// Generates an adapter. `seed` determines which prompts are used, and their order.
    /// `encode` turns them into hidden states (N, L, C): [`encode_on_device`], or a function that
    /// distributes the work. `report` gets the stage, the units done and the total.
    ///
    /// # Errors
    /// When there is no prompt, `encode` fails, or values cannot be read back from the device.
    pub async fn generate<E: From<Error>>(
        &self,
        prompts: &[String],
        seed: u64,
        encode: impl AsyncFnOnce(&PromptEncoder, &[&str], Report<'_>) -> Result<Tensor<3>, E>,
        report: &mut dyn FnMut(Stage, usize, usize),
    ) -> Result<Generation, E> {
        let draw = self.draw(prompts.len(), seed)?;
        let drawn = draw.pick(prompts);
        report(Stage::Encode, 0, drawn.len());
        let mut encoded = |done| report(Stage::Encode, done, drawn.len());
        let states = encode(self.prompt_encoder(), &drawn, &mut encoded).await?;

        let layers = self.layers();
        report(Stage::Decode, 0, layers);
        let embedding = dnd_kernels::mean_embedding(states.clone().unsqueeze_dim(0));
        let decoded = self.decode(states, &mut |done| report(Stage::Decode, done, layers));
        let (adapter, mut embedding) = self.read(decoded, embedding.squeeze_dim(0)).await?;
        let square: f32 = embedding.iter().map(|value| value * value).sum();
        for value in &mut embedding {
            *value /= square.sqrt();
        }
        // The square of the mean of N unit vectors is (N + N (N - 1) cosine) / N².
        let count = drawn.len() as f32;
        Ok(Generation {
            tokens_per_word: self.prompt_encoder().tokens_per_word(&drawn)?,
            adapter,
            draw,
            embedding,
            likeness: (count * square - 1.0) / (count - 1.0).max(1.0),
            given: prompts.len(),
            question: peft::example_question(prompts).to_owned(),
            seed,
        })
    }
}

/// Encodes all prompts on the encoder's own device and waits for the result.
///
/// # Errors
/// When the tokenizer or the device fails.
pub async fn encode_on_device(
    encoder: &PromptEncoder,
    prompts: &[&str],
    report: &mut dyn FnMut(usize),
) -> Result<Tensor<3>, Error> {
    let states = encoder.encode_reporting(prompts, report)?;
    // Otherwise the time of encoding would be counted as decoding.
    let synced = states.device().sync();
    synced.map_err(Error::device)?;
    Ok(states)
}

/// Tokens per word from which on prompts are not English. Prompts of English tasks have up to 1.3,
/// random letters about 3.
const MOST_TOKENS_PER_WORD: f64 = 1.8;
/// Mean cosine below which prompts are not of one task. 1,888 of 1,894 tasks have more, prompts of
/// several tasks 0.07 to 0.12.
const LEAST_LIKENESS: f32 = 0.125;
/// Fewest different prompts that can be found to be of different tasks.
const FEWEST_COMPARED: usize = 4;

impl Generation {
    /// Why the adapter may be of little use, and what to do; a sentence or two.
    pub fn doubt(&self) -> Option<&'static str> {
        if self.tokens_per_word > MOST_TOKENS_PER_WORD {
            return Some(
                "Most words of the prompts are not English, the only language that the generator \
                 was trained on. Expect little of the adapter.",
            );
        }
        let is_compared = self.given >= FEWEST_COMPARED;
        (is_compared && self.likeness < LEAST_LIKENESS).then_some(
            "The prompts have little in common. An adapter is made for one task: leave out prompts \
             of other tasks, and state the task in each prompt.",
        )
    }
}

impl Generation {
    /// The files of the adapter, with factors in `precision`.
    ///
    /// # Errors
    /// When a value overflows that precision.
    pub fn files(&self, precision: Precision) -> Result<GeneratedFiles, Error> {
        let (version, seed) = (env!("CARGO_PKG_VERSION"), self.seed);
        let prompts = match self.given {
            1 => "one prompt".to_owned(),
            given => format!("{given} prompts"),
        };
        let note = format!(
            "Generated by dnd {version} from {prompts} alone, without answers, with seed {seed}."
        );
        Ok(GeneratedFiles {
            peft: peft::write(&self.adapter, precision)?,
            readme: peft::readme(&self.adapter, &note, &self.question),
        })
    }
}

impl Generation {
    /// The adapter as a GGUF file for llama.cpp, with factors in `precision`.
    ///
    /// # Errors
    /// When it does not fit the base model, or a value overflows that precision.
    pub fn gguf(&self, base: &BaseDimensions, precision: Precision) -> Result<Vec<u8>, Error> {
        Ok(lora::write(&self.adapter, base, precision)?)
    }
}

impl GeneratedFiles {
    /// All files as a zip archive.
    ///
    /// # Errors
    /// When the archive cannot be written.
    pub fn zip(&self) -> Result<Vec<u8>, Error> {
        Ok(peft::zip(&self.peft, &self.readme)?)
    }
}
