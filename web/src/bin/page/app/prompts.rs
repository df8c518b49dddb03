//! The text box with the prompts, and the ways to fill it.

use gloo::events::EventListener;
use gloo::timers::callback::Timeout;
use leptos::prelude::*;
use web_sys::HtmlInputElement;

use super::files::{self, EXAMPLES};
use super::memory;
use super::state::State;
use dnd_web::review::{self, Review};

/// Milliseconds after the last key press in which nothing is read or stored, so that typing stays
/// smooth in a long text.
const PAUSE: u32 = 200;

/// Takes up the text of the last visit.
pub fn restore(state: State) {
    accept(state, memory::prompts().unwrap_or_default());
    // The last key presses before a reload count as well.
    EventListener::new(&window(), "pagehide", move |_| look(state)).forget();
}

/// Replaces the text in the box.
pub fn fill(state: State, text: &str) {
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

/// Reads the box now, for an action that cannot wait.
pub fn look_now(state: State) {
    state.timer.set_value(None);
    look(state);
}

fn look_soon(state: State) {
    let timer = Timeout::new(PAUSE, move || look(state));
    state.timer.set_value(Some(timer));
}

fn look(state: State) {
    let Some(area) = state.area.get_untracked() else {
        return;
    };
    let text = area.value();
    if state.text.with_untracked(|known| *known != text) {
        accept(state, text);
    }
}

fn accept(state: State, text: String) {
    // An empty box is no mistake.
    let prompts = if text.trim().is_empty() {
        Ok(Vec::new())
    } else {
        review::read(&text)
    };
    memory::keep_prompts(&text);
    state
        .review
        .set(Review::of(prompts.as_deref().unwrap_or_default()));
    state.prompts.set(prompts);
    state.text.set(text);
}

/// The box, the file input and the examples.
#[component]
pub fn Prompts() -> impl IntoView {
    let state = expect_context::<State>();
    let text = state.text.get_untracked();
    let examples = EXAMPLES
        .iter()
        .map(|example| {
            view! {
                <button
                    type="button"
                    class="quiet"
                    on:click=move |_| files::open_example(state, example, false)
                >
                    {example.name}
                </button>
            }
        })
        .collect_view();
    view! {
        <section class="card" aria-labelledby="prompts-title">
            <h2 id="prompts-title">"Your task"</h2>
            <label for="prompts">"Prompts"</label>
            <p id="prompts-help" class="help">
                "What you would ask the model, one prompt a line, without answers. Some 32 different \
                prompts of the same task are best. JSON is understood as well."
            </p>
            <textarea
                id="prompts"
                node_ref=state.area
                rows="12"
                spellcheck="false"
                aria-describedby="prompts-help"
                prop:value=text
                on:input=move |_| look_soon(state)
            ></textarea>
            <div class="row">
                <label for="file">"Choose a file"</label>
                <input
                    id="file"
                    type="file"
                    accept=".txt,.jsonl,.json,.csv"
                    aria-describedby="file-help"
                    on:change=move |event| {
                        let input: HtmlInputElement = event_target(&event);
                        if let Some(file) = input.files().and_then(|files| files.get(0)) {
                            files::open(state, file);
                        }
                        // So that the same file can be chosen again after a change.
                        input.set_value("");
                    }
                />
            </div>
            <p id="file-help" class="help">
                "Or drop a file on the page: .txt, .jsonl, .json, or .csv with a column "
                <code>"prompt"</code> "."
            </p>
            <div class="examples" role="group" aria-labelledby="examples-title">
                <span id="examples-title">"Examples"</span>
                {examples}
            </div>
        </section>
    }
}
