//! What the worker says, and what follows from it.

use js_sys::Array;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::MessageEvent;

use super::machine::Task;
use super::{Client, DONE};
use crate::app::data::{Download, Finished};
use crate::app::format;
use dnd_web::protocol::{Cause, DeviceReport, Envelope, Event, FilesReport, Report, Request};

impl Client {
    /// Takes in a message from the worker.
    pub(super) fn receive(self, message: &MessageEvent) {
        let Ok(parts) = message.data().dyn_into::<Array>() else {
            return;
        };
        let json = parts.get(0).as_string().unwrap_or_default();
        let Ok(Envelope { id, body }) = serde_json::from_str(&json) else {
            self.failed(
                Task::Start,
                "The worker is of another version than the page.",
                Cause::Other,
            );
            return;
        };
        let task = self.machine.with_value(|machine| machine.task(id));
        match body {
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
            // Of a request that is over, or that this page never makes.
            Event::Progress(_)
            | Event::SelfTest(_)
            | Event::Prepared
            | Event::Encoded { .. }
            | Event::Measured { .. }
            | Event::Done(_) => {}
        }
    }

    fn hear_device(self, mut device: DeviceReport) {
        self.machine.with_value(|machine| {
            if let Some(failed) = &machine.failed_gpu {
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
            self.update(|machine| {
                machine.deleting = false;
                machine.finish(Task::Delete);
            });
            self.state.deleted.set(format!(
                "Deleted. The next adapter fetches {} MB again.",
                format::megabytes(missing)
            ));
        }
        if task != Task::Start {
            return;
        }
        let (deletes, generates, wary) = self.update(|machine| {
            machine.started();
            let generates = machine.generation.is_some();
            (machine.deleting, generates, machine.wary)
        });
        if deletes {
            self.send(Task::Delete, Request::Delete);
        }
        if generates {
            self.set_out();
            self.send_generation();
        } else if complete && !deletes && !wary {
            self.state.preparing.set(true);
            self.send(Task::Prepare, Request::Prepare);
        }
    }

    fn hear_done(self, report: Report, parts: &Array) {
        let gpu = self.gpu().is_some();
        self.update(|machine| machine.proven |= gpu);
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
        let generation = self.update(|machine| machine.generation.take());
        self.finish();
        self.state.result.set(generation.map(|generation| Finished {
            prompts: generation.prompts,
            report,
            zip: zip.0,
            model: model.0,
            config: config.0,
        }));
        self.update(|machine| machine.urls = vec![zip.1, model.1, config.1]);
        self.state.measured.set(true);
        self.state.message.set(DONE.to_owned());
    }
}
