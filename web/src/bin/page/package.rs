//! The functions of the npm package (`web/package`), which run the workers.

use gloo::timers::callback::Timeout;
use js_sys::{JSON, Object, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::AbortSignal;

use super::browser;
use dnd_web::protocol::{Answered, Cause, Decoding, DeviceChoice, Event, Report};

/// The script of the workers.
const PROGRAM: &str = "worker-start.js";

#[wasm_bindgen(module = "/package/index.js")]
extern "C" {
    /// A generator and its base model.
    #[derive(Clone)]
    pub type Dnd;

    #[wasm_bindgen(constructor)]
    fn new(options: &JsValue) -> Dnd;
    /// Whether the base model can be asked at once.
    #[wasm_bindgen(method, getter, js_name = baseIsOpen)]
    pub fn base_is_open(this: &Dnd) -> bool;
    /// Chooses a device and looks which models are stored.
    #[wasm_bindgen(method, catch)]
    pub async fn start(this: &Dnd) -> Result<JsValue, JsValue>;
    /// Fetches and loads the generator.
    #[wasm_bindgen(method, catch)]
    pub async fn prepare(this: &Dnd) -> Result<JsValue, JsValue>;
    /// Deletes the stored models.
    #[wasm_bindgen(method, catch, js_name = deleteModels)]
    pub async fn delete_models(this: &Dnd) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    async fn generate(
        this: &Dnd,
        prompts: Vec<String>,
        options: &JsValue,
    ) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    async fn complete(this: &Dnd, prompt: &str, options: &JsValue) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method)]
    fn dispose(this: &Dnd);

    /// A generated adapter.
    #[derive(Clone)]
    pub type Adapter;

    #[wasm_bindgen(method, getter, js_name = report)]
    fn report_object(this: &Adapter) -> JsValue;
    /// The archive with everything.
    #[wasm_bindgen(method)]
    pub fn zip(this: &Adapter) -> Uint8Array;
    /// The files of PEFT, by name.
    #[wasm_bindgen(method)]
    pub fn peft(this: &Adapter) -> Object;
    /// The adapter for llama.cpp; bundles that do not tell their base model's sizes give none.
    #[wasm_bindgen(method, catch)]
    pub fn gguf(this: &Adapter) -> Result<Uint8Array, JsValue>;
}

/// An object with these fields.
fn object<const N: usize>(fields: [(&str, JsValue); N]) -> JsValue {
    let object = Object::new();
    for (name, value) in fields {
        // Setting fails only for objects that are frozen.
        _ = Reflect::set(&object, &name.into(), &value);
    }
    object.into()
}

/// A value that the package made of JSON.
fn read<T: serde::de::DeserializeOwned>(value: &JsValue) -> Option<T> {
    let text = JSON::stringify(value).ok()?.as_string()?;
    serde_json::from_str(&text).ok()
}

/// Why a call failed.
#[derive(Debug, Clone)]
pub struct Failure {
    /// A sentence.
    pub message: String,
    /// `None` if its signal was aborted.
    pub cause: Option<Cause>,
}

impl From<JsValue> for Failure {
    /// From a `DndError`; anything else is of another cause.
    fn from(error: JsValue) -> Self {
        let field = |name: &str| Reflect::get(&error, &name.into()).ok();
        let message = field("message").and_then(|message| message.as_string());
        let code = field("code").unwrap_or_default();
        let is_aborted = code.as_string().as_deref() == Some("aborted");
        Self {
            message: message.unwrap_or_else(|| format!("{error:?}")),
            cause: (!is_aborted).then(|| read(&code).unwrap_or(Cause::Other)),
        }
    }
}

impl Dnd {
    /// The adapter of `prompts`.
    pub async fn adapter(&self, prompts: Vec<String>, seed: u64) -> Result<JsValue, JsValue> {
        let options = object([("seed", JsValue::from_f64(seed as f64))]);
        self.generate(prompts, &options).await
    }

    /// Asks the base model. `on_token` gets each new piece of the answer.
    pub async fn answer(
        &self,
        prompt: &str,
        adapter: Option<Adapter>,
        decoding: Decoding,
        signal: &AbortSignal,
        on_token: impl FnMut(String) + 'static,
        mut on_answered: impl FnMut(Answered) + 'static,
    ) -> Result<(), Failure> {
        let on_token = Closure::<dyn FnMut(String)>::new(on_token);
        let on_answered = Closure::<dyn FnMut(JsValue)>::new(move |answered: JsValue| {
            if let Some(answered) = read(&answered) {
                on_answered(answered);
            }
        });
        let number = |value: f64| JsValue::from_f64(value);
        let options = object([
            ("adapter", adapter.into()),
            ("onToken", on_token.as_ref().clone()),
            ("onAnswered", on_answered.as_ref().clone()),
            ("signal", signal.into()),
            ("maxTokens", number(decoding.max_tokens as f64)),
            ("temperature", number(decoding.temperature.into())),
            ("topP", number(decoding.top_p.into())),
            ("seed", number(decoding.seed as f64)),
        ]);
        self.complete(prompt, &options).await?;
        Ok(())
    }
}

impl Adapter {
    /// How it came about.
    pub fn report(&self) -> Option<Report> {
        read(&self.report_object())
    }
}

/// A [`Dnd`] and the functions that it calls.
pub struct Workers {
    /// What it can be asked.
    pub dnd: Dnd,
    _on_event: Closure<dyn FnMut(JsValue)>,
    _on_lost: Closure<dyn FnMut(JsValue)>,
}

impl Workers {
    /// For the generator on `device` or the base model on `answers`, whichever is asked first.
    /// `on_lost` is called if a worker ends by itself while nothing is asked of it, or is of
    /// another version than the page.
    pub fn new(
        model: Option<String>,
        [device, answers]: [DeviceChoice; 2],
        mut on_event: impl FnMut(Event) + 'static,
        on_lost: impl Fn(Failure) + Copy + 'static,
    ) -> Self {
        let on_event = Closure::<dyn FnMut(JsValue)>::new(move |event| match read(&event) {
            Some(event) => on_event(event),
            None => on_lost(Failure {
                message: "The worker and the page have different versions.".to_owned(),
                cause: Some(Cause::Outdated),
            }),
        });
        let on_lost = Closure::<dyn FnMut(JsValue)>::new(move |error: JsValue| {
            on_lost(Failure::from(error));
        });
        let options = object([
            ("models", browser::base().into()),
            ("model", model.into()),
            ("device", device.name().into()),
            ("answers", answers.name().into()),
            ("program", PROGRAM.into()),
            ("onEvent", on_event.as_ref().clone()),
            ("onLost", on_lost.as_ref().clone()),
        ]);
        Self {
            dnd: Dnd::new(&options),
            _on_event: on_event,
            _on_lost: on_lost,
        }
    }

    /// Terminates the workers, whatever they are doing.
    pub fn end(self) {
        self.dnd.dispose();
        // Dropped later, because the function that is running may be one of its own.
        Timeout::new(0, move || drop(self)).forget();
    }
}
