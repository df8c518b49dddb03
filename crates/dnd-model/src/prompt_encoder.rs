//! Encodes prompts into the condition of a generator: token-level hidden states.

use std::borrow::Cow;

use burn::tensor::{Device, Tensor, TensorData};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha12Rng;
use tokenizers::Tokenizer;

use crate::{Error, TextEncoder};

/// Of a longer prompt, L times this many characters at each end are tokenized: no more than L
/// tokens count, and a token is rarely longer than this.
const MAX_CHARACTERS_PER_TOKEN: usize = 64;

/// Prompts per group. Groups are smaller in a browser, where workers share them.
const GROUP_SIZE: usize = if cfg!(target_arch = "wasm32") { 8 } else { 16 };

/// Minimum L: one token of the prompt between two special tokens.
const MIN_TOKENS: usize = 3;

/// The prompts drawn for a condition of N.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptDraw {
    /// Indices into the given prompts, N of them.
    pub indices: Vec<usize>,
    /// How many prompts were left out.
    pub dropped: usize,
    /// How many of the N are repetitions.
    pub repeated: usize,
}

impl PromptDraw {
    /// The drawn prompts, taken from the list that was drawn from.
    pub fn pick<'a>(&self, prompts: &'a [String]) -> Vec<&'a str> {
        let drawn = self.indices.iter();
        drawn.map(|&index| prompts[index].as_str()).collect()
    }
}

/// Draws `wanted` of `given` prompts.
///
/// The prompts are shuffled and the first `wanted` are taken. If there are too few, the
/// shuffled list is repeated, so that every prompt occurs about equally often.
///
/// # Errors
/// [`Error::NoPrompts`] when `given` is zero.
pub fn draw_prompts(given: usize, wanted: usize, seed: u64) -> Result<PromptDraw, Error> {
    if given == 0 {
        return Err(Error::NoPrompts);
    }
    let mut order: Vec<usize> = (0..given).collect();
    order.shuffle(&mut ChaCha12Rng::seed_from_u64(seed));
    Ok(PromptDraw {
        indices: order.into_iter().cycle().take(wanted).collect(),
        dropped: given.saturating_sub(wanted),
        repeated: wanted.saturating_sub(given),
    })
}

/// A batch of prompts that are encoded together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptGroup {
    /// Their indices among all prompts.
    pub indices: Vec<usize>,
    /// Their token ids.
    pub tokens: Vec<Vec<u32>>,
}

/// Encodes prompts for generators that read N prompts of L tokens.
pub struct PromptEncoder {
    encoder: TextEncoder,
    tokenizer: Tokenizer,
    length: usize,
    device: Device,
}

impl PromptEncoder {
    /// `tokenizer_json` is the contents of the encoder's `tokenizer.json`; `length` is L.
    ///
    /// # Errors
    /// [`Error::Format`] when the tokenizer cannot be read, [`Error::Field`] when `length`
    /// exceeds the encoder's maximum or leaves no room beside the special tokens.
    pub fn new(
        encoder: &TextEncoder,
        tokenizer_json: &[u8],
        length: usize,
        device: &Device,
    ) -> Result<Self, Error> {
        if !(MIN_TOKENS..=encoder.max_length()).contains(&length) {
            return Err(Error::field(
                "encoder",
                "tokens_per_prompt",
                &format!("{MIN_TOKENS} to {}", encoder.max_length()),
                length,
            ));
        }
        let mut tokenizer = Tokenizer::from_bytes(tokenizer_json)
            .map_err(|e| Error::format("tokenizer.json", e))?;
        let tokens = tokenizer.get_vocab_size(true);
        if tokens > encoder.vocab_size() {
            return Err(Error::field(
                "tokenizer.json",
                "vocabulary",
                &format!("at most the encoder's {} tokens", encoder.vocab_size()),
                tokens,
            ));
        }
        tokenizer.with_padding(None);
        tokenizer
            .with_truncation(None)
            .map_err(|e| Error::format("tokenizer.json", e))?;
        Ok(Self {
            encoder: encoder.clone(),
            tokenizer,
            length,
            device: device.clone(),
        })
    }

