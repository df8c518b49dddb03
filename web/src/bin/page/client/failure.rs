//! Handles failures: retries, the fallback to the CPU and error messages.

use leptos::prelude::*;

use super::{Client, Task};
use crate::app::alert::Alert;
use crate::app::format;
use crate::app::package::Failure;
use dnd_web::protocol::{Cause, DeviceReport};

impl Client {
    /// A request failed, or the generator while nothing was asked of it. It starts again when it is
    /// asked again.
    pub(super) fn failed(self, turn: u32, task: Task, failure: Failure) {
        let Some(cause) = failure.cause.filter(|_| !self.is_past(turn)) else {
            return;
        };
        let message = &failure.message;
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
            // The waiting generation tries again and reports a failure.
            Task::Start if self.is_generating() => return,
            Task::Prepare => {
                self.state.preparing.set(false);
                // The waiting generation, or the next one, loads the models itself and reports a
                // failure.
                if self.is_generating() || cause != Cause::Other {
                    return;
                }
            }
            Task::Generate => self.finish(),
            Task::Delete => self.update(|pending| pending.deleting = false),
            Task::Start => {}
            Task::Nothing if cause == Cause::Outdated => self.finish(),
            Task::Nothing => return,
        }
        self.show_error(message, cause, advice);
    }

    /// The GPU was lost, and its worker with it. Another worker may get it back, so a
    /// generation is repeated once. When nothing is being generated, no message is shown.
    fn lost(self, task: Task, message: &str) {
        let (generates, again) = self.update(|pending| {
            pending.gpu_was_lost = true;
            // A worker that has not started the generation was lost while idle.
            match pending.generation.as_mut().filter(|_| task.computes()) {
                Some(generation) => {
                    let first = !std::mem::replace(&mut generation.repeated, true);
                    (true, first)
                }
                None => (false, true),
            }
        });
        if !again {
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
        let falls_back = self.update(|pending| {
            let falls_back = !pending.gpu_has_worked && pending.failed_gpu.is_none();
            if falls_back {
                pending.failed_gpu = Some(gpu);
            }
            falls_back
        });
        if falls_back {
            if self.is_generating() {
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
        Cause::Download if task == Task::Delete => "Check the connection and try again.",
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
