//! Generates adapters: sends requests, handles what comes back, recovers from failures.

mod failure;

use std::sync::Arc;

use gloo::file::ObjectUrl;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::{JsCast, JsValue};

use super::data::{Example, Finished, GenerationProgress};
use super::package::{Adapter, Dnd, Failure, Workers};
use super::state::State;
use super::{browser, format, link, memory};
use dnd_web::protocol::{DeviceChoice, DeviceReport, Event};

/// Message after a generation.
pub const DONE: &str = "Done. The adapter is ready to download.";

/// The page's handle to the generator.
#[derive(Clone, Copy)]
pub struct Client {
    state: State,
    pending: StoredValue<Pending, LocalStorage>,
}

/// What is asked of the generator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Task {
    /// Choosing a device and looking for stored models.
    Start,
    /// Loading models ahead of time.
    Prepare,
    Generate,
    Delete,
    Nothing,
}

impl Task {
    /// Whether the task computes on the device.
    fn computes(self) -> bool {
        matches!(self, Self::Prepare | Self::Generate)
    }
}

/// The workers and the page's pending work.
#[derive(Default)]
struct Pending {
    workers: Option<Workers>,
    /// Number of the workers: what earlier ones say is ignored.
    turn: u32,
    /// The pending generation.
    generation: Option<Generation>,
    /// Whether the deletion of the stored models is pending.
    deleting: bool,
    /// Whether the GPU was lost. Models are then no longer loaded ahead of time, because an
    /// unstable GPU would cause endless restarts of the worker.
    gpu_was_lost: bool,
    /// Whether the GPU has produced an adapter.
    gpu_has_worked: bool,
    /// The GPU that failed, with the reason as its note; from then on the CPU computes.
    failed_gpu: Option<DeviceReport>,
    /// Whether models were loaded ahead of time since the page was opened.
    was_prepared: bool,
    /// Whether persistent storage was requested.
    requested_persistence: bool,
    /// Object URLs of the last result's files; dropping them frees the files.
    urls: Vec<ObjectUrl>,
}

/// A generation, kept in case it has to be repeated.
struct Generation {
    prompts: Arc<Vec<String>>,
    seed: u64,
    /// The example that the prompts are of.
    example: Option<&'static Example>,
    /// Whether it was repeated after the GPU was lost.
    repeated: bool,
}

impl Client {
    /// A client without workers.
    pub fn new(state: State) -> Self {
        Self {
            state,
            pending: StoredValue::new_local(Pending::default()),
        }
    }

    /// Updates what is pending and returns the result of `change`.
    fn update<T: Default>(self, change: impl FnOnce(&mut Pending) -> T) -> T {
        self.pending.try_update_value(change).unwrap_or_default()
    }

    fn is_generating(self) -> bool {
        self.pending
            .with_value(|pending| pending.generation.is_some())
    }

    /// Starts the workers and replaces running ones. Pending work is done by the new ones.
    pub fn open(self) {
        let (old, turn, gpu_failed) = self.update(|pending| {
            pending.turn += 1;
            let gpu_failed = pending.failed_gpu.is_some();
            (pending.workers.take(), pending.turn, gpu_failed)
        });
        self.state.preparing.set(false);
        if let Some(old) = old {
            old.end();
        }
        let device = match gpu_failed {
            true => DeviceChoice::Cpu,
            false => self.state.choice,
        };
        let workers = Workers::new(
            self.state.model.get_value(),
            [device, DeviceChoice::Cpu],
            move |event| self.receive(turn, event),
            move |failure| self.failed(turn, Task::Nothing, failure),
        );
        self.update(|pending| pending.workers = Some(workers));
        self.ask(Task::Start, async |dnd| dnd.start().await);
        self.send_deletion();
        self.send_generation();
    }

    /// Asks the generator, and handles what it answers unless it was replaced meanwhile.
    fn ask(
        self,
        task: Task,
        request: impl AsyncFnOnce(&Dnd) -> Result<JsValue, JsValue> + 'static,
    ) {
        let asked = self.pending.with_value(|pending| {
            let workers = pending.workers.as_ref()?;
            Some((workers.dnd.clone(), pending.turn))
        });
        let Some((dnd, turn)) = asked else {
            return;
        };
        spawn_local(async move {
            match request(&dnd).await {
                Ok(answer) => self.answered(turn, task, answer),
                Err(error) => self.failed(turn, task, Failure::from(error)),
            }
        });
    }

    fn is_past(self, turn: u32) -> bool {
        // The page may be gone.
        self.pending.try_with_value(|pending| pending.turn) != Some(turn)
    }

    fn send_deletion(self) {
        if self.pending.with_value(|pending| pending.deleting) {
            self.ask(Task::Delete, async |dnd| dnd.delete_models().await);
        }
    }

