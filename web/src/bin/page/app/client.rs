//! The page's side of the worker: starting it, asking, hearing, ending.

use std::sync::Arc;

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
use dnd_web::protocol::{
    Asked, Cause, DeviceChoice, DeviceReport, Event, FilesReport, Report, Request, Told,
};

/// What is said when an adapter has come.
pub const DONE: &str = "Done. The adapter is ready to download.";

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
    /// Number of the last request; none is used twice, so that what an earlier one brings is known.
    last: u32,
    /// Number of the request to load ahead of time that is under way.
    preparation: Option<u32>,
    /// The generation under way.
    generation: Option<Generation>,
    /// Whether the stored models are to be deleted.
    deleting: bool,
    /// Number of the request to delete them, once it is sent.
    deletion: Option<u32>,
    /// Whether the GPU was lost. Then nothing is loaded ahead of time, or a GPU that comes and goes
    /// would keep worker after worker busy.
    wary: bool,
    /// Whether an adapter has come from the GPU.
    proven: bool,
    /// The GPU that failed, with the reason as its note; from then on the CPU computes.
    failed_gpu: Option<DeviceReport>,
    /// Whether the browser was asked to keep what is stored.
    persisted: bool,
    /// Addresses of the last result's files; dropping them frees the files.
    urls: Vec<ObjectUrl>,
}

/// A generation, kept because it may have to wait or to be repeated.
struct Generation {
    prompts: Arc<Vec<String>>,
    seed: u64,
    /// Number of the request, once the worker has it.
    sent: Option<u32>,
    /// Whether it was repeated after the GPU was lost.
    repeated: bool,
}

/// What the worker is serving, or what a number of a request stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Task {
    Start,
    Prepare,
    Generate,
    Delete,
    /// Nothing, or something that is over.
    Nothing,
}

impl Task {
    /// Whether a device computes.
    fn computes(self) -> bool {
        matches!(self, Self::Prepare | Self::Generate)
    }
}

impl Inner {
    /// What the request with this number is about.
    fn task(&self, id: u32) -> Task {
        let generation = self.generation.as_ref().and_then(|task| task.sent);
        if !self.started {
            Task::Start
        } else if self.preparation == Some(id) {
            Task::Prepare
        } else if generation == Some(id) {
            Task::Generate
        } else if self.deletion == Some(id) {
            Task::Delete
        } else {
            Task::Nothing
        }
    }

    /// What matters most of what the worker still has to answer.
    fn awaited(&self) -> Task {
        if !self.started {
            Task::Start
        } else if self.generation.is_some() {
            Task::Generate
        } else if self.preparation.is_some() {
            Task::Prepare
        } else if self.deleting {
            Task::Delete
        } else {
            Task::Nothing
        }
    }
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

    fn receive(self, message: &MessageEvent) {
        let Ok(parts) = message.data().dyn_into::<Array>() else {
            return;
        };
        let json = parts.get(0).as_string().unwrap_or_default();
        let Ok(Told { id, event }) = serde_json::from_str(&json) else {
            self.failed(
                Task::Start,
                "The worker is of another version than the page.",
                Cause::Other,
            );
            return;
        };
        let task = self.inner.with_value(|inner| inner.task(id));
        match event {
            Event::Device(device) => self.hear_device(device),
            Event::Files(files) => self.hear_files(task, files),
            // A generation that waits for models to be loaded goes on from there, so that this is
            // its progress as well.
            Event::Progress(progress) if task.computes() => self.state.course.update(|course| {
                if let Some(course) = course {
                    course.advance(progress);
                }
            }),
            Event::SelfTest(test) if task.computes() => self.state.self_test.set(Some(test)),
            Event::Prepared if task == Task::Prepare => self.finish_preparation(),
            Event::Done(report) if task == Task::Generate => self.hear_done(*report, &parts),
            Event::Failed { message, cause } => self.failed(task, &message, cause),
            // Of a request that is over.
            Event::Progress(_) | Event::SelfTest(_) | Event::Prepared | Event::Done(_) => {}
        }
    }

    fn hear_device(self, mut device: DeviceReport) {
        self.inner.with_value(|inner| {
            if let Some(failed) = &inner.failed_gpu {
                device.note.clone_from(&failed.note);
                device.details.extend_from_slice(&failed.details);
            }
        });
        self.state.device.set(Some(device));
    }

    fn hear_files(self, task: Task, files: FilesReport) {
        let missing = files.total.saturating_sub(files.stored);
        let complete = files.total > 0 && missing == 0;
        self.state.files.set(Some(files));
        if task == Task::Delete {
            self.inner.update_value(|inner| {
                inner.deleting = false;
                inner.deletion = None;
            });
            self.state.deleted.set(format!(
                "Deleted. The next adapter fetches {} MB again.",
                format::megabytes(missing)
            ));
        }
        if task != Task::Start {
            return;
        }
        let (deletes, generates, wary) = self
            .inner
            .try_update_value(|inner| {
                inner.started = true;
                (inner.deleting, inner.generation.is_some(), inner.wary)
            })
            .unwrap_or_default();
        if deletes {
            self.send_deletion();
        }
        if generates {
            self.set_out();
            self.send_generation();
        } else if complete && !deletes && !wary {
            self.state.preparing.set(true);
            let sent = self.send(Request::Prepare);
            self.inner
                .update_value(|inner| inner.preparation = Some(sent));
        }
    }

