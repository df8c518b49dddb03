//! Tokenizers of base models, from `tokenizer.json` or from GGUF metadata.

use dnd_adapter::gguf::Gguf;
use tokenizers::models::bpe::{BPE, Vocab};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{AddedToken, PreTokenizerWrapper, SplitDelimiterBehavior, Tokenizer};

use super::{ChatTemplate, Message};
use crate::Error;

/// ggml's token types: control tokens are special, user-defined ones are matched whole.
const CONTROL: u64 = 3;
const USER_DEFINED: u64 = 4;

/// Pre-tokenizer pattern of Qwen2 (tokenizer.json of Qwen2.5).
const QWEN2_PATTERN: &str = concat!(
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}",
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
);

/// A tokenizer with its chat template and its end-of-turn tokens.
pub struct LanguageTokenizer {
    tokenizer: Tokenizer,
    template: ChatTemplate,
    /// Whether the files have no template, so that ChatML stands in for it.
    is_guessed: bool,
    /// Tokens that end a turn, first the one that the template writes behind an answer.
    ends: Vec<u32>,
}

/// What a folder says besides `tokenizer.json` and `tokenizer_config.json`.
#[derive(Default)]
pub struct TokenizerExtras {
    /// Name and text of `chat_template.jinja`, which precedes a template in
    /// `tokenizer_config.json`.
    pub template: Option<(String, String)>,
    /// End tokens of `generation_config.json`.
    pub ends: Vec<u32>,
}

impl LanguageTokenizer {
    /// Reads the metadata of a GGUF file.
    ///
    /// # Errors
    /// When the vocabulary, the end-of-turn token or the template is missing or not supported.
    pub fn from_gguf(gguf: &Gguf, source_name: &str) -> Result<Self, Error> {
        let end_of_turn = gguf
            .unsigned("tokenizer.ggml.eos_token_id")
            .map_err(dnd_adapter::Error::from)?;
        let end_of_turn = u32::try_from(end_of_turn).map_err(|_| {
            Error::field(
                source_name,
                "tokenizer.ggml.eos_token_id",
                "a 32-bit id",
                end_of_turn,
            )
        })?;
        let tokenizer = tokenizer_from_gguf(gguf, source_name)?;
        let others = ["tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"];
        let others = others.into_iter().filter_map(|key| gguf.unsigned(key).ok());
        let others = others.filter_map(|id| u32::try_from(id).ok());
        let ends: Vec<u32> = [end_of_turn].into_iter().chain(others).collect();
        let beginning = gguf.unsigned("tokenizer.ggml.bos_token_id").ok();
        let text = |id: Option<u32>| {
            id.and_then(|id| tokenizer.id_to_token(id))
                .unwrap_or_default()
        };
        let found = gguf.string("tokenizer.chat_template").ok();
        let template = ChatTemplate::new(
            found,
            source_name,
            &text(beginning.and_then(|id| u32::try_from(id).ok())),
            &text(Some(end_of_turn)),
        )?;
        Self::new(tokenizer, template, found.is_none(), ends)
    }

    /// Puts the end token first that the template writes behind an answer.
    fn new(
        tokenizer: Tokenizer,
        template: ChatTemplate,
        is_guessed: bool,
        mut ends: Vec<u32>,
    ) -> Result<Self, Error> {
        const ANSWER: &str = "answer";
        let turns = [
            Message::new("user", "question"),
            Message::new("assistant", ANSWER),
        ];
        // A template that wants other turns tells nothing.
        if let Ok(text) = template.render(&turns)
            && let Some((_, behind)) = text.rsplit_once(ANSWER)
        {
            let stands_first = |&id: &u32| {
                let token = tokenizer.id_to_token(id)?;
                behind.find(&token)
            };
            ends.sort_by_key(|id| stands_first(id).unwrap_or(usize::MAX));
        }
        let mut seen = Vec::with_capacity(ends.len());
        ends.retain(|id| {
            !seen.contains(id) && {
                seen.push(*id);
                true
            }
        });
        Ok(Self {
            tokenizer,
            template,
            is_guessed,
            ends,
        })
    }

