//! The page's side of the worker: starting it, asking, hearing, ending.

mod failure;
mod hearing;
mod machine;

use std::sync::Arc;

use leptos::prelude::*;

use super::browser;
use super::data::Course;
use super::state::State;
use dnd_web::connection::Connection;
use dnd_web::protocol::{Cause, DeviceChoice, DeviceReport, Envelope, Request};
use machine::{Generation, Machine, Task, WorkerState};

/// What is said when an adapter has come.
pub const DONE: &str = "Done. The adapter is ready to download.";

/// The one who talks to the worker.
#[derive(Clone, Copy)]
pub struct Client {
    state: State,
    machine: StoredValue<Machine, LocalStorage>,
}

impl Client {
    /// A client without a worker.
    pub fn new(state: State) -> Self {
        Self {
            state,
            machine: StoredValue::new_local(Machine::default()),
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
                let gpu_failed = self.update(|machine| {
                    machine.worker = WorkerState::Starting(connection);
                    machine.failed_gpu.is_some()
                });
                let request = Request::Start {
                    device: if gpu_failed {
                        DeviceChoice::Cpu
                    } else {
                        self.state.choice
                    },
                    base: browser::base(),
                };
                self.send(Task::Start, request);
            }
            Err(_) => self.failed(
                Task::Start,
                "The worker of this page cannot be started.",
                Cause::Other,
            ),
        }
    }

    /// Changes the machine and gives what the change gives.
    fn update<T: Default>(self, change: impl FnOnce(&mut Machine) -> T) -> T {
        self.machine.try_update_value(change).unwrap_or_default()
    }

    /// Ends the worker. What it had to do waits for the next one, save for loading ahead of time.
    fn close(self) {
        let old = self.update(Machine::close);
        self.state.preparing.set(false);
        if let Some(old) = old {
            old.end();
        }
    }

    fn send(self, task: Task, body: Request) {
        self.update(|machine| {
            let (id, connection) = machine.next(task);
            // A request holds texts and numbers, which JSON can always express.
            let json = serde_json::to_string(&Envelope { id, body });
            if let (Some(connection), Ok(json)) = (connection, json) {
                connection.post(&json);
            }
        });
    }

    fn send_generation(self) {
        let request = self.machine.with_value(|machine| {
            let generation = machine.generation.as_ref()?;
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
        self.state.hush();
        self.state.result.set(None);
        self.set_out();
        let (first, ready, running) = self.update(|machine| {
            machine.urls.clear();
            machine.generation = Some(Generation {
                prompts: Arc::new(prompts),
                seed,
                repeated: false,
            });
            let first = !std::mem::replace(&mut machine.persisted, true);
            (first, machine.is_ready(), machine.is_running())
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
        let (ready, running) = self.update(|machine| {
            machine.deleting = true;
            (machine.is_ready(), machine.is_running())
        });
        if ready {
            self.send(Task::Delete, Request::Delete);
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
        self.update(|machine| {
            machine.generation = None;
            machine.finish(Task::Generate);
        });
    }

    fn finish_preparation(self) {
        self.state.preparing.set(false);
        self.update(|machine| machine.finish(Task::Prepare));
    }

    /// The device that computes, if it is a GPU.
    fn gpu(self) -> Option<DeviceReport> {
        let device = self.state.device.get_untracked();
        device.filter(|device| device.gpu)
    }
}
