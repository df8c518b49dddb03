//! The worker: chooses the device, stores the model files, generates adapters.
//!
//! It serves one request at a time. To cancel a generation, the page terminates it, because
//! WebAssembly that computes cannot be interrupted. Downloads are stored as they arrive, so nothing
//! is lost. The base model takes messages every few tokens, so that it can be stopped.

mod base_model;
mod connection;
mod device;
mod download;
mod failure;
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

use failure::Failure;
use reply::{Reply, read_request};
use session::Session;

use dnd_web::protocol::Request;

/// Listens for requests and answers them; returns at once.
pub fn start() {
    std::panic::set_hook(Box::new(|information| {
        Reply::UNSOLICITED.failure(&Failure::other(format!(
            "The computation stopped unexpectedly: {information}"
        )));
    }));
    let (sender, mut requests) = mpsc::unbounded();
    let scope: web_sys::EventTarget = js_sys::global().unchecked_into();
    let listener = EventListener::new(&scope, "message", move |event| {
        match read_request(event.unchecked_ref()) {
            Ok((request, files)) => {
                if matches!(request.body, Request::Stop) {
                    base_model::stop_before(request.id);
                }
                // The receiver lives as long as the worker.
                drop(sender.unbounded_send((request, files)));
            }
            Err(failure) => Reply::UNSOLICITED.failure(&failure),
        }
    });
    listener.forget();
    spawn_local(async move {
        let mut session = Session::default();
        while let Some((request, files)) = requests.next().await {
            let reply = Reply::to(request.id);
            let Err(failure) = session.answer(request.body, &files, reply).await else {
                continue;
            };
            // A read from a lost GPU fails shortly before the loss is reported. The page needs
            // the loss instead of this failure.
            TimeoutFuture::new(100).await;
            if !device::is_lost() {
                reply.failure(&failure);
            }
        }
    });
}
