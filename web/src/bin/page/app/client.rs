//! The page's side of the worker: starting it, asking, hearing, ending.

use gloo::file::ObjectUrl;
use js_sys::{Array, Reflect};
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::MessageEvent;

use super::connection::Connection;
use super::progress::Course;
use super::result::{Download, Finished};
use super::state::State;
use super::{browser, format};
use dnd_web::protocol::{Cause, Event, FilesReport, Report, Request};

/// The one who talks to the worker.
#[derive(Clone, Copy)]
pub struct Client {
    state: State,
    inner: StoredValue<Inner, LocalStorage>,
}

#[derive(Default)]
struct Inner {
    connection: Option<Connection>,
    /// Whether the worker has answered [`Request::Start`].
    started: bool,
    /// The generation under way, kept because it may have to be repeated, or a deletion that waits for
    /// the worker.
    request: Option<Request>,
    /// Whether the worker was replaced after a device loss already.
    repeated: bool,
    /// Whether the browser was asked to keep what is stored.
    persisted: bool,
    /// Addresses of the last result's files; dropping them frees the files.
    urls: Vec<ObjectUrl>,
}

impl Client {
    /// A client without a worker.
    pub fn new(state: State) -> Self {
        Self {
            state,
            inner: StoredValue::new_local(Inner::default()),
        }
    }

    /// Starts a worker, in place of the one that may be running.
    pub fn open(self) {
        self.close();
        let connection = Connection::new(
            move |message| self.receive(&message),
            move |event| self.crashed(&event),
        );
        match connection {
            Ok(connection) => {
                self.inner
                    .update_value(|inner| inner.connection = Some(connection));
                self.send(&Request::Start {
                    device: self.state.choice,
                    base: browser::base(),
                });
            }
            Err(_) => self.failed("The worker of this page cannot be started.", Cause::Other),
        }
    }

    fn close(self) {
        let old = self
            .inner
            .try_update_value(|inner| {
                inner.started = false;
                inner.connection.take()
            })
            .flatten();
        self.state.preparing.set(false);
        if let Some(old) = old {
            old.end();
        }
    }

    fn send(self, request: &Request) {
        let Ok(json) = serde_json::to_string(request) else {
            return;
        };
        self.inner.with_value(|inner| {
            if let Some(connection) = &inner.connection {
                connection.post(&json);
            }
        });
    }

    /// Generates an adapter; waits for the worker if it is still starting.
    pub fn generate(self, prompts: Vec<String>, seed: u64) {
        let request = Request::Generate { prompts, seed };
        self.state.hush();
        self.state.result.set(None);
        self.set_out();
        let (first, started, running) = self
            .inner
            .try_update_value(|inner| {
                inner.urls.clear();
                inner.repeated = false;
                inner.request = Some(request.clone());
                let first = !std::mem::replace(&mut inner.persisted, true);
                (first, inner.started, inner.connection.is_some())
            })
            .unwrap_or_default();
        if first {
            browser::persist_storage();
        }
        if started {
            self.send(&request);
        } else if !running {
            self.open();
        }
    }

    /// Gives the generation up. A worker that computes hears nothing, so it is replaced.
    pub fn cancel(self) {
        self.finish();
        self.open();
        self.state.message.set(
            "Cancelled. No adapter was generated. What had been fetched is kept, and the page is \
             ready again."
                .to_owned(),
        );
    }

    /// Deletes the stored models.
    pub fn delete(self) {
        self.state.hush();
        let (started, running) = self
            .inner
            .with_value(|inner| (inner.started, inner.connection.is_some()));
        if started {
            self.send(&Request::Delete);
            return;
        }
        self.inner
            .update_value(|inner| inner.request = Some(Request::Delete));
        if !running {
            self.open();
        }
    }

    fn set_out(self) {
        let fetches = self.state.files.with_untracked(|files| {
            files
                .as_ref()
                .is_none_or(|files| files.stored < files.total)
        });
        self.state.course.set(Some(Course::new(fetches)));
    }

    fn finish(self) {
        self.state.course.set(None);
        self.inner.update_value(|inner| inner.request = None);
    }

