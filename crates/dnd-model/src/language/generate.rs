//! Completing one prompt, token by token.

use super::{Cache, LanguageModel, LanguageTokenizer, TokenBatch};
use crate::sampling::{Sampler, Sampling};
use crate::{Error, Lora, read_values};

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
    /// Tokens up to the first text, that one included: a character can take several.
    pub tokens_to_text: usize,
    /// Whether the model generated the end-of-turn token.
    pub ended: bool,
    /// Logits of the first generated token, one per vocabulary entry.
    pub first_logits: Vec<f32>,
}

/// Keys and values of the last prompt and its completion. The next prompt continues them as far
/// as it agrees, so that a system message or the turns of a chat are computed once. Belongs to one
/// model with one adapter, or none.
#[derive(Default)]
pub struct PromptCache {
    tokens: Vec<u32>,
    cache: Cache,
}

impl PromptCache {
    /// Forgets what `prompt` does not begin with, and its last token, whose logits are needed.
    fn keep(&mut self, prompt: &[u32]) {
        let pairs = self.tokens.iter().zip(&prompt[..prompt.len() - 1]);
        let shared = pairs.take_while(|(old, new)| old == new).count();
        self.tokens.truncate(shared);
        self.cache.truncate(shared);
    }
}

/// Prompt tokens per forward pass, to bound the size of the attention scores.
const CHUNK: usize = 512;

/// Completes a rendered and tokenized prompt. `on_text` gets each new piece of text; returning
/// `false` stops the generation.
///
/// # Errors
/// When the prompt is empty or values cannot be read back from the device.
pub async fn complete(
    model: &LanguageModel,
    tokenizer: &LanguageTokenizer,
    prompt: &[u32],
    lora: Option<&Lora>,
    options: CompletionOptions,
    cached: &mut PromptCache,
    mut on_text: impl AsyncFnMut(&str) -> bool,
) -> Result<Completion, Error> {
    if prompt.is_empty() {
        return Err(Error::NoPrompts);
    }
    let mut sampler = Sampler::new(options.sampling);
    let mut decode = tokenizer.decode_stream();
    cached.keep(prompt);
    let mut next = prompt[cached.tokens.len()..].to_vec();
    let mut completion = Completion {
        text: String::new(),
        tokens: Vec::new(),
        tokens_to_text: 0,
        ended: false,
        first_logits: Vec::new(),
    };
    loop {
        let mut hidden = None;
        for chunk in next.chunks(CHUNK) {
            let batch = TokenBatch::after_prefix(&[chunk], cached.cache.len());
            let states = model.forward(&batch, lora, &mut cached.cache);
            hidden = Some(states.narrow(0, chunk.len() - 1, 1));
        }
        cached.tokens.append(&mut next);
        let last = hidden.ok_or(Error::NoPrompts)?;
        let logits = read_values(model.logits(last)).await?;
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
            if completion.text.is_empty() {
                completion.tokens_to_text = completion.tokens.len();
            }
            completion.text.push_str(&new);
            if !on_text(&new).await {
                return Ok(completion);
            }
        }
        if completion.tokens.len() == options.max_tokens {
            return Ok(completion);
        }
        next.push(token);
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Tensor};

    use super::*;
    use crate::language::cache::LayerCache;

    #[test]
    fn a_cache_keeps_what_the_next_prompt_begins_with() {
        let keys = || Tensor::<4>::zeros([1, 2, 4, 8], &Device::flex());
        let mut cached = PromptCache::default();
        let mut layer = LayerCache::default();
        layer.extend(keys(), keys());
        cached.cache.layers.push(layer);
        cached.tokens = vec![1, 2, 3, 4];
        cached.keep(&[1, 2, 3, 5]);
        assert_eq!((cached.tokens.len(), cached.cache.len()), (3, 3));
        // The last token of a prompt is computed for its logits.
        cached.keep(&[1, 2, 3]);
        assert_eq!((cached.tokens.len(), cached.cache.len()), (2, 2));
        cached.keep(&[7]);
        assert!(cached.tokens.is_empty() && cached.cache.is_empty());
    }
}
