//! The card with the text box, the file input and the examples.

use leptos::prelude::*;
use web_sys::HtmlInputElement;

use super::data::EXAMPLES;
use super::files;
use super::state::State;
use super::text_box::{Desk, bring_back, keep, look_soon};

/// What stands in the empty box.
const PLACEHOLDER: &str =
    "What is the opposite of hot?\nName a word that means the opposite of early.";

/// The box, the file input and the examples.
#[component]
pub fn Prompts() -> impl IntoView {
    let state = expect_context::<State>();
    let desk = expect_context::<Desk>();
    let text = state.text.get_untracked();

    let working = Memo::new(move |_| state.working());
    Effect::new(move |_| {
        if working.get() {
            desk.hush();
            keep(state, desk);
        }
    });
    Effect::new(move |before: Option<Result<u64, String>>| {
        let seed = state.seed.get();
        if before.is_some_and(|before| before != seed) {
            keep(state, desk);
        }
        seed
    });

    let too_long = move || {
        desk.too_long.get().then(|| {
            view! {
                <p role="note" class="hint">
                    "These prompts are too long to be kept over a reload."
                </p>
            }
        })
    };
    let bring_back_button = move || {
        desk.replaced.with(Option::is_some).then(|| {
            view! {
                <p>
                    <button type="button" class="quiet" on:click=move |_| bring_back(state, desk)>
                        "Bring back my prompts"
                    </button>
                </p>
            }
        })
    };
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
                prompts of the same task are best, and English works best. A JSON list "
                <code>"[\"…\", \"…\"]"</code> " or a table with a column " <code>"prompt"</code>
                " is understood too."
            </p>
            <textarea
                id="prompts"
                node_ref=state.area
                rows="12"
                dir="auto"
                spellcheck="false"
                placeholder=PLACEHOLDER
                aria-describedby="prompts-help"
                prop:value=text
                on:input=move |_| look_soon(state, desk)
            ></textarea>
            {too_long}
            <div class="row">
                <input
                    id="file"
                    type="file"
                    class="unseen"
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
                // The browser's own button would go on to say that no file is chosen.
                <label for="file" class="button">
                    "Choose a file"
                </label>
            </div>
            <p id="file-help" class="help">
                "Or drop a file on the page: .txt, .jsonl, .json, or .csv with a column "
                <code>"prompt"</code> "."
            </p>
            <div class="alert" role="alert">
                {move || desk.alert.get().map(|sentence| view! { <p>{sentence}</p> })}
            </div>
            <p class="message" role="status" aria-label="About the prompts">
                {move || desk.said()}
            </p>
            {bring_back_button}
            <div class="examples" role="group" aria-labelledby="examples-title">
                <span id="examples-title">"Examples"</span>
                {examples}
            </div>
        </section>
    }
}
