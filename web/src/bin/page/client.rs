//! The client of the worker: starts it, sends requests, handles events, terminates it.

mod events;
mod failure;
mod worker_client;

use std::sync::Arc;

use leptos::prelude::*;

use super::data::GenerationProgress;
use super::state::State;
use super::{browser, link};
use dnd_web::connection::Connection;
use dnd_web::protocol::{Cause, DeviceChoice, DeviceReport, Envelope, Request};
use worker_client::{Generation, Task, WorkerClient, WorkerState};

/// Message after a generation.
pub const DONE: &str = "Done. The adapter is ready to download.";

/// The page's handle to the worker.
#[derive(Clone, Copy)]
pub struct Client {
    state: State,
    worker: StoredValue<WorkerClient, LocalStorage>,
}

impl Client {
    /// A client without a worker.
    pub fn new(state: State) -> Self {
        Self {
            state,
            worker: StoredValue::new_local(WorkerClient::default()),
        }
    }

    /// Starts a worker and replaces a running one.
    pub fn open(self) {
        self.close();
        let connection = Connection::new(
            "worker-start.js",
            move |message| self.receive(&message),
            move |event| self.crashed(&event),
        );
        match connection {
            Ok(connection) => {
                let gpu_failed = self.update(|client| {
                    client.worker = WorkerState::Starting(connection);
                    client.failed_gpu.is_some()
                });
                let request = Request::Start {
                    device: if gpu_failed {
                        DeviceChoice::Cpu
                    } else {
                        self.state.choice
                    },
                    base: browser::base(),
                    model: self.state.model.get_value(),
                };
                self.send(Task::Start, request);
            }
            Err(_) => self.failed(
                Task::Start,
                "The page's worker cannot be started.",
                Cause::Other,
            ),
        }
    }

    /// Updates the client and returns the result of `change`.
    fn update<T: Default>(self, change: impl FnOnce(&mut WorkerClient) -> T) -> T {
        self.worker.try_update_value(change).unwrap_or_default()
    }

    /// Terminates the worker. Its pending work waits for the next one, except loading ahead of
    /// time.
    fn close(self) {
        let old = self.update(WorkerClient::close);
        self.state.preparing.set(false);
        if let Some(old) = old {
            old.end();
        }
    }

    fn send(self, task: Task, body: Request) {
        self.update(|client| {
            let (id, connection) = client.next(task);
            // Strings and numbers can always be serialized.
            let json = serde_json::to_string(&Envelope { id, body });
            if let (Some(connection), Ok(json)) = (connection, json) {
                connection.post(&json, &[]);
            }
        });
    }

    fn send_generation(self) {
        let request = self.worker.with_value(|client| {
            let generation = client.generation.as_ref()?;
            Some(Request::Generate {
                prompts: generation.prompts.to_vec(),
                seed: generation.seed,
            })
        });
        if let Some(request) = request {
            self.send(Task::Generate, request);
        }
    }

    /// Generates an adapter; waits for the worker if it is still starting.
    pub fn generate(self, prompts: Vec<String>, seed: u64) {
        self.state.clear_messages();
        self.state.result.set(None);
        let example = link::opened_example(self.state);
        self.start_progress();
        let (first, ready, running) = self.update(|client| {
            client.urls.clear();
            client.generation = Some(Generation {
                prompts: Arc::new(prompts),
                seed,
                example,
                repeated: false,
            });
            let first = !std::mem::replace(&mut client.requested_persistence, true);
            (first, client.is_ready(), client.is_running())
        });
        if first {
            browser::persist_storage();
        }
        if ready {
            self.send_generation();
        } else if !running {
            self.open();
        }
    }

    /// Cancels the generation. A worker that computes cannot receive messages, so it is
    /// replaced.
    pub fn cancel(self) {
        self.finish();
        self.open();
        self.state.message.set(
            "Cancelled. No adapter was generated. Downloaded data is kept, and the page is \
             ready again."
                .to_owned(),
        );
    }

    /// Deletes the stored models; waits for the worker if it is still starting.
    pub fn delete(self) {
        self.state.clear_messages();
        let (ready, running) = self.update(|client| {
            client.deleting = true;
            (client.is_ready(), client.is_running())
        });
        if ready {
            self.send(Task::Delete, Request::Delete);
        } else if !running {
            self.open();
        }
    }

    fn start_progress(self) {
        let fetches = self.state.files.with_untracked(|files| {
            files
                .as_ref()
                .is_none_or(|files| files.stored < files.total)
        });
        self.state
            .progress
            .set(Some(GenerationProgress::new(fetches)));
    }

    fn finish(self) {
        self.state.progress.set(None);
        self.update(|client| {
            client.generation = None;
            client.finish(Task::Generate);
        });
    }

    fn finish_preparation(self) {
        self.state.preparing.set(false);
        self.update(|client| client.finish(Task::Prepare));
    }

    /// The device that computes, if it is a GPU.
    fn gpu(self) -> Option<DeviceReport> {
        let device = self.state.device.get_untracked();
        device.filter(|device| device.gpu)
    }
}
