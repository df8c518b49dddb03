//! Messages over `postMessage`: incoming requests and outgoing events.

use js_sys::{Array, Float32Array, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{DedicatedWorkerGlobalScope, MessageEvent};

use super::failure::Failure;
use dnd_web::protocol::{Envelope, Event, Progress, Report, Request, Stage};

/// The worker's own scope.
pub fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

/// The request in a message, and the files that come with it.
pub fn read_request(event: &MessageEvent) -> Result<(Envelope<Request>, Vec<Vec<u8>>), Failure> {
    let parts = Array::from(&event.data());
    let text = parts.get(0).as_string();
    let text = text.ok_or_else(|| Failure::other("message: expected JSON, found no text"))?;
    let request = serde_json::from_str(&text);
    let request = request.map_err(|e| Failure::other(format!("message: {e}")))?;
    let files = parts.iter().skip(1);
    Ok((
        request,
        files.map(|file| Uint8Array::new(&file).to_vec()).collect(),
    ))
}

/// Sends the events of one request to the page, or to the worker that this one helps.
#[derive(Clone, Copy)]
pub struct Reply {
    id: u32,
}

impl Reply {
    /// For events that belong to no request.
    pub const UNSOLICITED: Self = Self { id: 0 };

    /// For the request `id`.
    pub fn to(id: u32) -> Self {
        Self { id }
    }

    /// The request's id.
    pub fn id(self) -> u32 {
        self.id
    }

    /// Sends an event.
    pub fn post(self, event: Event) {
        self.send(event, &[]);
    }

    /// Reports a failed request.
    pub fn failure(self, failure: &Failure) {
        self.post(Event::Failed {
            message: failure.message.clone(),
            cause: failure.cause,
        });
    }

    /// Reports the progress of a stage.
    pub fn progress(self, stage: Stage, done: u64, total: u64) {
        self.post(Event::Progress(Progress {
            stage,
            done,
            total,
            speed: None,
        }));
    }

    /// Sends a generated adapter: zip archive, weights, configuration, GGUF file if there is one.
    pub fn done(self, report: Report, files: &[&[u8]]) {
        let files: Vec<Uint8Array> = files.iter().map(|&file| Uint8Array::from(file)).collect();
        self.send(Event::Done(Box::new(report)), &files);
    }

    /// Sends hidden states.
    pub fn encoded(self, shape: [usize; 3], numbers: &[f32]) {
        let numbers = Float32Array::from(numbers);
        self.send(
            Event::Encoded { shape },
            &[Uint8Array::new(&numbers.buffer())],
        );
    }

    fn send(self, body: Event, files: &[Uint8Array]) {
        // Strings and numbers can always be serialized.
        let text = serde_json::to_string(&Envelope { id: self.id, body }).unwrap_or_default();
        let message = Array::of1(&JsValue::from(text));
        let transfer = Array::new();
        for file in files {
            message.push(file);
            transfer.push(&file.buffer());
        }
        if let Err(error) = scope().post_message_with_transfer(&message, &transfer) {
            web_sys::console::error_1(&error);
        }
    }
}