    /// Hidden states of shape (N, L, C), zero at padding.
    ///
    /// # Errors
    /// [`Error::NoPrompts`] for an empty list, [`Error::Format`] when the tokenizer fails.
    pub fn encode(&self, prompts: &[&str]) -> Result<Tensor<3>, Error> {
        self.encode_reporting(prompts, &mut |_| ())
    }

    /// As [`encode`](Self::encode). `report` gets the number of prompts done after each group.
    ///
    /// # Errors
    /// As `encode`.
    pub fn encode_reporting(
        &self,
        prompts: &[&str],
        report: &mut dyn FnMut(usize),
    ) -> Result<Tensor<3>, Error> {
        let groups = self.groups(prompts)?;
        let mut done = 0;
        let states = groups.iter().map(|group| {
            let states = self.encode_group(&group.tokens);
            done += group.tokens.len();
            report(done);
            states
        });
        Ok(self.join(&groups, states.collect()))
    }

    /// Divides prompts into groups for [`encode_group`](Self::encode_group), sorted by length
    /// to keep padding short.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    pub fn groups(&self, prompts: &[&str]) -> Result<Vec<PromptGroup>, Error> {
        if prompts.is_empty() {
            return Err(Error::NoPrompts);
        }
        let tokens = prompts.iter().map(|prompt| self.tokenize(prompt));
        let mut tokens = tokens.collect::<Result<Vec<_>, _>>()?;
        let mut order: Vec<usize> = (0..tokens.len()).collect();
        order.sort_by_key(|&index| tokens[index].len());
        let groups = order.chunks(GROUP_SIZE).map(|group| PromptGroup {
            indices: group.to_vec(),
            tokens: group
                .iter()
                .map(|&index| std::mem::take(&mut tokens[index]))
                .collect(),
        });
        Ok(groups.collect())
    }

    /// Joins the hidden states of all groups into (N, L, C), in the order of the prompts.
    pub fn join(&self, groups: &[PromptGroup], states: Vec<Tensor<3>>) -> Tensor<3> {
        let order = groups.iter().flat_map(|group| &group.indices);
        let mut places = vec![0i32; order.clone().count()];
        for (place, &index) in order.enumerate() {
            places[index] = place as i32;
        }
        let places = Tensor::from_data(places.as_slice(), &self.device);
        Tensor::cat(states, 0).select(0, places)
    }

    /// The encoder.
    pub fn encoder(&self) -> &TextEncoder {
        &self.encoder
    }

    /// Tokens L per prompt.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Width C of the hidden states.
    pub fn hidden_size(&self) -> usize {
        self.encoder.hidden_size()
    }

    /// Tokens per word of prompts; punctuation marks count as words. Near one for English, and 1.6
    /// for German: the encoder's vocabulary has few words of other languages, so that they are
    /// split. Zero without words.
    ///
    /// # Errors
    /// [`Error::Format`] when the tokenizer fails.
    pub fn tokens_per_word(&self, prompts: &[&str]) -> Result<f64, Error> {
        let (mut tokens, mut words) = (0, 0);
        for prompt in prompts {
            let text = ends(prompt, self.length);
            let encoding = self.tokenizer.encode_fast(&*text, false);
            tokens += encoding
                .map_err(|e| Error::format("tokenizer.json", e))?
                .len();
            let runs = text.split(|c: char| !c.is_alphanumeric());
            words += runs.filter(|run| !run.is_empty()).count();
            words += text.chars().filter(|c| c.is_ascii_punctuation()).count();
        }
        Ok(if words > 0 {
            tokens as f64 / words as f64
        } else {
            0.0
        })
    }

    /// Token ids of a prompt. Of more than L the first half and the last half of L are kept: an
    /// instruction stands at either end of a long text.
    fn tokenize(&self, prompt: &str) -> Result<Vec<u32>, Error> {
        let text = ends(prompt, self.length * MAX_CHARACTERS_PER_TOKEN);
        let encoding = self
            .tokenizer
            .encode_fast(&*text, true)
            .map_err(|e| Error::format("tokenizer.json", e))?;
        let mut tokens = encoding.get_ids().to_vec();
        if tokens.len() > self.length {
            let first = self.length.div_ceil(2);
            tokens.drain(first..tokens.len() - (self.length - first));
        }
        Ok(tokens)
    }

    /// Hidden states (prompts, L, C) of one group, zero at padding. Each row has at most L
    /// tokens.
    pub fn encode_group(&self, rows: &[Vec<u32>]) -> Tensor<3> {
        let longest = rows.iter().map(Vec::len).max().unwrap_or(1).max(1);
        let shape = [rows.len(), longest];
        let mut ids = Vec::with_capacity(rows.len() * longest);
        let mut mask = Vec::with_capacity(rows.len() * longest);
        for row in rows {
            ids.extend((0..longest).map(|i| row.get(i).map_or(0, |&id| id as i32)));
            mask.extend((0..longest).map(|i| if i < row.len() { 1.0f32 } else { 0.0 }));
        }
        let ids = Tensor::from_data(TensorData::new(ids, shape), &self.device);
        let mask: Tensor<2> = Tensor::from_data(TensorData::new(mask, shape), &self.device);
        let states =
            self.encoder.forward(ids, mask.clone()) * mask.reshape([rows.len(), longest, 1]);
        let missing = self.length - longest;
        if missing == 0 {
            return states;
        }
        let padding = Tensor::zeros(
            [rows.len(), missing, self.encoder.hidden_size()],
            &self.device,
        );
        Tensor::cat(vec![states, padding], 1)
    }
}

