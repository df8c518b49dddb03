//! Handles failures: retries, the fallback to the CPU and error messages.

use leptos::prelude::*;

use super::Client;
use super::worker_client::{Task, WorkerClient};
use crate::app::alert::Alert;
use crate::app::format;
use dnd_web::connection::stopped;
use dnd_web::protocol::{Cause, DeviceReport};

impl Client {
    /// The worker crashed or could not be loaded.
    pub(super) fn crashed(self, event: &web_sys::Event) {
        let task = self.worker.with_value(WorkerClient::awaited);
        // The next request opens another. Without a pending task, no message is shown.
        self.close();
        self.failed(task, &stopped(event), Cause::Other);
    }

    /// A request failed.
    pub(super) fn failed(self, task: Task, message: &str, cause: Cause) {
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
                self.update(|client| client.deleting = false);
            }
            Task::Prepare => {
                self.finish_preparation();
                let waited_for = self.worker.with_value(|client| client.generation.is_some());
                if waited_for || cause != Cause::Other {
                    // The waiting generation, or the next one, loads the models itself and
                    // reports a failure.
                    return;
                }
                self.close();
            }
            Task::Generate => {
                // The worker may have panicked: the next request opens another.
                if cause == Cause::Other {
                    self.close();
                }
                self.finish();
            }
            Task::Delete => self.update(|client| {
                client.deleting = false;
                client.finish(Task::Delete);
            }),
            Task::Nothing => return,
        }
        self.show_error(message, cause, advice);
    }

    /// The GPU was lost, and its worker with it. Another worker may get it back, so a
    /// generation is repeated once. When nothing is being generated, no message is shown.
    fn lost(self, task: Task, message: &str) {
        let (generates, again) = self.update(|client| {
            client.gpu_was_lost = true;
            // A worker that has not started the generation was lost while idle.
            match client.generation.as_mut().filter(|_| task.computes()) {
                Some(generation) => {
                    let first = !std::mem::replace(&mut generation.repeated, true);
                    (true, first)
                }
                None => (false, true),
            }
        });
        if !again {
            self.close();
            self.finish();
            let cause = Cause::DeviceLost;
            self.show_error(message, cause, advice(task, cause, true));
            return;
        }
        if generates {
            self.state
                .message
                .set("The GPU was lost. Trying again.".to_owned());
        }
        self.open();
    }

    /// Falls back to the CPU and repeats the request, if the GPU failed before it produced any
    /// adapter. Returns whether it fell back.
    fn fall_back(self, mut gpu: DeviceReport, message: &str) -> bool {
        gpu.note = Some(format!(
            "The GPU failed, so the CPU computes. {}",
            format::sentence(message)
        ));
        let (falls_back, generates) = self.update(|client| {
            let falls_back = !client.gpu_has_worked && client.failed_gpu.is_none();
            if falls_back {
                client.failed_gpu = Some(gpu);
            }
            (falls_back, client.generation.is_some())
        });
        if falls_back {
            if generates {
                self.state
                    .message
                    .set("The GPU failed. Trying again on the CPU.".to_owned());
            }
            self.open();
        }
        falls_back
    }

    fn show_error(self, message: &str, cause: Cause, advice: &str) {
        self.state.show_error(Alert::new(message, cause, advice));
    }
}

/// What to do about a failure.
fn advice(task: Task, cause: Cause, gpu: bool) -> &'static str {
    match cause {
        Cause::Download if task == Task::Start => {
            "Check the connection and press Generate adapter to try again."
        }
        Cause::Download => {
            "Check the connection and press Generate adapter to resume the download."
        }
        Cause::Outdated => {
            "The page was probably updated. Your prompts and what was downloaded are kept."
        }
        Cause::NoModel => "Open the page without `model` in its address.",
        Cause::Corrupt => "Press Generate adapter to download it again.",
        Cause::DeviceLost => {
            "Close other programs that use the GPU, or add ?device=cpu to this page's address to \
             compute on the CPU."
        }
        Cause::Other if gpu => {
            "Try again, or add ?device=cpu to this page's address to compute on the CPU."
        }
        Cause::Other => "Reload the page. If it happens again, see the diagnostics below.",
    }
}
