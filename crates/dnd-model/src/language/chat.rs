//! Chat templates, rendered as in transformers.

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

/// A model's chat template (Jinja).
pub struct ChatTemplate {
    environment: Environment<'static>,
    beginning: String,
    end: String,
}

impl ChatTemplate {
    /// Compiles a template; `None` means ChatML. `beginning` and `end` are its `bos_token` and
    /// `eos_token`.
    ///
    /// # Errors
    /// [`Error::ChatTemplate`] when it is not valid Jinja.
    pub fn new(template: Option<&str>, beginning: &str, end: &str) -> Result<Self, Error> {
        let mut environment = Environment::new();
        environment
            .set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.set_trim_blocks(true);
        environment.set_lstrip_blocks(true);
        environment.add_function("raise_exception", |message: String| {
            Err::<String, _>(minijinja::Error::new(
                minijinja::ErrorKind::InvalidOperation,
                message,
            ))
        });
        environment
            .add_template_owned("chat", template.unwrap_or(CHAT_ML).to_owned())
            .map_err(|e| Error::ChatTemplate(e.into()))?;
        Ok(Self {
            environment,
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
            .get_template("chat")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_chat_ml() {
        let text = ChatTemplate::new(None, "", "")
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
    fn special_tokens_are_known() {
        let template = "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}";
        let template = ChatTemplate::new(Some(template), "<s>", "</s>").unwrap();
        let text = template.render(&Message::conversation(None, "hi")).unwrap();
        assert_eq!(text, "<s>hi</s>");
    }

    #[test]
    fn broken_template_is_an_error() {
        assert!(ChatTemplate::new(Some("{% if %}"), "", "").is_err());
    }
}