/// The text, or its first and last `count` characters where it is longer than both.
fn ends(text: &str, count: usize) -> Cow<'_, str> {
    let mut places = text.char_indices();
    let head = places.nth(count).map(|(place, _)| place);
    let tail = places
        .nth_back(count.saturating_sub(1))
        .map(|(place, _)| place);
    match (head, tail) {
        (Some(head), Some(tail)) => Cow::Owned(format!("{} {}", &text[..head], &text[tail..])),
        _ => Cow::Borrowed(text),
    }
}

/// [Mean embedding](dnd_kernels::mean_embedding()) (C) of hidden states (N, L, C) that are zero at
/// padding, scaled to unit length.
pub fn mean_embedding(states: Tensor<3>) -> Tensor<1> {
    let mean = dnd_kernels::mean_embedding(states.unsqueeze_dim(0)).squeeze_dim(0);
    let length = mean.clone().square().sum().sqrt();
    mean / length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_few_prompts_are_repeated() {
        let draw = draw_prompts(3, 8, 1).unwrap();
        assert_eq!((draw.dropped, draw.repeated), (0, 5));
        for prompt in 0..3 {
            let times = draw
                .indices
                .iter()
                .filter(|&&index| index == prompt)
                .count();
            assert!((2..=3).contains(&times));
        }
    }

    #[test]
    fn more_prompts_are_drawn_without_repetition() {
        let mut indices = draw_prompts(100, 32, 5).unwrap().indices;
        indices.sort_unstable();
        indices.dedup();
        assert_eq!(indices.len(), 32);
        assert_ne!(
            draw_prompts(100, 32, 5).unwrap(),
            draw_prompts(100, 32, 6).unwrap()
        );
    }

    #[test]
    fn long_texts_keep_both_ends() {
        assert_eq!(ends("abcdefgh", 2), "ab gh");
        assert_eq!(ends("äbcdeföü", 2), "äb öü");
        for short in ["", "ab", "abc", "abcd"] {
            assert_eq!(ends(short, 2), short);
        }
    }

    #[test]
    fn no_prompts_is_an_error() {
        assert!(matches!(draw_prompts(0, 4, 0), Err(Error::NoPrompts)));
    }
}
