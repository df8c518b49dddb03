//! The base model, which answers questions.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::AbortController;

use super::alert::Alert;
use super::browser;
use super::package::Workers;
use super::state::State;
use dnd_web::protocol::{Answered, Cause, Decoding, DeviceChoice, Event, Progress};

/// How far the base model is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Phase {
    /// It was not asked for, or failed.
    Closed,
    /// It is fetched and loaded.
    Opening(Option<Progress>),
    /// It answers.
    Open,
}

/// A piece of an answer.
pub enum Piece<'a> {
    /// New text.
    Text(&'a str),
    /// The end.
    Done(Answered),
    /// There is no answer; [`BaseModel::alert`] says why, unless it was stopped.
    Failed,
}

/// The page's handle to the base model.
#[derive(Clone, Copy)]
pub struct BaseModel {
    state: State,
    worker: StoredValue<Pending, LocalStorage>,
    /// How far it is.
    pub phase: RwSignal<Phase>,
    /// What went wrong, and what to do.
    pub alert: RwSignal<Option<Alert>>,
    /// Its device, if that is a GPU.
    pub gpu: RwSignal<Option<String>>,
    /// Answers that are waited for.
    pending: RwSignal<usize>,
}

/// The worker, and what stops its answers.
#[derive(Default)]
struct Pending {
    workers: Option<Workers>,
    stop: Option<AbortController>,
}

impl BaseModel {
    /// A handle without a worker.
    pub fn new(state: State) -> Self {
        Self {
            state,
            worker: StoredValue::new_local(Pending::default()),
            phase: RwSignal::new(Phase::Closed),
            alert: RwSignal::new(None),
            gpu: RwSignal::new(None),
            pending: RwSignal::new(0),
        }
    }

    /// Whether an answer is waited for.
    pub fn is_busy(self) -> bool {
        self.pending.get() > 0
    }

    /// Asks the base model, with the page's adapter if `adapted`; opens it first if it is not open.
    /// Questions are answered one after another.
    pub fn ask(
        self,
        prompt: String,
        adapted: bool,
        decoding: Decoding,
        mut on_piece: impl FnMut(Piece) + 'static,
    ) {
        self.alert.set(None);
        let adapter = self.state.adapter.get_value().filter(|_| adapted);
        let asked = self.worker.try_update_value(|worker| {
            let workers = worker.workers.get_or_insert_with(|| self.workers());
            let stop = match worker.stop.take() {
                Some(stop) => stop,
                None => AbortController::new().ok()?,
            };
            let signal = stop.signal();
            worker.stop = Some(stop);
            Some((workers.dnd.clone(), signal))
        });
        let Some((dnd, signal)) = asked.flatten() else {
            on_piece(Piece::Failed);
            return;
        };
        if self.phase.get_untracked() == Phase::Closed {
            self.phase.set(Phase::Opening(None));
            browser::persist_storage();
        }
        self.pending.update(|count| *count += 1);
        spawn_local(async move {
            let on_piece = Rc::new(RefCell::new(on_piece));
            let answered = Rc::new(Cell::new(None));
            let (tell, keep) = (Rc::clone(&on_piece), Rc::clone(&answered));
            let result = dnd
                .answer(
                    &prompt,
                    adapter,
                    decoding,
                    &signal,
                    move |text| tell.borrow_mut()(Piece::Text(&text)),
                    move |answered| keep.set(Some(answered)),
                )
                .await;
            let count = |count: &mut usize| *count = count.saturating_sub(1);
            _ = self.pending.try_update(count);
            let mut on_piece = on_piece.borrow_mut();
            match answered.take() {
                Some(answered) => on_piece(Piece::Done(answered)),
                None => on_piece(Piece::Failed),
            }
            if let Err(failure) = result {
                let cause = failure.cause.filter(|_| !signal.aborted());
                self.failed(&failure.message, cause, dnd.base_is_open());
            }
        });
    }

    fn workers(self) -> Workers {
        let (state, phase, gpu) = (self.state, self.phase, self.gpu);
        Workers::new(
            state.model.get_value(),
            [DeviceChoice::Cpu, state.answers],
            move |event| match event {
                Event::Progress(progress) => phase.set(Phase::Opening(Some(progress))),
                Event::Opened => phase.set(Phase::Open),
                Event::Device(device) => gpu.set(Some(device.name)),
                Event::Files(files) => state.files.set(Some(files)),
                // Answers come to whoever asked.
                _ => {}
            },
            move |failure| {
                self.close();
                if let Some(cause) = failure.cause {
                    self.show_error(&failure.message, cause);
                }
            },
        )
    }

    /// Stops all answers. A download is broken off; what was downloaded is kept.
    pub fn stop(self) {
        let stop = self.worker.try_update_value(|worker| worker.stop.take());
        if let Some(stop) = stop.flatten() {
            stop.abort();
        }
    }

    /// Ends the worker. What waits for it fails.
    pub fn close(self) {
        let old = self
            .worker
            .try_update_value(std::mem::take)
            .unwrap_or_default();
        self.phase.set(Phase::Closed);
        if let Some(stop) = old.stop {
            stop.abort();
        }
        if let Some(workers) = old.workers {
            workers.end();
        }
    }

    /// An answer failed, or was stopped if there is no cause.
    fn failed(self, message: &str, cause: Option<Cause>, is_open: bool) {
        if let Some(cause) = cause {
            // A single question can be too long. A worker that ended answers nothing.
            if !is_open {
                self.close();
            }
            self.show_error(message, cause);
        } else if !is_open {
            self.phase.set(Phase::Closed);
        }
    }

    fn show_error(self, message: &str, cause: Cause) {
        let advice = match cause {
            Cause::Download => "Check the connection and ask again to resume the download.",
            Cause::Outdated => "The page was probably updated. Your prompts are kept.",
            Cause::NoModel => "Open the page without `model` in its address.",
            Cause::Corrupt => "Ask again to download it again.",
            Cause::DeviceLost | Cause::Other => "Ask again, or reload the page.",
        };
        self.alert.set(Some(Alert::new(message, cause, advice)));
    }
}
