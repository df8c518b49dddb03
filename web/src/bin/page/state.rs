//! What the page knows.

use gloo::timers::callback::Timeout;
use leptos::html::Textarea;
use leptos::prelude::*;

use super::data::{Course, Finished};
use dnd_web::protocol::{DeviceChoice, DeviceReport, FilesReport, SelfTest};
use dnd_web::review::Review;

/// Signals that the parts of the page share. The text box itself is not bound to a signal: copying a
/// long text at every key press would make typing slow.
#[derive(Clone, Copy)]
pub struct State {
    /// The device that the address asks for.
    pub choice: DeviceChoice,
    /// The text box.
    pub area: NodeRef<Textarea>,
    /// Runs out a moment after the last key press.
    pub timer: StoredValue<Option<Timeout>, LocalStorage>,
    /// The text of the box when it was last read.
    pub text: RwSignal<String>,
    /// The prompts in it, or why it cannot be understood.
    pub prompts: RwSignal<Result<Vec<String>, String>>,
    /// What there is to say about them.
    pub review: RwSignal<Review>,
    /// The name in links and the text of the example that was put into the box last.
    pub example: RwSignal<Option<(&'static str, String)>>,
    /// The seed, or what is wrong with it.
    pub seed: RwSignal<Result<u64, String>>,
    /// The device that computes, once it is chosen.
    pub device: RwSignal<Option<DeviceReport>>,
    /// The model files, once the worker has looked at them.
    pub files: RwSignal<Option<FilesReport>>,
    /// Whether stored models are being loaded ahead of time.
    pub preparing: RwSignal<bool>,
    /// How the device computed a known input.
    pub self_test: RwSignal<Option<SelfTest>>,
    /// How far the generation is that is under way.
    pub course: RwSignal<Option<Course>>,
    /// Whether an adapter has come, so that it is known how long one takes.
    pub measured: RwSignal<bool>,
    /// The last adapter.
    pub result: RwSignal<Option<Finished>>,
    /// What went wrong, and what to do.
    pub alert: RwSignal<Option<String>>,
    /// What happened, to be said politely.
    pub message: RwSignal<String>,
    /// That the stored models were deleted, to be said beside the button that does it.
    pub deleted: RwSignal<String>,
}

impl State {
    /// The state of a page that was just opened.
    pub fn new(choice: DeviceChoice) -> Self {
        Self {
            choice,
            area: NodeRef::new(),
            timer: StoredValue::new_local(None),
            text: RwSignal::new(String::new()),
            prompts: RwSignal::new(Ok(Vec::new())),
            review: RwSignal::new(Review::default()),
            example: RwSignal::new(None),
            seed: RwSignal::new(Ok(0)),
            device: RwSignal::new(None),
            files: RwSignal::new(None),
            preparing: RwSignal::new(false),
            self_test: RwSignal::new(None),
            course: RwSignal::new(None),
            measured: RwSignal::new(false),
            result: RwSignal::new(None),
            alert: RwSignal::new(None),
            message: RwSignal::new(String::new()),
            deleted: RwSignal::new(String::new()),
        }
    }

    /// Whether an adapter is being generated.
    pub fn working(&self) -> bool {
        self.course.with(Option::is_some)
    }

    /// Takes back what was said about earlier actions.
    pub fn hush(&self) {
        self.alert.set(None);
        self.message.set(String::new());
        self.deleted.set(String::new());
    }

    /// Reports a failure.
    pub fn complain(&self, sentence: String) {
        self.message.set(String::new());
        self.alert.set(Some(sentence));
    }
}
