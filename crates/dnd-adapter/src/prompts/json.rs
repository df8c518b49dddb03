//! Prompts as JSON: strings, and objects as training files have them.

use serde_json::Value;

use super::{Prompt, PromptFile, error};
use crate::error::Error;

/// Fields and columns that hold answers.
pub(super) const ANSWERS: [&str; 4] = ["response", "answer", "completion", "output"];

/// Reads one value a line.
pub(super) fn lines(text: &str, source_name: &str) -> Result<PromptFile, Error> {
    let mut file = PromptFile::default();
    let mut notes = Notes::default();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let number = index + 1;
        let value = notes.repaired(line, number).map_err(|e| {
            let reason = broken(&e, Some(number));
            error(source_name, reason)
        })?;
        let place = format!("line {number}");
        let prompt = notes.prompt(&value, &place);
        file.prompts
            .push(prompt.map_err(|reason| error(source_name, reason))?);
    }
    file.notes = notes.0;
    Ok(file)
}

/// Reads a list of values.
pub(super) fn list(text: &str, source_name: &str) -> Result<PromptFile, Error> {
    let mut notes = Notes::default();
    let value = notes.repaired(text, 1);
    let value = value.map_err(|e| error(source_name, broken(&e, None)))?;
    let Value::Array(values) = value else {
        return Err(error(
            source_name,
            "expected a JSON list of prompts, found another value",
        ));
    };
    let prompts = values.iter().enumerate().map(|(index, value)| {
        let prompt = notes.prompt(value, &format!("entry {}", index + 1));
        prompt.map_err(|reason| error(source_name, reason))
    });
    let prompts = prompts.collect::<Result<_, _>>()?;
    Ok(PromptFile {
        prompts,
        notes: notes.0,
    })
}

/// A JSON value; where it is none, one with the mistakes of common writers repaired.
pub(super) fn value(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str(text).or_else(|mistake| {
        let repaired = serde_json::from_str(&repair(text));
        repaired.map_err(|_| mistake)
    })
}

/// What was guessed or repaired, each said once.
#[derive(Default)]
struct Notes(Vec<String>);

impl Notes {
    fn say(&mut self, note: String) {
        if !self.0.contains(&note) {
            self.0.push(note);
        }
    }

    fn repaired(&mut self, text: &str, line: usize) -> Result<Value, serde_json::Error> {
        let strict = serde_json::from_str(text);
        if strict.is_ok() {
            return strict;
        }
        let value = value(text)?;
        self.say(format!(
            "line {line}: `NaN`, infinite numbers or half surrogate pairs, which JSON has not, are \
             read as nothing."
        ));
        Ok(value)
    }

    /// The prompt of a string or of an object; `place` names it in errors.
    fn prompt(&mut self, value: &Value, place: &str) -> Result<Prompt, String> {
        let object = match value {
            Value::String(text) => {
                return Ok(Prompt {
                    text: text.clone(),
                    answer: None,
                });
            }
            Value::Object(object) => object,
            _ => return Err(no_prompt(place, "a number, a list or another value")),
        };
        let field = |name: &str| object.get(name).filter(|value| !value.is_null());
        let answer = ANSWERS.into_iter().find_map(|name| match field(name)? {
            Value::String(text) => Some(text.clone()),
            messages => turns(messages, &ASSISTANT).pop(),
        });
        let mut of_turns = |name: &str| {
            let messages = field(name).filter(|value| value.is_array())?;
            let asked = turns(messages, &USER);
            self.say(format!("Prompts are the user's turns of `{name}`."));
            Some(Prompt {
                text: asked.join("\n"),
                answer: answer.clone().or_else(|| turns(messages, &ASSISTANT).pop()),
            })
        };
        if let Some(Value::String(text)) = field("prompt") {
            return Ok(Prompt {
                text: text.clone(),
                answer,
            });
        }
        for name in ["prompt", "messages", "conversations"] {
            if let Some(prompt) = of_turns(name) {
                return Ok(prompt);
            }
        }
        if let Some(Value::String(instruction)) = field("instruction") {
            let input = field("input").and_then(Value::as_str);
            let input = input.filter(|input| !input.trim().is_empty());
            self.say("Prompts are `instruction`, with `input` where there is one.".to_owned());
            return Ok(Prompt {
                text: match input {
                    Some(input) => format!("{instruction}\n{input}"),
                    None => instruction.clone(),
                },
                answer,
            });
        }
        let names: Vec<&str> = object.keys().map(String::as_str).collect();
        Err(no_prompt(
            place,
            &format!("the fields {}", names.join(", ")),
        ))
    }
}