    fn hear_done(self, report: Report, parts: &Array) {
        let gpu = self.gpu().is_some();
        self.inner.update_value(|inner| inner.proven |= gpu);
        let (Some(zip), Some(model), Some(config)) = (
            Download::of(&parts.get(1), "application/zip"),
            Download::of(&parts.get(2), "application/octet-stream"),
            Download::of(&parts.get(3), "application/json"),
        ) else {
            self.failed(
                Task::Generate,
                "The adapter's files cannot be offered.",
                Cause::Other,
            );
            return;
        };
        let generation = self
            .inner
            .try_update_value(|inner| inner.generation.take())
            .flatten();
        self.finish();
        self.state.result.set(generation.map(|generation| Finished {
            prompts: generation.prompts,
            report,
            zip: zip.0,
            model: model.0,
            config: config.0,
        }));
        self.inner
            .update_value(|inner| inner.urls = vec![zip.1, model.1, config.1]);
        self.state.measured.set(true);
        self.state.message.set(DONE.to_owned());
    }

    /// The device that computes, if it is a GPU.
    fn gpu(self) -> Option<DeviceReport> {
        let device = self.state.device.get_untracked();
        device.filter(|device| device.gpu)
    }

    /// The worker ended by itself, or could not be loaded.
    fn crashed(self, event: &web_sys::Event) {
        // An event about a script that cannot be loaded has no message.
        let reason = Reflect::get(event, &JsValue::from_str("message"))
            .ok()
            .and_then(|message| message.as_string())
            .unwrap_or_else(|| "its program cannot be loaded".to_owned());
        let task = self.inner.with_value(Inner::awaited);
        // The next request opens another; where none is awaited, nobody needs to know.
        self.close();
        self.failed(task, &format!("The worker stopped: {reason}"), Cause::Other);
    }

    /// A request came to nothing.
    fn failed(self, task: Task, message: &str, cause: Cause) {
        if cause == Cause::DeviceLost {
            self.lost(task, message);
            return;
        }
        let gpu = self.gpu().filter(|_| task.computes());
        let advice = advice(task, cause, gpu.is_some());
        if let Some(gpu) = gpu
            && cause == Cause::Other
            && self.fall_back(gpu, message)
        {
            return;
        }
        match task {
            Task::Start => {
                self.close();
                self.finish();
                self.inner.update_value(|inner| inner.deleting = false);
            }
            Task::Prepare => {
                self.finish_preparation();
                let waited_for = self.inner.with_value(|inner| inner.generation.is_some());
                if waited_for || cause != Cause::Other {
                    // The generation that waits, or the next one, loads the models itself, and
                    // tells if that fails again.
                    return;
                }
                self.close();
            }
            Task::Generate => {
                // A worker that may have panicked is of no use: the next request opens another.
                if cause == Cause::Other {
                    self.close();
                }
                self.finish();
            }
            Task::Delete => self.inner.update_value(|inner| {
                inner.deleting = false;
                inner.deletion = None;
            }),
            Task::Nothing => return,
        }
        self.complain(message, advice);
    }

    /// The GPU is gone, and its worker with it. Another worker may find it again, once in a
    /// generation; while nothing is generated, nobody needs to know.
    fn lost(self, task: Task, message: &str) {
        let (generates, again) = self
            .inner
            .try_update_value(|inner| {
                inner.wary = true;
                // A worker that has not come to the generation yet was lost while idle.
                match inner.generation.as_mut().filter(|_| task.computes()) {
                    Some(generation) => {
                        let first = !std::mem::replace(&mut generation.repeated, true);
                        (true, first)
                    }
                    None => (false, true),
                }
            })
            .unwrap_or_default();
        if !again {
            self.close();
            self.finish();
            self.complain(message, advice(task, Cause::DeviceLost, true));
            return;
        }
        if generates {
            self.state
                .message
                .set("The GPU was lost. Trying once more.".to_owned());
        }
        self.open();
    }

    /// Lets the CPU take over from a GPU that failed before any adapter came from it, and says
    /// whether it does. What was asked for is repeated.
    fn fall_back(self, mut gpu: DeviceReport, message: &str) -> bool {
        gpu.note = Some(format!(
            "The GPU failed, so the CPU computes. {}",
            format::sentence(message)
        ));
        let (falls_back, generates) = self
            .inner
            .try_update_value(|inner| {
                let falls_back = !inner.proven && inner.failed_gpu.is_none();
                if falls_back {
                    inner.failed_gpu = Some(gpu);
                }
                (falls_back, inner.generation.is_some())
            })
            .unwrap_or_default();
        if falls_back {
            if generates {
                self.state
                    .message
                    .set("The GPU failed. Trying once more on the CPU.".to_owned());
            }
            self.open();
        }
        falls_back
    }

    fn complain(self, message: &str, advice: &str) {
        self.state
            .complain(format!("{} {advice}", format::sentence(message)));
    }
}

/// What to do about a failure.
fn advice(task: Task, cause: Cause, gpu: bool) -> &'static str {
    match cause {
        Cause::Download if task == Task::Start => {
            "Check the connection and press Generate adapter to try again."
        }
        Cause::Download => {
            "Check the connection and press Generate adapter to go on where it stopped."
        }
        Cause::Corrupt => "Press Generate adapter to fetch it anew.",
        Cause::DeviceLost => {
            "Close other programs that use the GPU, or add ?device=cpu to this page's address to \
             compute on the CPU."
        }
        Cause::Other if gpu => {
            "Try once more, or add ?device=cpu to this page's address to compute on the CPU."
        }
        Cause::Other => {
            "Reload the page; if it happens again, the diagnostics below help to find out why."
        }
    }
}
