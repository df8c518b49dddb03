//! Test lines as tokenized prompts, with or without in-context examples.

use dnd_model::language::Message;

use dnd_model::files::Base;
use dnd_tasks::Line;
use dnd_train::Error;

/// Extra tokens of a completion beyond the expected response, for white space that trimming
/// removes.
const EXTRA_TOKENS: usize = 4;

/// Minimum token limit of a completion, so that its first line is complete even if the expected
/// response is one word.
const MIN_MAX_TOKENS: usize = 32;

/// Maximum tokens of in-context examples.
pub(super) const CONTEXT_LIMIT: usize = 1500;

/// A tokenized prompt, and where to stop decoding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenizedPrompt {
    /// Token ids of the rendered prompt.
    pub prompt: Vec<u32>,
    /// Lines of the expected response. Text after as many lines is not scored.
    pub lines: usize,
    /// Maximum tokens of the completion.
    pub max_tokens: usize,
}

impl TokenizedPrompt {
    /// Renders a line with the model's chat template. The examples are earlier turns.
    ///
    /// # Errors
    /// When the template or the tokenizer fails, or prompt and response exceed the model's context.
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
            max_tokens: (answer + EXTRA_TOKENS).max(MIN_MAX_TOKENS),
        })
    }
}

/// The longest prefix of `examples` of at most [`CONTEXT_LIMIT`] tokens.
///
/// # Errors
/// When the template or the tokenizer fails.
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

/// In-context examples as user and assistant turns.
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
            ..Line::default()
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
