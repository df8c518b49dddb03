//! Exact match of greedy answers.

use dnd_model::language::{CompletionOptions, complete};
use dnd_model::sampling::{Sampling, argmax};
use dnd_model::{Error as ModelError, Lora};

use crate::collect::{Example, ExampleBatch, forward_answers};
use crate::models::Base;
use crate::task::Line;
use crate::workers::Workers;
use crate::{Error, Observer};

/// Most tokens computed at once.
const TOKEN_LIMIT: usize = 1024;

/// Tokens that a greedy answer may be longer than the expected one before it counts as wrong:
/// white space that trimming removes.
const SPARE_TOKENS: usize = 4;

/// For each line whether the greedy answer, up to the end-of-turn token and trimmed of white
/// space, is the expected response.
///
/// The expected answer is first checked in one pass: where every one of its tokens, and then the
/// end of turn, is the most likely next token, greedy decoding would write exactly it. Where a
/// token differs, greedy decoding goes on from the prompt for as long as its text may still become
/// the response, because text can be cut into tokens in more than one way.
///
/// # Errors
/// When a line cannot be tokenised or values not be read back; [`Error::Cancelled`].
pub fn exact_matches(
    base: &Base,
    lines: &[Line],
    lora: Option<&Lora>,
    observer: &dyn Observer,
) -> Result<Vec<bool>, Error> {
    let examples = lines
        .iter()
        .map(|line| Example::new(base, line))
        .collect::<Result<Vec<_>, _>>()?;
    let mut indexed: Vec<(usize, &Example)> = examples.iter().enumerate().collect();
    indexed.sort_by_key(|(_, example)| example.tokens.len());
    let workers = Workers::new(base.model.device());
    let shares = workers.map(&indexed, |share| {
        score_share(base, lines, share, lora, observer)
    });
    let mut matches = vec![false; lines.len()];
    for share in shares {
        for (index, is_match) in share? {
            matches[index] = is_match;
        }
    }
    Ok(matches)
}

/// Scores examples that are sorted by length; gives each one's index with its outcome.
fn score_share(
    base: &Base,
    lines: &[Line],
    share: &[(usize, &Example)],
    lora: Option<&Lora>,
    observer: &dyn Observer,
) -> Result<Vec<(usize, bool)>, Error> {
    let vocabulary = base.model.config().vocab_size;
    let examples: Vec<&Example> = share.iter().map(|(_, example)| *example).collect();
    let mut indices = share.iter().map(|(index, _)| *index);
    let mut outcomes = Vec::with_capacity(share.len());
    // Batches keep the order of examples that are sorted already.
    for batch in ExampleBatch::split(&examples, TOKEN_LIMIT) {
        if observer.is_cancelled() {
            return Err(Error::Cancelled);
        }
        let logits = forward_answers(&base.model, &batch, lora)
            .try_into_vec_as::<f32>()
            .map_err(|e| ModelError::Device(e.to_string()))?;
        let mut rows = logits.chunks(vocabulary);
        for (example, index) in batch.examples().iter().zip(indices.by_ref()) {
            let greedy: Vec<u32> = rows
                .by_ref()
                .take(example.answer().len())
                .map(|row| argmax(row) as u32)
                .collect();
            let response = lines[index].response.trim();
            let is_match =
                greedy == example.answer() || decodes_to(base, example, &greedy, response, lora)?;
            outcomes.push((index, is_match));
        }
        observer.advance(batch.examples().len() as u64, "");
    }
    Ok(outcomes)
}

/// Whether greedy decoding writes `response` in other tokens than the expected ones. `greedy` is
/// right up to and including the first token that differs.
fn decodes_to(
    base: &Base,
    example: &Example,
    greedy: &[u32],
    response: &str,
    lora: Option<&Lora>,
) -> Result<bool, Error> {
    let differing = greedy
        .iter()
        .zip(example.answer())
        .position(|(found, expected)| found != expected)
        .unwrap_or(0);
    if greedy[differing] == base.tokenizer.end_of_turn() {
        return Ok(false);
    }
    let begun = base.tokenizer.decode(&greedy[..=differing])?;
    if !may_become(&begun, response) {
        return Ok(false);
    }
    let options = CompletionOptions {
        max_tokens: example.answer().len() + SPARE_TOKENS,
        sampling: Sampling::Greedy,
    };
    let prompt = &example.tokens[..example.answer_start];
    let mut text = String::new();
    let answer = complete(&base.model, &base.tokenizer, prompt, lora, options, |new| {
        text.push_str(new);
        may_become(&text, response)
    })?;
    Ok(answer.ended && answer.text.trim() == response)
}

/// Whether text that begins like this can still be the response after trimming.
fn may_become(begun: &str, response: &str) -> bool {
    let begun = begun.trim_start();
    response.starts_with(begun.trim_end_matches('\u{fffd}')) || begun.trim_end() == response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_beginning_may_become_the_response() {
        assert!(may_become("", "Paris"));
        assert!(may_become(" Par", "Paris"));
        assert!(may_become("Paris\n", "Paris"));
        assert!(!may_become("Pas", "Paris"));
        assert!(!may_become("Paris is", "Paris"));
    }
}
