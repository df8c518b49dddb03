//! The page's side of the worker: starting it, asking, hearing, ending.

mod failure;
mod hearing;
mod inner;

use std::sync::Arc;

use leptos::prelude::*;

use super::browser;
use super::progress::Course;
use super::state::State;
use dnd_web::connection::Connection;
use dnd_web::protocol::{Asked, Cause, DeviceChoice, DeviceReport, Request};
use inner::{Generation, Inner, Task};

/// What is said when an adapter has come.
pub const DONE: &str = "Done. The adapter is ready to download.";

/// The one who talks to the worker.
#[derive(Clone, Copy)]
pub struct Client {
    state: State,
    inner: StoredValue<Inner, LocalStorage>,
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
            "worker-start.js",
            move |message| self.receive(&message),
            move |event| self.crashed(&event),
        );
        match connection {
            Ok(connection) => {
                let gpu_failed = self
                    .inner
                    .try_update_value(|inner| {
                        inner.connection = Some(connection);
                        inner.failed_gpu.is_some()
                    })
                    .unwrap_or_default();
                self.send(Request::Start {
                    device: if gpu_failed {
                        DeviceChoice::Cpu
                    } else {
                        self.state.choice
                    },
                    base: browser::base(),
                });
            }
            Err(_) => self.failed(
                Task::Start,
                "The worker of this page cannot be started.",
                Cause::Other,
            ),
        }
    }

    /// Ends the worker. What it had to do waits for the next one, save for loading ahead of time.
    fn close(self) {
        let old = self
            .inner
            .try_update_value(|inner| {
                inner.started = false;
                inner.preparation = None;
                inner.deletion = None;
                if let Some(generation) = &mut inner.generation {
                    generation.sent = None;
                }
                inner.connection.take()
            })
            .flatten();
        self.state.preparing.set(false);
        if let Some(old) = old {
            old.end();
        }
    }

    /// Sends a request and gives its number.
    fn send(self, request: Request) -> u32 {
        let sent = self.inner.try_update_value(|inner| {
            inner.last += 1;
            let asked = Asked {
                id: inner.last,
                request,
            };
            // A request holds texts and numbers, which JSON can always express.
            if let (Some(connection), Ok(json)) = (&inner.connection, serde_json::to_string(&asked))
            {
                connection.post(&json);
            }
            inner.last
        });
        sent.unwrap_or_default()
    }

    fn send_generation(self) {
        let request = self.inner.with_value(|inner| {
            let generation = inner.generation.as_ref()?;
            Some(Request::Generate {
                prompts: generation.prompts.to_vec(),
                seed: generation.seed,
            })
        });
        let Some(request) = request else { return };
        let sent = self.send(request);
        self.inner.update_value(|inner| {
            if let Some(generation) = &mut inner.generation {
                generation.sent = Some(sent);
            }
        });
    }

    fn send_deletion(self) {
        let sent = self.send(Request::Delete);
        self.inner.update_value(|inner| inner.deletion = Some(sent));
    }

    /// Generates an adapter; waits for the worker if it is still starting.
    pub fn generate(self, prompts: Vec<String>, seed: u64) {
        self.state.hush();
        self.state.result.set(None);
        self.set_out();
        let (first, started, running) = self
            .inner
            .try_update_value(|inner| {
                inner.urls.clear();
                inner.generation = Some(Generation {
                    prompts: Arc::new(prompts),
                    seed,
                    sent: None,
                    repeated: false,
                });
                let first = !std::mem::replace(&mut inner.persisted, true);
                (first, inner.started, inner.connection.is_some())
            })
            .unwrap_or_default();
        if first {
            browser::persist_storage();
        }
        if started {
            self.send_generation();
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

    /// Deletes the stored models; waits for the worker if it is still starting.
    pub fn delete(self) {
        self.state.hush();
        let (started, running) = self
            .inner
            .try_update_value(|inner| {
                inner.deleting = true;
                (inner.started, inner.connection.is_some())
            })
            .unwrap_or_default();
        if started {
            self.send_deletion();
        } else if !running {
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
        self.inner.update_value(|inner| inner.generation = None);
    }

    fn finish_preparation(self) {
        self.state.preparing.set(false);
        self.inner.update_value(|inner| inner.preparation = None);
    }

    /// The device that computes, if it is a GPU.
    fn gpu(self) -> Option<DeviceReport> {
        let device = self.state.device.get_untracked();
        device.filter(|device| device.gpu)
    }
}
