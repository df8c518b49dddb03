//! The text box: reading input, replacing and restoring the text, keeping it over a reload.

use gloo::events::EventListener;
use gloo::timers::callback::Timeout;
use leptos::prelude::*;

use super::alert::Alert;
use super::state::State;
use super::{format, link, memory};
use dnd_adapter::prompts;
use dnd_web::review;

/// Debounce delay in milliseconds, so that typing stays smooth in a long text.
const PAUSE: u32 = 200;

/// State of the prompts card besides the prompts.
#[derive(Clone, Copy)]
pub struct PromptBoxState {
    /// The message about a file or a link, for a polite live region.
    pub message: RwSignal<String>,
    /// Why a file or an example could not be opened, and what to do.
    pub alert: RwSignal<Option<Alert>>,
    /// The visitor's own text after it was replaced.
    pub replaced: RwSignal<Option<Replaced>>,
    /// The table that the text comes from, if it has several columns.
    pub table: RwSignal<Option<Table>>,
    /// Whether the text is too long to be stored.
    pub too_long: RwSignal<bool>,
    /// Counts edits and opened files, so that a late result does not replace newer text.
    turn: StoredValue<u32>,
}

/// A table, to read other prompts from.
#[derive(Clone, PartialEq)]
pub struct Table {
    /// What messages call it.
    pub name: String,
    /// The whole table.
    pub text: String,
    /// The names of its columns.
    pub columns: Vec<String>,
    /// The column that was chosen.
    pub chosen: Option<String>,
}

impl Table {
    /// The table in a text, if it is one and has several columns.
    pub fn of(text: &str, extension: &str, name: &str) -> Option<Self> {
        let columns = prompts::columns(text, extension);
        (columns.len() > 1).then(|| Self {
            name: name.to_owned(),
            text: text.to_owned(),
            columns,
            chosen: None,
        })
    }
}

/// A replaced text, kept so that it can be restored.
#[derive(Clone)]
pub struct Replaced {
    text: String,
    prompts: usize,
}

impl PromptBoxState {
    /// Without messages.
    pub fn new() -> Self {
        Self {
            message: RwSignal::new(String::new()),
            alert: RwSignal::new(None),
            replaced: RwSignal::new(None),
            table: RwSignal::new(None),
            too_long: RwSignal::new(false),
            turn: StoredValue::new(0),
        }
    }

    /// Begins a change of the text; returns its number for [`Self::is_last`].
    pub fn begin(self) -> u32 {
        self.turn.update_value(|turn| *turn = turn.wrapping_add(1));
        self.turn.get_value()
    }

    /// Whether no change has begun since this one.
    pub fn is_last(self, turn: u32) -> bool {
        self.turn.get_value() == turn
    }

    /// Clears messages about earlier actions.
    pub fn clear_messages(self) {
        self.alert.set(None);
        self.message.set(String::new());
    }

    /// Reports a failure.
    pub fn show_error(self, sentence: String) {
        self.message.set(String::new());
        self.alert.set(Some(sentence.into()));
    }

    /// The text of the polite live region.
    pub fn said(self) -> String {
        let replaced = self.replaced.with(|replaced| {
            replaced.as_ref().map(|replaced| match replaced.prompts {
                0 => "Replaced your text.".to_owned(),
                count => format!("Replaced your {}.", format::prompts(count)),
            })
        });
        let message = self.message.get();
        match replaced {
            Some(replaced) if message.is_empty() => replaced,
            Some(replaced) => format!("{message} {replaced}"),
            None => message,
        }
    }
}

/// Restores the text of the last visit.
pub fn restore(state: State) {
    let prompt_box = state.prompt_box;
    set_text(state, memory::prompts().unwrap_or_default());
    // Set in an effect, because screen readers announce only changes of an existing page.
    let unknown = link::unknown();
    Effect::new(move |_| {
        if let Some(sentence) = &unknown {
            prompt_box.message.set(sentence.clone());
        }
    });
    // Stores the last key presses before a reload.
    EventListener::new(&window(), "pagehide", move |_| read_box(state)).forget();
}