    fn receive(self, message: &MessageEvent) {
        let Ok(parts) = message.data().dyn_into::<Array>() else {
            return;
        };
        let json = parts.get(0).as_string().unwrap_or_default();
        match serde_json::from_str(&json) {
            Ok(Event::Device(device)) => self.state.device.set(Some(device)),
            Ok(Event::Files(files)) => self.hear_files(files),
            Ok(Event::Progress(progress)) => self.state.course.update(|course| {
                if let Some(course) = course {
                    course.advance(progress);
                }
            }),
            Ok(Event::SelfTest(test)) => self.state.self_test.set(Some(test)),
            Ok(Event::Prepared) => self.state.preparing.set(false),
            Ok(Event::Done(report)) => self.hear_done(*report, &parts),
            Ok(Event::Failed { message, cause }) => self.failed(&message, cause),
            Err(_) => self.failed(
                "The worker is of another version than the page. Reload the page.",
                Cause::Other,
            ),
        }
    }

    fn hear_files(self, files: FilesReport) {
        let complete = files.total > 0 && files.stored == files.total;
        self.state.files.set(Some(files));
        let (first, waiting) = self
            .inner
            .try_update_value(|inner| {
                let first = !std::mem::replace(&mut inner.started, true);
                (first, inner.request.clone())
            })
            .unwrap_or_default();
        if !first {
            return;
        }
        match waiting {
            Some(request @ Request::Generate { .. }) => {
                self.set_out();
                self.send(&request);
            }
            Some(request) => {
                self.finish();
                self.send(&request);
            }
            None if complete => {
                self.state.preparing.set(true);
                self.send(&Request::Prepare);
            }
            None => {}
        }
    }

    fn hear_done(self, report: Report, parts: &Array) {
        let (Some(zip), Some(model), Some(config)) = (
            Download::of(&parts.get(1), "application/zip"),
            Download::of(&parts.get(2), "application/octet-stream"),
            Download::of(&parts.get(3), "application/json"),
        ) else {
            self.failed("The adapter's files cannot be offered.", Cause::Other);
            return;
        };
        self.finish();
        self.state.preparing.set(false);
        self.state.result.set(Some(Finished {
            report,
            zip: zip.0,
            model: model.0,
            config: config.0,
        }));
        self.inner
            .update_value(|inner| inner.urls = vec![zip.1, model.1, config.1]);
        self.state
            .message
            .set("Done. The adapter is ready to download.".to_owned());
    }

    /// The worker ended by itself, or could not be loaded.
    fn crashed(self, event: &web_sys::Event) {
        // An event about a script that cannot be loaded has no message.
        let reason = Reflect::get(event, &JsValue::from_str("message"))
            .ok()
            .and_then(|message| message.as_string())
            .unwrap_or_else(|| "its program cannot be loaded".to_owned());
        self.close();
        // A worker that panics says why before it ends.
        let told = self.state.alert.with_untracked(Option::is_some);
        if !told || self.state.course.with_untracked(Option::is_some) {
            self.failed(&format!("The worker stopped: {reason}"), Cause::Other);
        }
    }

    fn failed(self, message: &str, cause: Cause) {
        self.state.preparing.set(false);
        let (again, started) = self
            .inner
            .try_update_value(|inner| {
                let lost = cause == Cause::DeviceLost;
                let again = lost && !std::mem::replace(&mut inner.repeated, lost);
                (again, inner.started)
            })
            .unwrap_or_default();
        if again {
            self.state
                .message
                .set("The GPU was lost. Trying once more.".to_owned());
            self.open();
            return;
        }
        // A worker that did not start, lost its device or may have panicked is of no use: the next
        // request opens another.
        if !started || matches!(cause, Cause::DeviceLost | Cause::Other) {
            self.close();
        }
        self.finish();
        let advice = match cause {
            Cause::Download if !started => "Check the connection.",
            Cause::Download => {
                "What has arrived is kept. Check the connection and press Generate adapter to go on."
            }
            Cause::Corrupt => "Press Generate adapter to fetch the file anew.",
            Cause::DeviceLost => {
                "Close other programs that use the GPU, or add ?device=cpu to this page's address \
                 to compute on the CPU."
            }
            Cause::Other => {
                "Try once more. If it fails again, reload the page; the diagnostics below help to \
                 find out why."
            }
        };
        self.state
            .complain(format!("{} {advice}", format::sentence(message)));
    }
}
