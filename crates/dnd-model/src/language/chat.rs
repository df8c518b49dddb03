//! Chat templates, rendered as in transformers.

use minijinja::value::{Kwargs, Value};
use minijinja::{Environment, context};
use serde::{Deserialize, Serialize};

use crate::Error;

/// ChatML, the template of SmolLM2 and of Qwen2 without tools. Used for files without a
/// template.
const CHAT_ML: &str = "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' \
    + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}\
    {% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// `system`, `user` or `assistant`.
    pub role: String,
    /// The text of the turn.
    pub content: String,
}

impl Message {
    /// A turn with this role and content.
    pub fn new(role: &str, content: &str) -> Self {
        Self {
            role: role.to_owned(),
            content: content.to_owned(),
        }
    }

    /// A conversation of an optional system message and one prompt.
    pub fn conversation(system: Option<&str>, prompt: &str) -> Vec<Self> {
        system
            .map(|content| Self::new("system", content))
            .into_iter()
            .chain([Self::new("user", prompt)])
            .collect()
    }
}

/// Instructions of the template engine after which a template counts as endless. Conversations of
/// thousands of messages stay below it.
const MOST_STEPS: u64 = 1_000_000;

/// A model's chat template (Jinja), with what transformers adds to the language: `raise_exception`,
/// `strftime_now`, its own `tojson`, and the tag `generation`.
pub struct ChatTemplate {
    environment: Environment<'static>,
    /// Name of the template, which stands in errors: that of its file.
    name: String,
    beginning: String,
    end: String,
}

impl ChatTemplate {
    /// Compiles a template; `None` means ChatML. `beginning` and `end` are its `bos_token` and
    /// `eos_token`; `source_name` names its file in errors.
    ///
    /// # Errors
    /// [`Error::ChatTemplate`] when it is not valid Jinja.
    pub fn new(
        template: Option<&str>,
        source_name: &str,
        beginning: &str,
        end: &str,
    ) -> Result<Self, Error> {
        let mut environment = Environment::new();
        environment
            .set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.set_fuel(Some(MOST_STEPS));
        environment.set_trim_blocks(true);
        environment.set_lstrip_blocks(true);
        environment.add_function("raise_exception", |message: String| {
            Err::<String, _>(minijinja::Error::new(
                minijinja::ErrorKind::InvalidOperation,
                message,
            ))
        });
        environment.add_function("strftime_now", now);
        environment.add_filter("tojson", to_json);
        let template = without_generation(template.unwrap_or(CHAT_ML));
        environment
            .add_template_owned(source_name.to_owned(), template)
            .map_err(|e| Error::ChatTemplate(e.into()))?;
        Ok(Self {
            environment,
            name: source_name.to_owned(),
            beginning: beginning.to_owned(),
            end: end.to_owned(),
        })
    }

    /// Renders a conversation up to the start of the assistant's turn.
    ///
    /// # Errors
    /// [`Error::ChatTemplate`] when the template rejects the conversation.
    pub fn render(&self, messages: &[Message]) -> Result<String, Error> {
        self.environment
            .get_template(&self.name)
            .and_then(|template| {
                template.render(context! {
                    messages,
                    add_generation_prompt => true,
                    bos_token => self.beginning,
                    eos_token => self.end,
                })
            })
            .map_err(|e| Error::ChatTemplate(e.into()))
    }
}

/// The template without the tags `generation` and `endgeneration`, which mark the assistant's words
/// for training and render nothing. An `if` in their place keeps what they do to white space.
fn without_generation(template: &str) -> String {
    let mut rest = template;
    let mut text = String::with_capacity(template.len());
    while let Some((before, tag)) = rest.split_once("{%") {
        text.push_str(before);
        text.push_str("{%");
        let Some((inside, after)) = tag.split_once("%}") else {
            rest = tag;
            break;
        };
        let name = inside.trim_matches(|c: char| c.is_whitespace() || "-+".contains(c));
        match name {
            "generation" => text.push_str(&inside.replace(name, "if true")),
            "endgeneration" => text.push_str(&inside.replace(name, "endif")),
            _ => text.push_str(inside),
        }
        text.push_str("%}");
        rest = after;
    }
    text + rest
}

/// The present local time in a format of `strftime`.
#[cfg(not(target_arch = "wasm32"))]
fn now(format: String) -> Result<String, minijinja::Error> {
    jiff::fmt::strtime::format(&format, &jiff::Zoned::now())
        .map_err(|e| minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, e.to_string()))
}

/// There is no clock to ask.
#[cfg(target_arch = "wasm32")]
fn now(_format: String) -> Result<String, minijinja::Error> {
    Err(minijinja::Error::new(
        minijinja::ErrorKind::InvalidOperation,
        "strftime_now is not supported in WebAssembly",
    ))
}