    /// Whether the files have no chat template, so that ChatML stands in for it.
    pub fn is_template_guessed(&self) -> bool {
        self.is_guessed
    }

    /// Reads `tokenizer.json` and `tokenizer_config.json`, each given with its name for errors.
    ///
    /// # Errors
    /// When either is malformed or the end-of-turn token is not in the vocabulary.
    pub fn from_json(
        (tokenizer_json, tokenizer_name): (&[u8], &str),
        (config_json, config_name): (&[u8], &str),
        extras: TokenizerExtras,
    ) -> Result<Self, Error> {
        let tokenizer =
            Tokenizer::from_bytes(tokenizer_json).map_err(|e| Error::format(tokenizer_name, e))?;
        let config: serde_json::Value =
            serde_json::from_slice(config_json).map_err(|e| Error::format(config_name, e))?;
        // Either a string or an added-token object with a `content`.
        let token = |name: &str| {
            let token = &config[name];
            token.as_str().or(token["content"].as_str())
        };
        let eos = token("eos_token").unwrap_or_default();
        let end_of_turn = tokenizer.token_to_id(eos).ok_or_else(|| {
            Error::field(config_name, "eos_token", "a token of the vocabulary", eos)
        })?;
        let inline = inline_template(&config["chat_template"]);
        let (name, template) = match &extras.template {
            Some((name, text)) => (name.as_str(), Some(text.as_str())),
            None => (config_name, inline),
        };
        let beginning = token("bos_token").unwrap_or_default();
        let compiled = ChatTemplate::new(template, name, beginning, eos)?;
        let ends = [end_of_turn].into_iter().chain(extras.ends).collect();
        Self::new(tokenizer, compiled, template.is_none(), ends)
    }

    /// Checks that a model with `vocab_size` embeddings covers this vocabulary.
    ///
    /// # Errors
    /// [`Error::Field`] when it does not.
    pub fn check_vocabulary(&self, vocab_size: usize, source_name: &str) -> Result<(), Error> {
        let tokens = self.tokenizer.get_vocab_size(true);
        if tokens <= vocab_size && self.ends.iter().all(|&id| (id as usize) < vocab_size) {
            return Ok(());
        }
        Err(Error::field(
            source_name,
            "vocabulary",
            &format!("at most the model's {vocab_size} tokens"),
            tokens,
        ))
    }

    /// The token that ends an answer: the one that the template writes behind it, where the files
    /// name several.
    pub fn end_of_turn(&self) -> u32 {
        self.ends[0]
    }

    /// Whether a token ends the turn. Models name several such tokens.
    pub fn ends_turn(&self, token: u32) -> bool {
        self.ends.contains(&token)
    }

    /// Token ids of `text`. Special tokens in it are recognized; none are added.
    ///
    /// # Errors
    /// [`Error::Format`] when the tokenizer fails.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, Error> {
        let encoding = self
            .tokenizer
            .encode_fast(text, false)
            .map_err(|e| Error::format("tokenizer", e))?;
        Ok(encoding.get_ids().to_vec())
    }

    /// Text of `ids`, without special tokens.
    ///
    /// # Errors
    /// [`Error::Format`] when the tokenizer fails.
    pub fn decode(&self, ids: &[u32]) -> Result<String, Error> {
        self.tokenizer
            .decode(ids, true)
            .map_err(|e| Error::format("tokenizer", e))
    }

    /// Decodes ids one at a time. Each call returns the new text without special tokens, or
    /// `None` while a character is incomplete. It fails when the tokenizer does.
    pub fn decode_stream(&self) -> impl FnMut(u32) -> Result<Option<String>, Error> {
        let mut stream = self.tokenizer.decode_stream(true);
        move |id| stream.step(id).map_err(|e| Error::format("tokenizer", e))
    }

    /// Renders a conversation up to the start of the assistant's turn.
    ///
    /// # Errors
    /// [`Error::ChatTemplate`] when the template rejects the conversation.
    pub fn render(&self, messages: &[Message]) -> Result<String, Error> {
        self.template.render(messages)
    }

    /// Token ids of a rendered conversation.
    ///
    /// # Errors
    /// As [`render`](Self::render) and [`encode`](Self::encode).
    pub fn encode_chat(&self, messages: &[Message]) -> Result<Vec<u32>, Error> {
        self.encode(&self.render(messages)?)
    }
}