/// Replaces the text in the box and stores it.
pub fn replace_and_save(state: State, text: &str) {
    replace_unsaved(state, text);
    state.prompt_box.clear_messages();
    keep(state);
}

/// Replaces the text in the box without storing it. The example of a link is stored only when
/// the visitor works with it: until then, a reload has to bring back the earlier text.
pub fn replace_unsaved(state: State, text: &str) {
    read_box(state);
    if holds_own_text(state) {
        state.prompt_box.replaced.set(Some(Replaced {
            text: state.text.get_untracked(),
            prompts: state.review.with_untracked(|review| review.count),
        }));
    }
    state.prompt_box.table.set(None);
    set_box(state, text);
}

/// Takes the prompts from this column of the table.
pub fn choose_column(state: State, column: String) {
    let Some(mut table) = state.prompt_box.table.get_untracked() else {
        return;
    };
    state.prompt_box.begin();
    match prompts::parse_column(&table.text, &column, &table.name) {
        Ok(file) => {
            replace_and_save(state, &review::to_text(&file.texts()));
            let count = format::prompts(file.prompts.len());
            let name = &table.name;
            let message = format!("Read {count} from the column \"{column}\" of {name}.");
            state.prompt_box.message.set(message);
            table.chosen = Some(column);
            state.prompt_box.table.set(Some(table));
        }
        Err(error) => state.prompt_box.show_error(format!(
            "{} The box was not changed.",
            format::sentence(&error.to_string())
        )),
    }
}

/// Undoes what replaced the visitor's text, unless it was changed since.
pub fn undo(state: State) -> bool {
    read_box(state);
    let can_undo = state.prompt_box.replaced.with_untracked(Option::is_some);
    if can_undo {
        restore_replaced(state);
    }
    can_undo
}

/// Whether the box holds text of the visitor's own, and not an example.
fn holds_own_text(state: State) -> bool {
    state.text.with_untracked(|text| {
        let example = state
            .example
            .with_untracked(|example| example.as_ref().is_some_and(|(_, example)| example == text));
        !text.trim().is_empty() && !example
    })
}

fn set_box(state: State, text: &str) {
    state.timer.set_value(None);
    match state.area.get_untracked() {
        Some(area) => {
            area.set_value(text);
            // The browser may have changed the line breaks.
            set_text(state, area.value());
        }
        None => set_text(state, text.to_owned()),
    }
}

/// Restores the visitor's replaced text.
pub fn restore_replaced(state: State) {
    read_box(state);
    let Some(replaced) = state.prompt_box.replaced.get_untracked() else {
        return;
    };
    state.prompt_box.begin();
    set_box(state, &replaced.text);
    state.prompt_box.replaced.set(None);
    state.prompt_box.clear_messages();
    keep(state);
    // The button, which has the focus, disappears.
    if let Some(area) = state.area.get_untracked() {
        _ = area.focus();
    }
}

/// Reads the box now, for an action that cannot wait.
pub fn read_box_now(state: State) {
    state.timer.set_value(None);
    read_box(state);
}

pub fn read_box_later(state: State) {
    state.prompt_box.begin();
    let timer = Timeout::new(PAUSE, move || read_box(state));
    state.timer.set_value(Some(timer));
}

/// Reads the box if its text has changed.
fn read_box(state: State) {
    let Some(area) = state.area.get_untracked() else {
        return;
    };
    let text = area.value();
    if state.text.with_untracked(|known| *known != text) {
        state.prompt_box.table.set(Table::of(&text, "", "the text"));
        set_text(state, text);
        state.prompt_box.replaced.set(None);
        state.prompt_box.clear_messages();
        keep(state);
    }
}

fn set_text(state: State, text: String) {
    let (prompts, review) = review::read_and_review(&text);
    state.review.set(review);
    state.prompts.set(prompts);
    state.text.set(text);
}

/// Stores text and seed and removes them from the address.
pub fn keep(state: State) {
    let fits = state.text.with_untracked(|text| memory::keep_prompts(text));
    state.prompt_box.too_long.set(!fits);
    if let Ok(seed) = state.seed.get_untracked() {
        memory::keep_seed(seed);
    }
    link::clean();
}