/// JSON as Python's `json.dumps` writes it, which is what transformers calls: with spaces after
/// commas and colons, and without escapes for HTML.
fn to_json(value: Value, options: Kwargs) -> Result<Value, minijinja::Error> {
    let failed = |e: serde_json::Error| {
        minijinja::Error::new(minijinja::ErrorKind::BadSerialization, e.to_string())
    };
    let indent: Option<usize> = options.get("indent")?;
    let is_ascii: bool = options
        .get::<Option<bool>>("ensure_ascii")?
        .unwrap_or(false);
    let is_sorted: Option<bool> = options.get("sort_keys")?;
    options.assert_all_used()?;
    // serde_json's own maps are sorted.
    let value = match is_sorted {
        Some(true) => Value::from_serialize(serde_json::to_value(&value).map_err(failed)?),
        _ => value,
    };
    let mut bytes = Vec::new();
    let written = match indent {
        Some(indent) => {
            let spaces = " ".repeat(indent);
            let format = serde_json::ser::PrettyFormatter::with_indent(spaces.as_bytes());
            let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, format);
            value.serialize(&mut serializer)
        }
        None => {
            let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, Spaced);
            value.serialize(&mut serializer)
        }
    };
    written.map_err(failed)?;
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    if is_ascii {
        let escaped = text.encode_utf16().map(|unit| match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii() => char::from(byte).to_string(),
            _ => format!("\\u{unit:04x}"),
        });
        text = escaped.collect();
    }
    Ok(Value::from_safe_string(text))
}

/// Commas and colons with a space behind them.
struct Spaced;

impl serde_json::ser::Formatter for Spaced {
    fn begin_array_value<W: ?Sized + std::io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> std::io::Result<()> {
        writer.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_key<W: ?Sized + std::io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> std::io::Result<()> {
        writer.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_value<W: ?Sized + std::io::Write>(
        &mut self,
        writer: &mut W,
    ) -> std::io::Result<()> {
        writer.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text of a template for one message.
    fn rendered(template: &str) -> Result<String, Error> {
        let template = ChatTemplate::new(Some(template), "template", "<s>", "</s>")?;
        template.render(&Message::conversation(None, "hi"))
    }

    #[test]
    fn plain_chat_ml() {
        let text = ChatTemplate::new(None, "chat", "", "")
            .unwrap()
            .render(&Message::conversation(Some("Be brief."), "hi"))
            .unwrap();
        assert_eq!(
            text,
            "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nhi<|im_end|>\n\
             <|im_start|>assistant\n"
        );
    }

    #[test]
    fn endless_templates_are_stopped_and_long_conversations_are_not() {
        let nested =
            "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}";
        let error = rendered(nested).unwrap_err();
        let reason = std::error::Error::source(&error).unwrap().to_string();
        assert!(reason.contains("out of fuel"), "{reason}");
        let template = ChatTemplate::new(None, "chat", "", "").unwrap();
        let turn = ["user", "assistant"].map(|role| Message::new(role, "hi"));
        let messages: Vec<Message> = turn.iter().cycle().take(4000).cloned().collect();
        assert!(template.render(&messages).is_ok());
    }

    #[test]
    fn special_tokens_are_known() {
        let text = rendered("{{ bos_token }}{{ messages[0].content }}{{ eos_token }}");
        assert_eq!(text.unwrap(), "<s>hi</s>");
    }

    #[test]
    fn broken_template_is_an_error() {
        let told = |template| match rendered(template) {
            Err(Error::ChatTemplate(cause)) => cause.to_string(),
            other => panic!("{other:?}"),
        };
        assert!(told("{% if %}").contains("template:1"));
        assert!(told("{{ raise_exception('no turns') }}").contains("no turns"));
    }

    /// Expected texts are those of transformers 5.24 (jinja2 with its extensions).
    #[test]
    fn what_transformers_adds_to_jinja_is_known() {
        for (template, expected) in [
            (
                "{% for m in messages %}{%- generation -%} {{ m.content }} \
                 {%- endgeneration -%}{% endfor %}",
                "hi",
            ),
            ("{% generation %}a{% endgeneration %}b", "ab"),
            (
                "{% for i in range(9) %}{% if i == 1 %}{% continue %}{% endif %}\
                 {% if i > 3 %}{% break %}{% endif %}{{ i }}{% endfor %}",
                "023",
            ),
            (
                "{{ {'a': [1, 2.5, none], 'b': '<é>'} | tojson }}",
                "{\"a\": [1, 2.5, null], \"b\": \"<é>\"}",
            ),
            ("{{ ['é'] | tojson(ensure_ascii=true) }}", "[\"\\u00e9\"]"),
            ("{{ [1] | tojson(indent=2) }}", "[\n  1\n]"),
            ("{{ {'b': 1, 'a': 2} | tojson }}", "{\"b\": 1, \"a\": 2}"),
            (
                "{{ {'b': 1, 'a': 2} | tojson(sort_keys=true) }}",
                "{\"a\": 2, \"b\": 1}",
            ),
            ("{{ messages[0]['content'].upper().strip() }}", "HI"),
            ("{{ 'a,b'.split(',')[1] }}", "b"),
        ] {
            assert_eq!(rendered(template).unwrap(), expected, "{template}");
        }
        let year = rendered("{{ strftime_now('%Y') }}").unwrap();
        assert!(year.parse::<u32>().unwrap() > 2024, "{year}");
    }
}
