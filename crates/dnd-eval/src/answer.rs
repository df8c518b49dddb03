//! Batched greedy decoding.

use burn::tensor::{Int, Tensor};
use dnd_model::language::{Cache, LanguageModel, TokenBatch};
use dnd_model::sampling::argmax;
use dnd_model::{Error as ModelError, Lora};

use crate::TokenizedPrompt;
use dnd_files::Observer;
use dnd_model::files::Base;
use dnd_train::Error;
use dnd_train::workers::Workers;

/// Maximum number of questions in a batch.
const ROWS: usize = 32;
/// Maximum number of tokens in a batch, prompts and completions together; bounds memory per core.
const TOKEN_LIMIT: usize = 8192;
/// Tokens of the shared prefix per forward pass.
const CHUNK: usize = 512;

/// A completion.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// The text, without special tokens.
    pub text: String,
    /// Whether the model ended its turn before decoding stopped.
    pub ended: bool,
}

/// Decodes a completion of each question greedily. Decoding stops at the end of the turn, or
/// when further tokens cannot change the scores. The prefix shared by all prompts, such as a
/// system message or in-context examples, is computed once.
///
/// # Errors
/// When values cannot be read back from the device; [`dnd_files::Error::Cancelled`].
pub fn answers(
    base: &Base,
    questions: &[TokenizedPrompt],
    lora: Option<&Lora>,
    observer: &dyn Observer,
) -> Result<Vec<Answer>, Error> {
    let length = shared_prefix_len(questions);
    let mut cache = Cache::default();
    if let Some(first) = questions.first() {
        for chunk in first.prompt[..length].chunks(CHUNK) {
            let batch = TokenBatch::after_prefix(&[chunk], cache.len());
            base.model.forward(&batch, lora, &mut cache);
        }
    }
    let mut order: Vec<usize> = (0..questions.len()).collect();
    order.sort_by_key(|&index| questions[index].prompt.len());
    let shares = Workers::new(base.model.device()).map(&order, |share| {
        let mut answered = Vec::with_capacity(share.len());
        for group in groups(questions, share) {
            let group: Vec<&TokenizedPrompt> =
                group.iter().map(|&index| &questions[index]).collect();
            let texts = answer_group(base, &group, length, cache.clone(), lora, observer)?;
            answered.extend(texts);
            observer.advance(group.len() as u64, "");
        }
        Ok::<_, Error>((share.to_vec(), answered))
    });
    let mut answers = vec![Answer::default(); questions.len()];
    for share in shares {
        let (indices, answered) = share?;
        for (index, answer) in indices.into_iter().zip(answered) {
            answers[index] = answer;
        }
    }
    Ok(answers)
}

/// Length of the prefix shared by all prompts. It excludes the last token of every prompt, whose
/// hidden state predicts the first new token.
fn shared_prefix_len(questions: &[TokenizedPrompt]) -> usize {
    let Some(first) = questions.first() else {
        return 0;
    };
    let shortest = questions.iter().map(|question| question.prompt.len()).min();
    (0..shortest.unwrap_or(0).saturating_sub(1))
        .take_while(|&place| {
            questions
                .iter()
                .all(|question| question.prompt[place] == first.prompt[place])
        })
        .count()
}

/// Splits questions, sorted by length, into batches within [`ROWS`] and [`TOKEN_LIMIT`].
fn groups<'a>(questions: &[TokenizedPrompt], sorted: &'a [usize]) -> Vec<&'a [usize]> {
    let tokens = |index: usize| questions[index].prompt.len() + questions[index].max_tokens;
    let mut groups = Vec::new();
    let mut rest = sorted;
    while !rest.is_empty() {
        let mut longest = 0;
        let count = rest
            .iter()
            .take(ROWS)
            .enumerate()
            .take_while(|&(place, &index)| {
                longest = tokens(index).max(longest);
                (place + 1) * longest <= TOKEN_LIMIT
            })
            .count();
        let (group, others) = rest.split_at(count.max(1));
        groups.push(group);
        rest = others;
    }
    groups
}

