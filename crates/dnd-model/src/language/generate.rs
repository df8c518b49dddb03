//! Completing one prompt, token by token.

use super::{Cache, LanguageModel, LanguageTokenizer, TokenBatch};
use crate::sampling::{Sampler, Sampling};
use crate::{Error, Lora};

/// How a completion is generated.
#[derive(Debug, Clone, Copy)]
pub struct CompletionOptions {
    /// Maximum length in tokens.
    pub max_tokens: usize,
    /// How the next token is chosen.
    pub sampling: Sampling,
}

/// A completion of a prompt.
#[derive(Debug, Clone)]
pub struct Completion {
    /// The text, without special tokens.
    pub text: String,
    /// The tokens, without the end-of-turn token.
    pub tokens: Vec<u32>,
    /// Whether the model generated the end-of-turn token.
    pub ended: bool,
    /// Logits of the first generated token, one per vocabulary entry.
    pub first_logits: Vec<f32>,
}

/// Prompt tokens per forward pass.
const CHUNK: usize = 512;

/// Splits a prompt into its last chunk and the tokens before it, in that order.
fn split_last_chunk(prompt: &[u32]) -> (&[u32], &[u32]) {
    let start = (prompt.len() - 1) / CHUNK * CHUNK;
    (&prompt[start..], &prompt[..start])
}

/// Completes a rendered and tokenized prompt. `on_text` gets each new piece of text; returning
/// `false` stops the generation.
///
/// # Errors
/// When the prompt is empty or values cannot be read back from the device.
pub fn complete(
    model: &LanguageModel,
    tokenizer: &LanguageTokenizer,
    prompt: &[u32],
    lora: Option<&Lora>,
    options: CompletionOptions,
    mut on_text: impl FnMut(&str) -> bool,
) -> Result<Completion, Error> {
    if prompt.is_empty() {
        return Err(Error::NoPrompts);
    }
    let mut sampler = Sampler::new(options.sampling);
    let mut decode = tokenizer.decode_stream();
    let mut cache = Cache::default();
    // In chunks, to bound the size of the attention scores.
    let (last_chunk, earlier) = split_last_chunk(prompt);
    for chunk in earlier.chunks(CHUNK) {
        let batch = TokenBatch::after_prefix(&[chunk], cache.len());
        model.forward(&batch, lora, &mut cache);
    }
    let mut next = last_chunk.to_vec();
    let mut completion = Completion {
        text: String::new(),
        tokens: Vec::new(),
        ended: false,
        first_logits: Vec::new(),
    };
    loop {
        let batch = TokenBatch::after_prefix(&[&next], cache.len());
        let hidden = model.forward(&batch, lora, &mut cache);
        let last = hidden.narrow(0, next.len() - 1, 1);
        let logits = read(model.logits(last))?;
        if completion.first_logits.is_empty() {
            completion.first_logits = logits.clone();
        }
        if options.max_tokens == 0 {
            return Ok(completion);
        }
        let token = sampler.next(&logits) as u32;
        if tokenizer.ends_turn(token) {
            completion.ended = true;
            return Ok(completion);
        }
        completion.tokens.push(token);
        if let Some(new) = decode(token)? {
            completion.text.push_str(&new);
            if !on_text(&new) {
                return Ok(completion);
            }
        }
        if completion.tokens.len() == options.max_tokens {
            return Ok(completion);
        }
        next = vec![token];
    }
}

/// Reads the values of a tensor back.
fn read(tensor: burn::tensor::Tensor<2>) -> Result<Vec<f32>, Error> {
    tensor.try_into_vec_as::<f32>().map_err(Error::device)
}
