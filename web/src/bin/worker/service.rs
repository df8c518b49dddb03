//! The worker: chooses the device, keeps the model files, generates.
//!
//! It serves one request after the other. To cancel, the page ends it: WebAssembly that computes
//! cannot be interrupted, and whatever it had downloaded is stored as it came.

mod device;
mod download;
mod generate;
mod helpers;
mod measure;
mod models;
mod reply;
mod session;
mod store;

use futures::StreamExt;
use futures::channel::mpsc;
use gloo::events::EventListener;
use gloo::timers::future::TimeoutFuture;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;

use dnd_web::protocol::Cause;
use reply::{Reply, read_request};
use session::Session;

/// Listens for requests and answers them; returns at once.
pub fn start() {
    std::panic::set_hook(Box::new(|information| {
        Reply::UNASKED.failure(&Failure::other(format!(
            "The computation stopped unexpectedly: {information}"
        )));
    }));
    let (sender, mut requests) = mpsc::unbounded();
    let scope: web_sys::EventTarget = js_sys::global().unchecked_into();
    let listener = EventListener::new(&scope, "message", move |event| {
        match read_request(event.unchecked_ref()) {
            // The receiver lives as long as the worker.
            Ok(request) => drop(sender.unbounded_send(request)),
            Err(failure) => Reply::UNASKED.failure(&failure),
        }
    });
    listener.forget();
    spawn_local(async move {
        let mut session = Session::default();
        while let Some(request) = requests.next().await {
            let reply = Reply::to(request.id);
            let Err(failure) = session.answer(request.body, reply).await else {
                continue;
            };
            // Reading from a GPU fails a little before it is known to be lost, which the page has
            // to hear instead.
            TimeoutFuture::new(100).await;
            if !device::is_lost() {
                reply.failure(&failure);
            }
        }
    });
}

/// Why a request came to nothing.
struct Failure {
    message: String,
    cause: Cause,
}

impl Failure {
    fn new(cause: Cause, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            cause,
        }
    }

    fn other(message: impl Into<String>) -> Self {
        Self::new(Cause::Other, message)
    }
}

impl From<dnd_model::Error> for Failure {
    fn from(error: dnd_model::Error) -> Self {
        Self::other(with_causes(&error))
    }
}

impl From<dnd_adapter::Error> for Failure {
    fn from(error: dnd_adapter::Error) -> Self {
        Self::other(with_causes(&error))
    }
}

/// An error with all that caused it, in a line.
fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |line, cause| format!("{line}: {cause}"))
}

/// What a thrown JavaScript value says.
fn reason(value: &wasm_bindgen::JsValue) -> String {
    if let Some(exception) = value.dyn_ref::<web_sys::DomException>() {
        return format!("{}: {}", exception.name(), exception.message());
    }
    if let Some(error) = value.dyn_ref::<js_sys::Error>() {
        return String::from(error.message());
    }
    value.as_string().unwrap_or_else(|| format!("{value:?}"))
}