/// Decodes one batch. `cache` holds the first `cached` tokens of every prompt.
fn answer_group(
    base: &Base,
    questions: &[&TokenizedPrompt],
    cached: usize,
    mut cache: Cache,
    lora: Option<&Lora>,
    observer: &dyn Observer,
) -> Result<Vec<Answer>, Error> {
    let model = &base.model;
    let prompts: Vec<&[u32]> = questions.iter().map(|q| &q.prompt[cached..]).collect();
    let mut batch = TokenBatch::after_prefix(&prompts, cached);
    let width = batch.shape[1];
    let ends = prompts.iter().enumerate();
    let ends: Vec<i32> = ends
        .map(|(row, prompt)| (row * width + prompt.len() - 1) as i32)
        .collect();
    let ends: Tensor<1, Int> = Tensor::from_data(ends.as_slice(), model.device());
    let mut columns: Vec<Vec<bool>> = batch
        .columns
        .chunks(cached + width)
        .map(<[bool]>::to_vec)
        .collect();
    let hidden = model.forward(&batch, lora, &mut cache).select(0, ends);
    let mut next = greedy(model, hidden)?;
    let mut writers: Vec<CompletionState> =
        questions.iter().map(|q| CompletionState::new(q)).collect();
    loop {
        for (writer, token) in writers.iter_mut().zip(&next) {
            writer.push(base, *token)?;
        }
        if writers.iter().all(|writer| writer.is_done) {
            break;
        }
        observer.check()?;
        let written = columns[0].len() - cached - width;
        for row in &mut columns {
            row.push(true);
        }
        batch = TokenBatch {
            ids: next,
            positions: questions.iter().map(|q| q.prompt.len() + written).collect(),
            shape: [questions.len(), 1],
            columns: columns.concat(),
        };
        next = greedy(model, model.forward(&batch, lora, &mut cache))?;
    }
    Ok(writers.into_iter().map(|writer| writer.answer).collect())
}

/// The most likely token after each hidden state.
fn greedy(model: &LanguageModel, hidden: Tensor<2>) -> Result<Vec<u32>, Error> {
    let logits = model
        .logits(hidden)
        .try_into_vec_as::<f32>()
        .map_err(ModelError::device)?;
    let rows = logits.chunks(model.config().vocab_size);
    Ok(rows.map(|row| argmax(row) as u32).collect())
}

/// A completion during decoding.
struct CompletionState<'a> {
    question: &'a TokenizedPrompt,
    tokens: Vec<u32>,
    answer: Answer,
    is_done: bool,
}

impl<'a> CompletionState<'a> {
    fn new(question: &'a TokenizedPrompt) -> Self {
        Self {
            question,
            tokens: Vec::new(),
            answer: Answer::default(),
            is_done: false,
        }
    }

    /// Appends the next token; does nothing once the completion is finished.
    fn push(&mut self, base: &Base, token: u32) -> Result<(), Error> {
        if self.is_done {
            return Ok(());
        }
        if base.tokenizer.ends_turn(token) {
            self.answer.ended = true;
            self.is_done = true;
            return Ok(());
        }
        self.tokens.push(token);
        self.answer.text = base.tokenizer.decode(&self.tokens)?;
        // Text after the expected number of lines cannot change the scores.
        self.is_done = self.tokens.len() >= self.question.max_tokens
            || self.answer.text.trim().lines().count() > self.question.lines;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(prompt: &[u32]) -> TokenizedPrompt {
        TokenizedPrompt {
            prompt: prompt.to_vec(),
            lines: 1,
            max_tokens: 32,
        }
    }

    #[test]
    fn the_last_token_is_not_shared() {
        let questions = [question(&[1, 2, 3]), question(&[1, 2, 3, 4])];
        assert_eq!(shared_prefix_len(&questions), 2);
        assert_eq!(shared_prefix_len(&[question(&[1])]), 0);
        assert_eq!(shared_prefix_len(&[]), 0);
    }

    #[test]
    fn groups_keep_to_the_limits_and_lose_nothing() {
        let lengths = [10, 10, 3000, 4000, 4060, 9000];
        let questions: Vec<TokenizedPrompt> =
            lengths.iter().map(|n| question(&vec![7; *n])).collect();
        let sorted: Vec<usize> = (0..questions.len()).collect();
        let groups = groups(&questions, &sorted);
        assert_eq!(groups.concat(), sorted);
        let sizes: Vec<usize> = groups.iter().map(|group| group.len()).collect();
        assert_eq!(sizes, [2, 2, 1, 1]);
        let many = vec![question(&[1]); 70];
        let sorted: Vec<usize> = (0..70).collect();
        let sizes: Vec<usize> = super::groups(&many, &sorted)
            .iter()
            .map(|group| group.len())
            .collect();
        assert_eq!(sizes, [32, 32, 6]);
    }
}
