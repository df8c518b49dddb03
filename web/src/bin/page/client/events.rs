//! Handles the worker's events.

use js_sys::{Array, Uint8Array};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::MessageEvent;

use super::worker_client::Task;
use super::{Client, DONE};
use crate::app::data::{Download, Finished};
use crate::app::{format, link, memory};
use dnd_web::protocol::{Cause, DeviceReport, Envelope, Event, FilesReport, Report, Request};

impl Client {
    /// Handles a message from the worker.
    pub(super) fn receive(self, message: &MessageEvent) {
        let Ok(parts) = message.data().dyn_into::<Array>() else {
            return;
        };
        let json = parts.get(0).as_string().unwrap_or_default();
        let Ok(Envelope { id, body }) = serde_json::from_str(&json) else {
            self.failed(
                Task::Start,
                "The worker and the page have different versions.",
                Cause::Outdated,
            );
            return;
        };
        let task = self.worker.with_value(|client| client.task(id));
        match body {
            Event::Device(device) => self.on_device(device),
            Event::Files(files) => self.on_files(task, files),
            // A generation that waits for models to load continues after that, so loading
            // counts as its progress.
            Event::Progress(progress) if task.computes() => self.state.progress.update(|course| {
                if let Some(course) = course {
                    course.advance(progress);
                }
            }),
            Event::SelfTest(test) if task.computes() => self.state.self_test.set(Some(test)),
            Event::Prepared if task == Task::Prepare => {
                self.finish_preparation();
                self.bring_back();
            }
            Event::Done(report) if task == Task::Generate => self.on_done(*report, &parts),
            Event::Failed { message, cause } => self.failed(task, &message, cause),
            // For a request that is finished, or that this page never makes.
            Event::Progress(_)
            | Event::SelfTest(_)
            | Event::Prepared
            | Event::Encoded { .. }
            | Event::Measured { .. }
            | Event::Opened
            | Event::Adapted
            | Event::Text { .. }
            | Event::Answered(_)
            | Event::Done(_) => {}
        }
    }

    fn on_device(self, mut device: DeviceReport) {
        self.worker.with_value(|client| {
            if let Some(failed) = &client.failed_gpu {
                device.note.clone_from(&failed.note);
                device.details.extend_from_slice(&failed.details);
            }
        });
        self.state.device.set(Some(device));
    }

    fn on_files(self, task: Task, files: FilesReport) {
        let missing = files.total.saturating_sub(files.stored);
        let complete = files.total > 0 && missing == 0;
        self.state.files.set(Some(files));
        if task == Task::Delete {
            self.update(|client| {
                client.deleting = false;
                client.finish(Task::Delete);
            });
            self.state.deleted.set(format!(
                "Deleted. The next adapter needs a download of {} MB.",
                format::megabytes(missing)
            ));
        }
        if task != Task::Start {
            return;
        }
        let (deletes, generates, gpu_was_lost) = self.update(|client| {
            client.started();
            let generates = client.generation.is_some();
            (client.deleting, generates, client.gpu_was_lost)
        });
        if deletes {
            self.send(Task::Delete, Request::Delete);
        }
        if generates {
            self.start_progress();
            self.send_generation();
        } else if complete && !deletes && !gpu_was_lost {
            self.state.preparing.set(true);
            self.send(Task::Prepare, Request::Prepare);
        }
    }

    /// Generates the adapter again that the page showed before it was reloaded: the same prompts,
    /// seed and model give the same one. Does so once, with the models that are stored.
    fn bring_back(self) {
        let is_first = self.update(|client| !std::mem::replace(&mut client.was_prepared, true));
        if !is_first || self.state.progress.with_untracked(Option::is_some) {
            return;
        }
        let prompts = self.state.prompts.get_untracked().unwrap_or_default();
        let seed = self.state.seed.get_untracked().unwrap_or_default();
        let Some(example) = memory::was_generated(&prompts, seed, self.model()) else {
            return;
        };
        if let Some(example) = link::example(&example) {
            let text = self.state.text.get_untracked();
            self.state.example.set(Some((example.link, text)));
        }
        self.generate(prompts, seed);
    }

    /// The base model that adapters are generated for.
    fn model(self) -> Option<String> {
        self.state
            .files
            .with_untracked(|files| files.as_ref()?.model.clone())
    }

    fn on_done(self, report: Report, parts: &Array) {
        let gpu = self.gpu().is_some();
        self.update(|client| client.gpu_has_worked |= gpu);
        let (Some(zip), Some(model), Some(config)) = (
            Download::of(&parts.get(1), "application/zip"),
            Download::of(&parts.get(2), "application/octet-stream"),
            Download::of(&parts.get(3), "application/json"),
        ) else {
            self.failed(
                Task::Generate,
                "The adapter's files cannot be offered for download.",
                Cause::Other,
            );
            return;
        };
        // Bundles that do not tell their base model's sizes give none.
        let gguf = Download::of(&parts.get(4), "application/octet-stream");
        let (gguf, gguf_url) = gguf.unzip();
        let files = [parts.get(2), parts.get(3)].map(|file| Uint8Array::new(&file));
        let name = report.sha256.clone();
        self.state.adapter_files.set_value(Some((name, files)));
        let generation = self.update(|client| client.generation.take());
        self.finish();
        if let Some(generation) = &generation {
            let example = generation.example.map(|example| example.link);
            memory::keep_generated(&generation.prompts, generation.seed, self.model(), example);
        }
        self.state.result.set(generation.map(|generation| Finished {
            prompts: generation.prompts,
            example: generation.example,
            report,
            zip: zip.0,
            model: model.0,
            config: config.0,
            gguf,
        }));
        let urls = [zip.1, model.1, config.1].into_iter().chain(gguf_url);
        self.update(|client| client.urls = urls.collect());
        self.state.measured.set(true);
        self.state.message.set(DONE.to_owned());
    }
}
