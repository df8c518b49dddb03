//! The base model, which answers questions without and with an adapter.

use std::cell::Cell;

use burn::tensor::Device;
use dnd_adapter::peft;
use dnd_model::language::{
    CompletionOptions, LanguageModel, LanguageTokenizer, MatmulDtype, Message, PromptCache,
    complete,
};
use dnd_model::sampling::Sampling;
use dnd_model::{Lora, lora};
use gloo::timers::future::TimeoutFuture;

use super::download::now;
use super::failure::Failure;
use super::models::Files;
use super::reply::Reply;
use dnd_web::manifest::Role;
use dnd_web::protocol::{Answered, Decoding, Event};

/// Milliseconds of decoding after which messages are received.
const LONGEST_TURN: f64 = 50.0;

thread_local! {
    /// Id of the last request to stop.
    static STOP: Cell<u32> = const { Cell::new(0) };
}

/// Stops the answers to all requests before `id`.
pub fn stop_before(id: u32) {
    STOP.set(id);
}

/// The base model and the adapter in use.
pub struct BaseModel {
    model: LanguageModel,
    tokenizer: LanguageTokenizer,
    adapter: Option<Lora>,
    /// What was computed for the last prompt: without the adapter, and with it.
    cached: [PromptCache; 2],
}

impl BaseModel {
    /// Loads the model; its matrices stay quantized.
    pub fn load(files: &Files, device: &Device) -> Result<Self, Failure> {
        let (file, bytes) = files.of(Role::BaseModel)?;
        let (model, tokenizer) =
            LanguageModel::from_gguf(bytes, &file.path, MatmulDtype::Stored, device)?;
        Ok(Self {
            model,
            tokenizer,
            adapter: None,
            cached: Default::default(),
        })
    }

    /// Takes the weights and the configuration of an adapter.
    pub fn adapt(&mut self, files: &[Vec<u8>]) -> Result<(), Failure> {
        const NAMES: [&str; 2] = ["adapter_model.safetensors", "adapter_config.json"];
        let [weights, config] = files else {
            return Err(Failure::other(format!(
                "message: expected the files of an adapter, found {} of them",
                files.len()
            )));
        };
        let adapter = peft::read(config, NAMES[1], weights, NAMES[0])?;
        lora::check_layout(&adapter.layout, NAMES[0], &self.model.config().dimensions)?;
        self.adapter = Some(Lora::from_adapter(&adapter, self.model.device()));
        self.cached[1] = PromptCache::default();
        Ok(())
    }

    /// Answers a question.
    pub async fn answer(
        &mut self,
        prompt: &str,
        adapted: bool,
        decoding: Decoding,
        reply: Reply,
    ) -> Result<(), Failure> {
        // Takes a request to stop that came while the answer before was decoded.
        TimeoutFuture::new(0).await;
        let started = now();
        let tokens = self
            .tokenizer
            .encode_chat(&Message::conversation(None, prompt))?;
        let length = tokens.len().saturating_add(decoding.max_tokens);
        self.model.config().check_length(length)?;
        let options = CompletionOptions {
            max_tokens: decoding.max_tokens,
            sampling: match decoding.temperature {
                temperature if temperature > 0.0 => Sampling::Nucleus {
                    temperature,
                    top_p: decoding.top_p,
                    seed: decoding.seed,
                },
                _ => Sampling::Greedy,
            },
        };
        let is_stopped = || STOP.get() > reply.id();
        let (mut first, mut turn) = (None, started);
        let on_text = async |text: &str| {
            first.get_or_insert_with(now);
            reply.post(Event::Text {
                text: text.to_owned(),
            });
            if now() - turn > LONGEST_TURN {
                TimeoutFuture::new(0).await;
                turn = now();
            }
            !is_stopped()
        };
        let cached = &mut self.cached[usize::from(adapted)];
        let lora = self.adapter.as_ref().filter(|_| adapted);
        let (mut count, mut before, mut ended) = (0, 0, false);
        if !is_stopped() {
            let (model, tokenizer) = (&self.model, &self.tokenizer);
            let answer = complete(model, tokenizer, &tokens, lora, options, cached, on_text);
            let answer = answer.await?;
            (count, before) = (answer.tokens.len(), answer.tokens_to_text);
            ended = answer.ended;
        }
        let (first, last) = (first.unwrap_or_else(now), now());
        reply.post(Event::Answered(Answered {
            tokens: count,
            rate: (count > before && last > first)
                .then(|| (count - before) as f64 / (last - first) * 1e3),
            ended,
            stopped: is_stopped(),
            first: (first - started) / 1e3,
        }));
        Ok(())
    }
}
