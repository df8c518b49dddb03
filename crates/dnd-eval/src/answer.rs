//! Greedy answers to many questions at once.

use burn::tensor::{Int, Tensor};
use dnd_model::language::{Cache, LanguageModel, TokenBatch};
use dnd_model::sampling::argmax;
use dnd_model::{Error as ModelError, Lora};

use crate::Question;
use dnd_files::Observer;
use dnd_model::files::Base;
use dnd_train::Error;
use dnd_train::workers::Workers;

/// Most questions that are answered together.
const ROWS: usize = 32;
/// Most tokens that are kept at once on each core, prompts and answers together: bounds memory.
const TOKEN_LIMIT: usize = 8192;
/// Tokens of the common beginning that are computed at once.
const CHUNK: usize = 512;

/// What the model wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// The text, special tokens left out.
    pub text: String,
    /// Whether the model ended its turn by itself, within what was to be read of it.
    pub ended: bool,
}

/// The greedy answer to each question, read up to the end of the turn, or until no more of it can
/// matter. What all prompts begin with, such as a system message or worked examples, is computed
/// once.
///
/// # Errors
/// When values cannot be read back from the device; [`Error::Cancelled`].
pub fn answers(
    base: &Base,
    questions: &[Question],
    lora: Option<&Lora>,
    observer: &dyn Observer,
) -> Result<Vec<Answer>, Error> {
    let length = common_beginning(questions);
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
            let group: Vec<&Question> = group.iter().map(|&index| &questions[index]).collect();
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

/// Tokens that all prompts begin with. The last token of every prompt stays out: its state gives
/// the answer.
fn common_beginning(questions: &[Question]) -> usize {
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

/// Cuts questions, sorted by length, into groups that fit together.
fn groups<'a>(questions: &[Question], sorted: &'a [usize]) -> Vec<&'a [usize]> {
    let tokens = |index: usize| questions[index].prompt.len() + questions[index].most_tokens;
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

/// Answers questions token by token, all in step; `cache` holds their first `cached` tokens.
fn answer_group(
    base: &Base,
    questions: &[&Question],
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
    let mut writers: Vec<Writer> = questions.iter().map(|q| Writer::new(q)).collect();
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

/// An answer in the making.
struct Writer<'a> {
    question: &'a Question,
    tokens: Vec<u32>,
    answer: Answer,
    is_done: bool,
}

impl<'a> Writer<'a> {
    fn new(question: &'a Question) -> Self {
        Self {
            question,
            tokens: Vec::new(),
            answer: Answer::default(),
            is_done: false,
        }
    }

    /// Takes the next token; after the end tokens pass by.
    fn push(&mut self, base: &Base, token: u32) -> Result<(), Error> {
        if self.is_done {
            return Ok(());
        }
        if token == base.tokenizer.end_of_turn() {
            self.answer.ended = true;
            self.is_done = true;
            return Ok(());
        }
        self.tokens.push(token);
        self.answer.text = base.tokenizer.decode(&self.tokens)?;
        // A line more than expected is neither right nor read.
        self.is_done = self.tokens.len() >= self.question.most_tokens
            || self.answer.text.trim().lines().count() > self.question.lines;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(prompt: &[u32]) -> Question {
        Question {
            prompt: prompt.to_vec(),
            lines: 1,
            most_tokens: 32,
        }
    }

    #[test]
    fn the_last_token_is_not_shared() {
        let questions = [question(&[1, 2, 3]), question(&[1, 2, 3, 4])];
        assert_eq!(common_beginning(&questions), 2);
        assert_eq!(common_beginning(&[question(&[1])]), 0);
        assert_eq!(common_beginning(&[]), 0);
    }

    #[test]
    fn groups_keep_to_the_limits_and_lose_nothing() {
        let lengths = [10, 10, 3000, 4000, 4060, 9000];
        let questions: Vec<Question> = lengths.iter().map(|n| question(&vec![7; *n])).collect();
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
