//! What goes wrong: what is tried instead, and what the visitor is told.

use js_sys::Reflect;
use leptos::prelude::*;
use wasm_bindgen::JsValue;

use super::Client;
use super::machine::{Machine, Task};
use crate::app::format;
use dnd_web::protocol::{Cause, DeviceReport};

impl Client {
    /// The worker ended by itself, or could not be loaded.
    pub(super) fn crashed(self, event: &web_sys::Event) {
        // An event about a script that cannot be loaded has no message.
        let reason = Reflect::get(event, &JsValue::from_str("message"))
            .ok()
            .and_then(|message| message.as_string())
            .unwrap_or_else(|| "its program cannot be loaded".to_owned());
        let task = self.machine.with_value(Machine::awaited);
        // The next request opens another; where none is awaited, nobody needs to know.
        self.close();
        self.failed(task, &format!("The worker stopped: {reason}"), Cause::Other);
    }

    /// A request came to nothing.
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
                self.update(|machine| machine.deleting = false);
            }
            Task::Prepare => {
                self.finish_preparation();
                let waited_for = self
                    .machine
                    .with_value(|machine| machine.generation.is_some());
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
            Task::Delete => self.update(|machine| {
                machine.deleting = false;
                machine.finish(Task::Delete);
            }),
            Task::Nothing => return,
        }
        self.complain(message, advice);
    }

    /// The GPU is gone, and its worker with it. Another worker may find it again, once in a
    /// generation; while nothing is generated, nobody needs to know.
    fn lost(self, task: Task, message: &str) {
        let (generates, again) = self.update(|machine| {
            machine.wary = true;
            // A worker that has not come to the generation yet was lost while idle.
            match machine.generation.as_mut().filter(|_| task.computes()) {
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
        let (falls_back, generates) = self.update(|machine| {
            let falls_back = !machine.proven && machine.failed_gpu.is_none();
            if falls_back {
                machine.failed_gpu = Some(gpu);
            }
            (falls_back, machine.generation.is_some())
        });
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