    fn send_generation(self) {
        let generation = self.pending.with_value(|pending| {
            let generation = pending.generation.as_ref()?;
            Some((generation.prompts.to_vec(), generation.seed))
        });
        if let Some((prompts, seed)) = generation {
            self.ask(Task::Generate, async move |dnd| {
                dnd.adapter(prompts, seed).await
            });
        }
    }

    /// Generates an adapter.
    pub fn generate(self, prompts: Vec<String>, seed: u64) {
        self.state.clear_messages();
        self.state.result.set(None);
        let example = link::opened_example(self.state);
        self.start_progress();
        let first = self.update(|pending| {
            pending.urls.clear();
            pending.generation = Some(Generation {
                prompts: Arc::new(prompts),
                seed,
                example,
                repeated: false,
            });
            !std::mem::replace(&mut pending.requested_persistence, true)
        });
        if first {
            browser::persist_storage();
        }
        self.send_generation();
    }

    /// Cancels the generation.
    pub fn cancel(self) {
        self.finish();
        self.open();
        self.state.message.set(
            "Cancelled. No adapter was generated. Downloaded data is kept, and the page is \
             ready again."
                .to_owned(),
        );
    }

    /// Deletes the stored models.
    pub fn delete(self) {
        self.state.clear_messages();
        self.update(|pending| pending.deleting = true);
        self.send_deletion();
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
        self.update(|pending| pending.generation = None);
    }

    /// The device that computes, if it is a GPU.
    fn gpu(self) -> Option<DeviceReport> {
        let device = self.state.device.get_untracked();
        device.filter(|device| device.gpu)
    }

    /// Handles an event of the workers.
    fn receive(self, turn: u32, event: Event) {
        if self.is_past(turn) {
            return;
        }
        match event {
            Event::Device(mut device) => {
                self.pending.with_value(|pending| {
                    if let Some(failed) = &pending.failed_gpu {
                        device.note.clone_from(&failed.note);
                        device.details.extend_from_slice(&failed.details);
                    }
                });
                self.state.device.set(Some(device));
            }
            Event::Files(files) => self.state.files.set(Some(files)),
            // A generation that waits for models to load continues after that, so loading
            // counts as its progress.
            Event::Progress(progress) => self.state.progress.update(|course| {
                if let Some(course) = course {
                    course.advance(progress);
                }
            }),
            Event::SelfTest(test) => self.state.self_test.set(Some(test)),
            // Answers come to whoever asked.
            _ => {}
        }
    }

    /// A request was answered.
    fn answered(self, turn: u32, task: Task, answer: JsValue) {
        if self.is_past(turn) {
            return;
        }
        match task {
            Task::Start => self.started(),
            Task::Prepare => {
                self.state.preparing.set(false);
                self.bring_back();
            }
            Task::Generate => self.generated(answer.unchecked_into()),
            Task::Delete => {
                self.update(|pending| pending.deleting = false);
                self.state.deleted.set(format!(
                    "Deleted. The next adapter needs a download of {} MB.",
                    format::megabytes(self.missing())
                ));
            }
            Task::Nothing => {}
        }
    }

    /// Bytes that are not stored.
    fn missing(self) -> u64 {
        let files = self.state.files.get_untracked();
        files.map_or(0, |files| files.total.saturating_sub(files.stored))
    }

    fn started(self) {
        let has_files = self
            .state
            .files
            .with_untracked(|files| files.as_ref().is_some_and(|files| files.total > 0));
        let is_kept = self
            .pending
            .with_value(|pending| !pending.deleting && !pending.gpu_was_lost);
        if self.is_generating() {
            self.start_progress();
        } else if has_files && self.missing() == 0 && is_kept {
            self.state.preparing.set(true);
            self.ask(Task::Prepare, async |dnd| dnd.prepare().await);
        }
    }

    /// Generates the adapter again that the page showed before it was reloaded: the same prompts,
    /// seed and model give the same one. Does so once, with the models that are stored.
    fn bring_back(self) {
        let is_first = self.update(|pending| !std::mem::replace(&mut pending.was_prepared, true));
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

    fn generated(self, adapter: Adapter) {
        let gpu = self.gpu().is_some();
        self.update(|pending| pending.gpu_has_worked |= gpu);
        let generation = self.update(|pending| pending.generation.take());
        self.finish();
        let Some(generation) = generation else {
            return;
        };
        let (prompts, example) = (generation.prompts, generation.example);
        let Some((finished, urls)) = Finished::new(&adapter, Arc::clone(&prompts), example) else {
            let text = "The adapter's files cannot be offered for download.";
            self.state.show_error(text.to_owned().into());
            return;
        };
        self.state.adapter.set_value(Some(adapter));
        let example = example.map(|example| example.link);
        memory::keep_generated(&prompts, generation.seed, self.model(), example);
        self.state.result.set(Some(finished));
        self.update(|pending| pending.urls = urls);
        self.state.measured.set(true);
        self.state.message.set(DONE.to_owned());
    }
}