fn no_prompt(place: &str, found: &str) -> String {
    format!(
        "the JSON does not contain prompts ({place}): expected a string, or an object with a text \
         `prompt`, or `messages`, `conversations` or `instruction`; found {found}"
    )
}

/// Names of the roles in lists of messages: of OpenAI's and TRL's, and of ShareGPT's.
const USER: [&str; 2] = ["user", "human"];
const ASSISTANT: [&str; 3] = ["assistant", "gpt", "model"];

/// Texts of the turns of a role.
fn turns(messages: &Value, roles: &[&str]) -> Vec<String> {
    let messages = messages.as_array().map(Vec::as_slice).unwrap_or_default();
    let of_role = |message: &&Value| {
        let role = message.get("role").or_else(|| message.get("from"));
        role.and_then(Value::as_str)
            .is_some_and(|role| roles.contains(&role))
    };
    let content = |message: &Value| {
        let content = message.get("content").or_else(|| message.get("value"))?;
        match content {
            Value::String(text) => Some(text.clone()),
            // Parts, of which images and others are left out.
            Value::Array(parts) => {
                let texts = parts.iter().filter_map(|part| part.get("text")?.as_str());
                Some(texts.collect::<Vec<_>>().join("\n"))
            }
            _ => None,
        }
    };
    messages
        .iter()
        .filter(of_role)
        .filter_map(content)
        .collect()
}

/// Describes a mistake in JSON and its place. `line` is the line of the file that the JSON came
/// from, for JSON lines.
fn broken(mistake: &serde_json::Error, line: Option<usize>) -> String {
    // serde_json appends a position of its own, which is always in line 1 for JSON lines.
    let said = mistake.to_string();
    let place = format!(" at line {} column {}", mistake.line(), mistake.column());
    let reason = said.strip_suffix(&place).unwrap_or(&said);
    // serde_json reports line 0 when the position is unknown.
    let place = match (line.unwrap_or(mistake.line()), mistake.line()) {
        (0, _) => String::new(),
        (line, 0) => format!(" (line {line})"),
        (line, _) => format!(" (line {line}, column {})", mistake.column()),
    };
    format!("the JSON is not complete or not valid{place}. Parser error: {reason}.")
}

/// JSON as Python and JavaScript write it, made valid: `NaN` and infinite numbers become null, half
/// surrogate pairs the replacement character.
fn repair(text: &str) -> String {
    let mut repaired = String::with_capacity(text.len());
    let mut rest = text;
    let mut is_string = false;
    while let Some(next) = rest.chars().next() {
        if is_string && next == '\\' {
            let (kept, length) = escape(rest);
            repaired.push_str(kept);
            rest = &rest[length..];
            continue;
        }
        if !is_string {
            let names = ["NaN", "-Infinity", "Infinity"];
            if let Some(name) = names.into_iter().find(|name| rest.starts_with(name)) {
                repaired.push_str("null");
                rest = &rest[name.len()..];
                continue;
            }
        }
        is_string ^= next == '"';
        repaired.push(next);
        rest = &rest[next.len_utf8()..];
    }
    repaired
}

/// The escape that `text` begins with, as it may stand, and its length.
fn escape(text: &str) -> (&str, usize) {
    const REPLACEMENT: &str = "\\ufffd";
    let unit = |text: &str| {
        let digits = text.strip_prefix("\\u")?.get(..4)?;
        u16::from_str_radix(digits, 16).ok()
    };
    match unit(text) {
        Some(0xd800..0xdc00) => match text.get(6..).and_then(unit) {
            Some(0xdc00..0xe000) => (&text[..12], 12),
            _ => (REPLACEMENT, 6),
        },
        Some(0xdc00..0xe000) => (REPLACEMENT, 6),
        Some(_) => (&text[..6], 6),
        None => {
            let length = text.chars().take(2).map(char::len_utf8).sum();
            (&text[..length], length)
        }
    }
}
