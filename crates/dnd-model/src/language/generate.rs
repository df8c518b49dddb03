//! Answering one prompt, token by token.

use super::{Cache, LanguageModel, LanguageTokenizer, TokenBatch};
use crate::sampling::{Sampler, Sampling};
use crate::{Error, Lora};

/// How an answer is decoded.
#[derive(Debug, Clone, Copy)]
pub struct CompletionOptions {
    /// Longest answer, in tokens.
    pub max_tokens: usize,
    /// How the next token is chosen.
    pub sampling: Sampling,
}

/// A finished answer.
#[derive(Debug, Clone)]
pub struct Completion {
    /// The answer's text, special tokens left out.
    pub text: String,
    /// The answer's tokens, without the end-of-turn token.
    pub tokens: Vec<u32>,
    /// Whether the model ended its turn by itself.
    pub ended: bool,
    /// Logits of the token after the prompt, one a vocabulary entry.
    pub first_logits: Vec<f32>,
}

/// Tokens of a prompt that are computed at once.
const CHUNK: usize = 512;

/// The last tokens of a prompt, at most a chunk of them, and those before.
fn split_last_chunk(prompt: &[u32]) -> (&[u32], &[u32]) {
    let start = (prompt.len() - 1) / CHUNK * CHUNK;
    (&prompt[start..], &prompt[..start])
}

/// Answers the tokens of a rendered prompt. `on_text` receives the text as it grows; returning
/// `false` from it stops the answer.
///
/// # Errors
/// When the prompt has no token, or values cannot be read back from the device.
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
    // In chunks, so that the scores of a long prompt stay small.
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
        if token == tokenizer.end_of_turn() {
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

/// The values of a tensor of rank 2 as f32.
fn read(tensor: burn::tensor::Tensor<2>) -> Result<Vec<f32>, Error> {
    tensor.try_into_vec_as::<f32>().map_err(Error::device)
}
