//! The text in the box: taken up while it is typed, replaced, brought back, kept over a reload.

use gloo::events::EventListener;
use gloo::timers::callback::Timeout;
use leptos::prelude::*;

use super::state::State;
use super::{format, link, memory};
use dnd_web::review;

/// Milliseconds after the last key press in which nothing is read or stored, so that typing stays
/// smooth in a long text.
const PAUSE: u32 = 200;

/// What the card with the prompts knows besides the prompts.
#[derive(Clone, Copy)]
pub struct Desk {
    /// What became of a file or a link, to be said politely.
    pub message: RwSignal<String>,
    /// Why a file or an example could not be opened, and what to do.
    pub alert: RwSignal<Option<String>>,
    /// The visitor's own text, when something else took its place.
    pub replaced: RwSignal<Option<Replaced>>,
    /// Whether the text is too long to be there after a reload.
    pub too_long: RwSignal<bool>,
    /// Counts key presses and what is opened, so that what arrives late does not replace what is newer.
    turn: StoredValue<u32>,
}

/// A text that is kept for as long as its author may miss it.
#[derive(Clone)]
pub struct Replaced {
    text: String,
    prompts: usize,
}

impl Desk {
    fn new() -> Self {
        Self {
            message: RwSignal::new(String::new()),
            alert: RwSignal::new(None),
            replaced: RwSignal::new(None),
            too_long: RwSignal::new(false),
            turn: StoredValue::new(0),
        }
    }

    /// Notes that the text is about to change; [`Self::is_last`] knows the turn by its number.
    pub fn begin(self) -> u32 {
        self.turn.update_value(|turn| *turn = turn.wrapping_add(1));
        self.turn.get_value()
    }

    /// Whether nothing has been typed or opened since this turn began.
    pub fn is_last(self, turn: u32) -> bool {
        self.turn.get_value() == turn
    }

    /// Takes back what was said about earlier actions.
    pub fn hush(self) {
        self.alert.set(None);
        self.message.set(String::new());
    }

    /// Reports a failure.
    pub fn complain(self, sentence: String) {
        self.message.set(String::new());
        self.alert.set(Some(sentence));
    }

    /// What there is to say politely.
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

/// Takes up the text of the last visit.
pub fn restore(state: State) {
    let desk = Desk::new();
    provide_context(desk);
    accept(state, memory::prompts().unwrap_or_default());
    // Said in an effect, because only what changes on a page that is there already is read out.
    let unknown = link::unknown();
    Effect::new(move |_| {
        if let Some(sentence) = &unknown {
            desk.message.set(sentence.clone());
        }
    });
    // The last key presses before a reload count as well.
    EventListener::new(&window(), "pagehide", move |_| look(state, desk)).forget();
}

/// Replaces the text in the box as the visitor wants it.
pub fn fill(state: State, desk: Desk, text: &str) {
    show(state, desk, text);
    desk.hush();
    keep(state, desk);
}

/// Replaces the text in the box, for now: what a link brings is kept only when the visitor works with
/// it, since a reload has to bring back what was there before.
pub fn show(state: State, desk: Desk, text: &str) {
    look(state, desk);
    if holds_own_text(state) {
        desk.replaced.set(Some(Replaced {
            text: state.text.get_untracked(),
            prompts: state.review.with_untracked(|review| review.count),
        }));
    }
    put(state, text);
}

/// Whether the visitor would miss what is in the box. An example is there for the asking.
fn holds_own_text(state: State) -> bool {
    state.text.with_untracked(|text| {
        let example = state
            .example
            .with_untracked(|example| example.as_ref().is_some_and(|(_, example)| example == text));
        !text.trim().is_empty() && !example
    })
}

fn put(state: State, text: &str) {
    state.timer.set_value(None);
    match state.area.get_untracked() {
        Some(area) => {
            area.set_value(text);
            // The browser may have changed the line breaks.
            accept(state, area.value());
        }
        None => accept(state, text.to_owned()),
    }
}

/// Undoes that the visitor's own text was replaced.
pub fn bring_back(state: State, desk: Desk) {
    look(state, desk);
    let Some(replaced) = desk.replaced.get_untracked() else {
        return;
    };
    desk.begin();
    put(state, &replaced.text);
    desk.replaced.set(None);
    desk.hush();
    keep(state, desk);
    // The button disappears, and the focus must not be lost with it.
    if let Some(area) = state.area.get_untracked() {
        _ = area.focus();
    }
}

/// Reads the box now, for an action that cannot wait.
pub fn look_now(state: State) {
    state.timer.set_value(None);
    if let Some(desk) = use_context::<Desk>() {
        look(state, desk);
    }
}

pub fn look_soon(state: State, desk: Desk) {
    desk.begin();
    let timer = Timeout::new(PAUSE, move || look(state, desk));
    state.timer.set_value(Some(timer));
}

/// Takes up what was typed, if something was.
fn look(state: State, desk: Desk) {
    let Some(area) = state.area.get_untracked() else {
        return;
    };
    let text = area.value();
    if state.text.with_untracked(|known| *known != text) {
        accept(state, text);
        desk.replaced.set(None);
        desk.hush();
        keep(state, desk);
    }
}

fn accept(state: State, text: String) {
    let (prompts, review) = review::read_and_review(&text);
    state.review.set(review);
    state.prompts.set(prompts);
    state.text.set(text);
}

/// Keeps what is on the page over a reload; a link has done its part then.
pub fn keep(state: State, desk: Desk) {
    let fits = state.text.with_untracked(|text| memory::keep_prompts(text));
    desk.too_long.set(!fits);
    if let Ok(seed) = state.seed.get_untracked() {
        memory::keep_seed(seed);
    }
    link::clean();
}
