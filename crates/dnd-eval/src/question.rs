//! Test lines as the model is asked them, alone or after worked examples.

use dnd_model::language::Message;

use dnd_model::files::Base;
use dnd_tasks::Line;
use dnd_train::Error;

/// Tokens that an answer may be longer than the expected one and still be right: white space that
/// trimming removes.
const SPARE_TOKENS: usize = 4;

/// Tokens of an answer that are read at least, so that its first line is known where the expected
/// one is a word.
const LEAST_TOKENS: usize = 32;

/// Most tokens of worked examples in context.
pub(super) const CONTEXT_LIMIT: usize = 1500;

/// A prompt as the model sees it, and what has to be known of its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The rendered prompt.
    pub prompt: Vec<u32>,
    /// Lines that the expected response has; what comes after as many decides nothing.
    pub lines: usize,
    /// Most tokens of the answer.
    pub most_tokens: usize,
}

impl Question {
    /// Renders a line with the model's chat template; the examples come before it as earlier turns
    /// of the conversation.
    ///
    /// # Errors
    /// When the template or the tokenizer refuses it, or it is longer than the model's context.
    pub fn new(base: &Base, line: &Line, examples: &[Line]) -> Result<Self, Error> {
        let tokenizer = &base.tokenizer;
        let mut messages = Message::conversation(line.system.as_deref(), &line.prompt);
        let asked = messages.pop();
        messages.extend(turns(examples));
        messages.extend(asked);
        let prompt = tokenizer.encode_chat(&messages)?;
        if prompt.is_empty() {
            return Err(dnd_model::Error::NoPrompts.into());
        }
        let response = line.response.trim();
        let answer = tokenizer.encode(response)?.len() + 1;
        base.model.config().check_length(prompt.len() + answer)?;
        Ok(Self {
            prompt,
            lines: response.lines().count().max(1),
            most_tokens: (answer + SPARE_TOKENS).max(LEAST_TOKENS),
        })
    }
}

/// The first of `examples` that together are at most [`CONTEXT_LIMIT`] tokens.
///
/// # Errors
/// When the template or the tokenizer refuses them.
pub(super) fn within_limit<'a>(base: &Base, examples: &'a [Line]) -> Result<&'a [Line], Error> {
    let mut kept = examples;
    while let Some((_, rest)) = kept.split_last() {
        if base.tokenizer.encode_chat(&turns(kept))?.len() <= CONTEXT_LIMIT {
            break;
        }
        kept = rest;
    }
    Ok(kept)
}

/// Worked examples as turns of user and assistant.
fn turns(examples: &[Line]) -> Vec<Message> {
    let turns = examples.iter().flat_map(|line| {
        [
            Message::new("user", &line.prompt),
            Message::new("assistant", line.response.trim()),
        ]
    });
    turns.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_are_earlier_turns() {
        let line = |prompt: &str| Line {
            prompt: prompt.to_owned(),
            response: " b\n".to_owned(),
            system: None,
        };
        let turns = turns(&[line("a"), line("c")]);
        let shown: Vec<(&str, &str)> = turns
            .iter()
            .map(|turn| (turn.role.as_str(), turn.content.as_str()))
            .collect();
        assert_eq!(
            shown,
            [
                ("user", "a"),
                ("assistant", "b"),
                ("user", "c"),
                ("assistant", "b")
            ]
        );
    }
}
