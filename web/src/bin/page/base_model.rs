//! The client of the worker with the base model, which answers questions.

use std::collections::HashMap;

use js_sys::{Array, Uint8Array};
use leptos::prelude::*;
use web_sys::MessageEvent;

use super::alert::Alert;
use super::browser;
use super::state::State;
use dnd_web::connection::{Connection, stopped};
use dnd_web::protocol::{Answered, Cause, Decoding, Envelope, Event, Progress, Request};

/// The script. Logs and tests distinguish this worker by the query.
const PROGRAM: &str = "worker-start.js?base-model";

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
    /// There is no answer; [`BaseModel::alert`] says why.
    Failed,
}

/// Who gets the pieces of an answer.
type OnPiece = Box<dyn FnMut(Piece)>;

/// The page's handle to the base model.
#[derive(Clone, Copy)]
pub struct BaseModel {
    state: State,
    worker: StoredValue<AnswerWorker, LocalStorage>,
    /// How far it is.
    pub phase: RwSignal<Phase>,
    /// What went wrong, and what to do.
    pub alert: RwSignal<Option<Alert>>,
    /// Its device, if that is a GPU.
    pub gpu: RwSignal<Option<String>>,
    /// Answers that are waited for.
    pending: RwSignal<usize>,
}

#[derive(Default)]
struct AnswerWorker {
    connection: Option<Connection>,
    /// Id of the last request.
    last: u32,
    /// SHA-256 of the weights of the adapter that the worker has.
    adapter: Option<String>,
    /// Who gets the answers.
    answers: HashMap<u32, OnPiece>,
}

impl AnswerWorker {
    fn send(&mut self, body: Request, files: &[Uint8Array]) -> u32 {
        self.last += 1;
        let id = self.last;
        // Strings and numbers can always be serialized.
        let json = serde_json::to_string(&Envelope { id, body });
        if let (Some(connection), Ok(json)) = (&self.connection, json) {
            connection.post(&json, files);
        }
        id
    }
}

impl BaseModel {
    /// A handle without a worker.
    pub fn new(state: State) -> Self {
        Self {
            state,
            worker: StoredValue::new_local(AnswerWorker::default()),
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
        if self.worker.with_value(|worker| worker.connection.is_none()) && !self.open() {
            on_piece(Piece::Failed);
            return;
        }
        self.pending.update(|count| *count += 1);
        let on_piece = move |piece: Piece| {
            if !matches!(piece, Piece::Text(_)) {
                self.pending
                    .update(|count| *count = count.saturating_sub(1));
            }
            on_piece(piece);
        };
        let adapter = self.state.adapter_files.get_value();
        self.worker.update_value(|worker| {
            if let Some((name, files)) = adapter.filter(|_| adapted)
                && worker.adapter.as_ref() != Some(&name)
            {
                worker.send(Request::Adapt, &files);
                worker.adapter = Some(name);
            }
            let request = Request::Answer {
                prompt,
                adapted,
                decoding,
            };
            let id = worker.send(request, &[]);
            worker.answers.insert(id, Box::new(on_piece));
        });
    }

    /// Stops all answers.
    pub fn stop(self) {
        if self.phase.get_untracked() == Phase::Open {
            self.worker.update_value(|worker| {
                worker.send(Request::Stop, &[]);
            });
        } else {
            // It may be downloading, which takes no messages. What was downloaded is kept.
            self.close();
        }
    }

    /// Starts the worker; returns whether it could.
    fn open(self) -> bool {
        let connection = Connection::new(
            PROGRAM,
            move |message| self.receive(&message),
            move |event| self.fail(&stopped(&event), Cause::Other),
        );
        match connection {
            Ok(connection) => {
                self.phase.set(Phase::Opening(None));
                browser::persist_storage();
                self.worker.update_value(|worker| {
                    worker.connection = Some(connection);
                    let open = Request::OpenBase {
                        base: browser::base(),
                        model: self.state.model.get_value(),
                        device: self.state.answers,
                    };
                    worker.send(open, &[]);
                });
                true
            }
            Err(_) => {
                self.fail("The page's worker cannot be started.", Cause::Other);
                false
            }
        }
    }

    /// Ends the worker and fails what waits for it.
    pub fn close(self) {
        let old = self
            .worker
            .try_update_value(std::mem::take)
            .unwrap_or_default();
        self.phase.set(Phase::Closed);
        if let Some(connection) = old.connection {
            connection.end();
        }
        for mut on_piece in old.answers.into_values() {
            on_piece(Piece::Failed);
        }
    }

    fn fail(self, message: &str, cause: Cause) {
        self.close();
        self.show_error(message, cause);
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

    fn receive(self, message: &MessageEvent) {
        let json = Array::from(&message.data()).get(0).as_string();
        let event = serde_json::from_str(&json.unwrap_or_default());
        let Ok(Envelope { id, body }) = event else {
            self.fail(
                "The worker and the page have different versions.",
                Cause::Outdated,
            );
            return;
        };
        match body {
            Event::Progress(progress) => self.phase.set(Phase::Opening(Some(progress))),
            Event::Opened => self.phase.set(Phase::Open),
            Event::Device(device) => self.gpu.set(Some(device.name)),
            Event::Files(files) => self.state.files.set(Some(files)),
            Event::Text { text } => self.worker.update_value(|worker| {
                if let Some(on_piece) = worker.answers.get_mut(&id) {
                    on_piece(Piece::Text(&text));
                }
            }),
            Event::Answered(answered) => {
                if let Some(mut on_piece) = self.answer(id) {
                    on_piece(Piece::Done(answered));
                }
            }
            // A single question can be too long.
            Event::Failed { message, cause } => match self.answer(id) {
                Some(mut on_piece) => {
                    on_piece(Piece::Failed);
                    self.show_error(&message, cause);
                }
                None => self.fail(&message, cause),
            },
            // Not of this worker.
            _ => {}
        }
    }

    /// Removes and returns who gets the answer to request `id`.
    fn answer(self, id: u32) -> Option<OnPiece> {
        let removed = self.worker.try_update_value(|w| w.answers.remove(&id));
        removed.flatten()
    }
}
