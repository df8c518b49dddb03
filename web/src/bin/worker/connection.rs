//! A helper while it runs.

use gloo::timers::callback::Timeout;
use js_sys::Array;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Event, MessageEvent, Worker, WorkerOptions, WorkerType};

/// A worker with its event handlers.
pub struct Connection {
    worker: Worker,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_error: Closure<dyn FnMut(Event)>,
}

impl Connection {
    /// Starts a module worker from the script `program`.
    ///
    /// # Errors
    /// When the browser cannot create the worker.
    pub fn new(
        program: &str,
        on_message: impl FnMut(MessageEvent) + 'static,
        on_error: impl FnMut(Event) + 'static,
    ) -> Result<Self, JsValue> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let worker = Worker::new_with_options(program, &options)?;
        let on_message = Closure::<dyn FnMut(MessageEvent)>::new(on_message);
        let on_error = Closure::<dyn FnMut(Event)>::new(on_error);
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        Ok(Self {
            worker,
            _on_message: on_message,
            _on_error: on_error,
        })
    }

    /// Sends a message.
    pub fn post(&self, json: &str) {
        // Posting fails only for values that cannot be cloned, and strings can.
        _ = self
            .worker
            .post_message(&Array::of1(&JsValue::from_str(json)));
    }

    /// Terminates the worker, whatever it is doing.
    pub fn end(self) {
        self.worker.set_onmessage(None);
        self.worker.set_onerror(None);
        self.worker.terminate();
        // Dropped later, because the function that is running may be one of its handlers.
        Timeout::new(0, move || drop(self)).forget();
    }
}
