//! Messages over `postMessage`.

use std::sync::atomic::{AtomicU32, Ordering};

use js_sys::{Array, Float32Array, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{DedicatedWorkerGlobalScope, MessageEvent};

use super::Failure;
use dnd_web::protocol::{Asked, Event, Progress, Report, Stage, Told};

/// Number of the request that is being served.
static CURRENT: AtomicU32 = AtomicU32::new(0);

/// From here on, events belong to the request with this number.
pub fn begin(id: u32) {
    CURRENT.store(id, Ordering::Relaxed);
}

/// The worker's own scope.
pub fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

/// The request in a message.
pub fn read_request(event: &MessageEvent) -> Result<Asked, Failure> {
    let text = Array::from(&event.data()).get(0).as_string();
    let text = text.ok_or_else(|| Failure::other("message: expected JSON, found no text"))?;
    serde_json::from_str(&text).map_err(|e| Failure::other(format!("message: {e}")))
}

/// Tells the page, or the worker that is helped, something.
pub fn post(event: Event) {
    send(event, &[]);
}

/// Tells the page that a request came to nothing.
pub fn post_failure(failure: &Failure) {
    post(Event::Failed {
        message: failure.message.clone(),
        cause: failure.cause,
    });
}

/// Tells the page where the work stands.
pub fn post_progress(stage: Stage, done: u64, total: u64) {
    post(Event::Progress(Progress {
        stage,
        done,
        total,
        speed: None,
    }));
}

/// Hands a generated adapter over: zip archive, weights, configuration.
pub fn post_done(report: Report, files: [&[u8]; 3]) {
    let files = files.map(Uint8Array::from);
    send(Event::Done(Box::new(report)), &files);
}

/// Hands hidden states over.
pub fn post_encoded(shape: [usize; 3], numbers: &[f32]) {
    let numbers = Float32Array::from(numbers);
    send(
        Event::Encoded { shape },
        &[Uint8Array::new(&numbers.buffer())],
    );
}

fn send(event: Event, files: &[Uint8Array]) {
    let told = Told {
        id: CURRENT.load(Ordering::Relaxed),
        event,
    };
    // An event holds texts and numbers, which JSON can always express.
    let text = serde_json::to_string(&told).unwrap_or_default();
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
