//! Tokenised lines, batched so that little is computed twice or for nothing.

use burn::tensor::{Int, Tensor};
use dnd_model::language::{Cache, Message, TokenBatch};
use dnd_model::{LanguageModel, Lora};

use crate::Error;
use dnd_model::files::Base;
use dnd_tasks::{Asked, Line};

/// A line as tokens: the rendered prompt, then the answer with its end-of-turn token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// Prompt and answer.
    pub tokens: Vec<u32>,
    /// Number of tokens of the prompt: the answer starts here.
    pub answer_start: usize,
}

impl Example {
    /// Renders a line with the model's chat template, as a PEFT user will send it. `None` for a
    /// line asked bare that has no input.
    ///
    /// # Errors
    /// When the template or the tokenizer refuses the line, or it is longer than the model's
    /// context.
    pub fn asked(base: &Base, line: &Line, asked: Asked) -> Result<Option<Self>, Error> {
        let question = line.asked(asked);
        question
            .map(|question| Self::render(base, line, question))
            .transpose()
    }

    /// A line asked in full.
    ///
    /// # Errors
    /// As [`asked`](Self::asked).
    pub fn new(base: &Base, line: &Line) -> Result<Self, Error> {
        Self::render(base, line, &line.prompt)
    }

    fn render(base: &Base, line: &Line, question: &str) -> Result<Self, Error> {
        let tokenizer = &base.tokenizer;
        let messages = Message::conversation(line.system.as_deref(), question);
        let mut tokens = tokenizer.encode_chat(&messages)?;
        let answer_start = tokens.len();
        if answer_start == 0 {
            return Err(dnd_model::Error::NoPrompts.into());
        }
        tokens.extend(tokenizer.encode(line.response.trim())?);
        tokens.push(tokenizer.end_of_turn());
        base.model.config().check_length(tokens.len())?;
        Ok(Self {
            tokens,
            answer_start,
        })
    }

    /// The answer's tokens, the end-of-turn token included.
    pub fn answer(&self) -> &[u32] {
        &self.tokens[self.answer_start..]
    }
}

/// Examples that are computed together.
#[derive(Debug, Clone)]
pub struct ExampleBatch<'a> {
    examples: Vec<&'a Example>,
    /// Tokens that all prompts begin with: computed once.
    prefix: &'a [u32],
}

impl<'a> ExampleBatch<'a> {
    /// Splits examples, sorted by length, into batches of at most `token_limit` tokens, padding and
    /// the common prefix included; an example longer than that makes a batch of its own.
    pub fn split(examples: &[&'a Example], token_limit: usize) -> Vec<Self> {
        let mut sorted = examples.to_vec();
        sorted.sort_by_key(|example| example.tokens.len());
        let mut groups: Vec<Vec<&'a Example>> = Vec::new();
        for example in sorted {
            match groups.last_mut() {
                // Sorted: this example is the longest of the group.
                Some(group) if (group.len() + 1) * example.tokens.len() <= token_limit => {
                    group.push(example);
                }
                _ => groups.push(vec![example]),
            }
        }
        groups.into_iter().map(Self::new).collect()
    }

    fn new(examples: Vec<&'a Example>) -> Self {
        let first = examples[0];
        // The last token of every prompt stays out of the prefix: its state gives the answer.
        let limit = examples
            .iter()
            .map(|example| example.answer_start.saturating_sub(1))
            .min()
            .unwrap_or(0);
        let length = (0..limit)
            .take_while(|&i| {
                examples
                    .iter()
                    .all(|example| example.tokens[i] == first.tokens[i])
            })
            .count();
        Self {
            examples,
            prefix: &first.tokens[..length],
        }
    }

    /// The examples of the batch, shortest first.
    pub fn examples(&self) -> &[&'a Example] {
        &self.examples
    }

    /// Answer tokens of all examples, in the order of [`answer_losses`].
    pub fn answers(&self) -> Vec<u32> {
        self.examples
            .iter()
            .flat_map(|example| example.answer().iter().copied())
            .collect()
    }

    /// What is read: the common prefix, if there is one, and behind it the rest of each example,
    /// without its last token, which predicts nothing that is asked for.
    pub(crate) fn tokens(&self) -> (Option<TokenBatch>, TokenBatch) {
        let prefix = self.prefix;
        let rows = self.examples.iter();
        let rows: Vec<&[u32]> = rows
            .map(|example| &example.tokens[prefix.len()..example.tokens.len() - 1])
            .collect();
        let prefix_tokens = (!prefix.is_empty()).then(|| TokenBatch::after_prefix(&[prefix], 0));
        (prefix_tokens, TokenBatch::after_prefix(&rows, prefix.len()))
    }

    /// The cross-entropy of each of the [answer tokens](Self::answers), in nats, by the hidden
    /// states (B * T, hidden) of the rows behind the prefix.
    pub(crate) fn losses(&self, model: &LanguageModel, hidden: Tensor<2>) -> Tensor<1> {
        let length = hidden.dims()[0] / self.examples.len();
        let places: Vec<i32> = self
            .examples
            .iter()
            .enumerate()
            .flat_map(|(row, example)| {
                let start = row * length + example.answer_start - self.prefix.len() - 1;
                (start..start + example.answer().len()).map(|place| place as i32)
            })
            .collect();
        let places: Tensor<1, Int> = Tensor::from_data(places.as_slice(), model.device());
        model.cross_entropy(hidden.select(0, places), self.answers())
    }
}

/// The cross-entropy of each of the batch's [answer tokens](ExampleBatch::answers), in nats.
pub fn answer_losses(
    model: &LanguageModel,
    batch: &ExampleBatch,
    lora: Option<&Lora>,
) -> Tensor<1> {
    let mut cache = Cache::default();
    let (prefix, rows) = batch.tokens();
    if let Some(prefix) = prefix {
        model.forward(&prefix, lora, &mut cache);
    }
    batch.losses(model, model.forward(&rows, lora, &mut cache))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(tokens: &[u32], answer_start: usize) -> Example {
        Example {
            tokens: tokens.to_vec(),
            answer_start,
        }
    }

    #[test]
    fn the_prefix_leaves_the_last_prompt_token_out() {
        let examples = [example(&[1, 2, 3, 9], 3), example(&[1, 2, 3, 4, 9], 4)];
        let batch = ExampleBatch::new(examples.iter().collect());
        assert_eq!(batch.prefix, [1, 2]);
    }

    #[test]
    fn batches_keep_to_the_limit_and_lose_nothing() {
        let examples: Vec<Example> = (2..20)
            .map(|length| example(&vec![7; length], length - 1))
            .collect();
        let batches = ExampleBatch::split(&examples.iter().collect::<Vec<_>>(), 40);
        let total: usize = batches.iter().map(|batch| batch.examples().len()).sum();
        assert_eq!(total, 18);
        for batch in &batches {
            let longest = batch.examples().last().unwrap().tokens.len();
            assert!(batch.examples().len() == 1 || batch.examples().len() * longest <= 40);
        }
    }
}