/// The template of `tokenizer_config.json`: a text, or the one named `default` of a list.
fn inline_template(value: &serde_json::Value) -> Option<&str> {
    let named = |entry: &&serde_json::Value| entry["name"].as_str() == Some("default");
    let listed = value.as_array().and_then(|list| list.iter().find(named));
    value.as_str().or_else(|| listed?["template"].as_str())
}

/// Builds the byte-level BPE tokenizer that a GGUF file describes.
///
/// # Errors
/// When the model is not byte-level BPE or its pre-tokenizer is not supported.
pub fn tokenizer_from_gguf(gguf: &Gguf, source_name: &str) -> Result<Tokenizer, Error> {
    let gguf_error = dnd_adapter::Error::from;
    let model = gguf.string("tokenizer.ggml.model").map_err(gguf_error)?;
    if model != "gpt2" {
        return Err(Error::field(
            source_name,
            "tokenizer.ggml.model",
            "gpt2",
            model,
        ));
    }
    let tokens = gguf.strings("tokenizer.ggml.tokens").map_err(gguf_error)?;
    let merges = gguf.strings("tokenizer.ggml.merges").map_err(gguf_error)?;
    let types = gguf
        .unsigneds("tokenizer.ggml.token_type")
        .map_err(gguf_error)?;
    let merges = merges
        .iter()
        .map(|merge| {
            merge
                .split_once(' ')
                .map(|(left, right)| (left.to_owned(), right.to_owned()))
                .ok_or_else(|| {
                    Error::field(
                        source_name,
                        "tokenizer.ggml.merges",
                        "pairs separated by a space",
                        merge,
                    )
                })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let vocabulary = tokens
        .iter()
        .zip(0u32..)
        .map(|(token, id)| ((*token).to_owned(), id))
        .collect::<Vocab>();
    let bpe = BPE::builder()
        .vocab_and_merges(vocabulary, merges)
        .build()
        .map_err(|e| Error::format(source_name, e))?;
    let mut tokenizer = Tokenizer::new(bpe);
    tokenizer.with_pre_tokenizer(Some(pre_tokenizer(gguf, source_name)?));
    tokenizer.with_decoder(Some(ByteLevel::default()));
    let added: Vec<AddedToken> = tokens
        .iter()
        .zip(&types)
        .filter(|&(_, &kind)| kind == CONTROL || kind == USER_DEFINED)
        .map(|(token, &kind)| AddedToken::from(*token, kind == CONTROL).normalized(false))
        .collect();
    tokenizer.add_tokens(&added);
    Ok(tokenizer)
}

/// The pre-tokenizer, by its llama.cpp name.
fn pre_tokenizer(gguf: &Gguf, source_name: &str) -> Result<PreTokenizerWrapper, Error> {
    let name = gguf
        .string("tokenizer.ggml.pre")
        .map_err(dnd_adapter::Error::from)?;
    match name {
        // SmolLM2's own tokenizer splits digits off first. Its merges never join digits, so the
        // byte-level split alone gives the same tokens for them. For other numerals (½, ²) it
        // gives the tokens that transformers gives when it reads the same file.
        "smollm" => Ok(ByteLevel::new(false, true, true).into()),
        "qwen2" => {
            let split = Split::new(
                SplitPattern::Regex(QWEN2_PATTERN.to_owned()),
                SplitDelimiterBehavior::Isolated,
                false,
            )
            .map_err(|e| Error::format(source_name, e))?;
            Ok(Sequence::new(vec![
                split.into(),
                ByteLevel::new(false, true, false).into(),
            ])
            .into())
        }
        _ => Err(Error::field(
            source_name,
            "tokenizer.ggml.pre",
            "smollm or qwen2",
            name,
        )),
    }
}
