//! The shared state of the page.

use gloo::timers::callback::Timeout;
use leptos::html::Textarea;
use leptos::prelude::*;

use super::alert::Alert;
use super::data::{Finished, GenerationProgress};
use super::link::LinkParameters;
use super::package::Adapter;
use super::text_box::PromptBoxState;
use dnd_web::protocol::{DeviceChoice, DeviceReport, FilesReport, SelfTest};
use dnd_web::review::Review;

/// Signals that the views share. The text box itself is not bound to a signal: copying a long
/// text at every key press would make typing slow.
#[derive(Clone, Copy)]
pub struct State {
    /// The device requested in the address.
    pub choice: DeviceChoice,
    /// The device of the base model. The default is the CPU: a token takes over a thousand small
    /// kernels, whose launches take longer than computing them there.
    pub answers: DeviceChoice,
    /// The base model requested in the address.
    pub model: StoredValue<Option<String>>,
    /// The prompts card besides the prompts.
    pub prompt_box: PromptBoxState,
    /// The text box.
    pub area: NodeRef<Textarea>,
    /// Debounces the text box.
    pub timer: StoredValue<Option<Timeout>, LocalStorage>,
    /// The text of the box when it was last read.
    pub text: RwSignal<String>,
    /// The parsed prompts, or why the text cannot be parsed.
    pub prompts: RwSignal<Result<Vec<String>, String>>,
    /// The review of the prompts.
    pub review: RwSignal<Review>,
    /// Link name and text of the last example that was put into the box.
    pub example: RwSignal<Option<(&'static str, String)>>,
    /// The seed, or what is wrong with it.
    pub seed: RwSignal<Result<u64, String>>,
    /// The device that computes, once it is chosen.
    pub device: RwSignal<Option<DeviceReport>>,
    /// The model files, once the worker has checked them.
    pub files: RwSignal<Option<FilesReport>>,
    /// Whether stored models are being loaded ahead of time.
    pub preparing: RwSignal<bool>,
    /// The result of the device's self-test.
    pub self_test: RwSignal<Option<SelfTest>>,
    /// Whether a file is dragged over the page.
    pub dropping: RwSignal<bool>,
    /// Progress of the running generation.
    pub progress: RwSignal<Option<GenerationProgress>>,
    /// Whether an adapter was generated, so that its duration is known.
    pub measured: RwSignal<bool>,
    /// The last adapter.
    pub result: RwSignal<Option<Finished>>,
    /// The last adapter's files.
    pub adapter: StoredValue<Option<Adapter>, LocalStorage>,
    /// What is asked, and whether questions of an example are the input alone.
    pub question: RwSignal<String>,
    pub is_bare: RwSignal<bool>,
    /// Lines with answers.
    pub lines: RwSignal<String>,
    /// What went wrong, and what to do.
    pub alert: RwSignal<Option<Alert>>,
    /// The status message, for a polite live region.
    pub message: RwSignal<String>,
    /// The message that the stored models were deleted, shown beside the delete button.
    pub deleted: RwSignal<String>,
}

impl State {
    /// The initial state.
    pub fn new(wanted: &LinkParameters) -> Self {
        Self {
            choice: wanted.device,
            answers: wanted.answers,
            model: StoredValue::new(wanted.model.clone()),
            prompt_box: PromptBoxState::new(),
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
            dropping: RwSignal::new(false),
            progress: RwSignal::new(None),
            measured: RwSignal::new(false),
            result: RwSignal::new(None),
            adapter: StoredValue::new_local(None),
            question: RwSignal::new(String::new()),
            is_bare: RwSignal::new(false),
            lines: RwSignal::new(String::new()),
            alert: RwSignal::new(None),
            message: RwSignal::new(String::new()),
            deleted: RwSignal::new(String::new()),
        }
    }

    /// Whether an adapter is being generated.
    pub fn working(&self) -> bool {
        self.progress.with(Option::is_some)
    }

    /// Clears messages about earlier actions.
    pub fn clear_messages(&self) {
        self.alert.set(None);
        self.message.set(String::new());
        self.deleted.set(String::new());
    }

    /// Reports a failure.
    pub fn show_error(&self, alert: Alert) {
        self.message.set(String::new());
        self.alert.set(Some(alert));
    }
}
