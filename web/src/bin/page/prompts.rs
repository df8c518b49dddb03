//! The card with the text box, the file input and the examples.

use leptos::prelude::*;
use web_sys::HtmlInputElement;

use super::alert::AlertBox;
use super::data::EXAMPLES;
use super::files;
use super::state::State;
use super::text_box::{choose_column, keep, read_box_later, restore_replaced, undo};

const PLACEHOLDER: &str =
    "What is the opposite of hot?\nName a word that means the opposite of early.";

/// Whether the focus is in a field that has an undo of its own.
fn is_in_another_field() -> bool {
    let focused = document().active_element();
    focused.is_some_and(|element| {
        let is_field = element
            .matches("input, textarea, select")
            .unwrap_or_default();
        is_field && element.id() != "prompts"
    })
}

/// The box, the file input and the examples.
#[component]
pub fn Prompts() -> impl IntoView {
    let state = expect_context::<State>();
    let prompt_box = state.prompt_box;
    let text = state.text.get_untracked();

    let working = Memo::new(move |_| state.working());
    Effect::new(move |_| {
        if working.get() {
            prompt_box.clear_messages();
            keep(state);
        }
    });
    Effect::new(move |before: Option<Result<u64, String>>| {
        let seed = state.seed.get();
        if before.is_some_and(|before| before != seed) {
            keep(state);
        }
        seed
    });

    let too_long = move || {
        prompt_box.too_long.get().then(|| {
            view! {
                <p role="note" class="hint">
                    "These prompts are too long to be saved for the next visit."
                </p>
            }
        })
    };
    let bring_back_button = move || {
        prompt_box.replaced.with(Option::is_some).then(|| {
            view! {
                <p>
                    <button
                        type="button"
                        class="quiet"
                        on:click=move |_| restore_replaced(state)
                    >
                        "Bring back my prompts"
                    </button>
                </p>
            }
        })
    };
    let keys = window_event_listener(leptos::ev::keydown, move |event| {
        let is_undo = event.key().eq_ignore_ascii_case("z") && !event.shift_key();
        if is_undo
            && (event.ctrl_key() || event.meta_key())
            && !is_in_another_field()
            && undo(state)
        {
            event.prevent_default();
        }
    });
    on_cleanup(move || keys.remove());
    let column_choice = move || {
        prompt_box.table.get().map(|table| {
            let chosen = table.chosen.unwrap_or_default();
            let is_open = chosen.is_empty();
            let options = table.columns.into_iter().map(|name| {
                let selected = name == chosen;
                view! {
                    <option value=name.clone() selected=selected>
                        {name.clone()}
                    </option>
                }
            });
            view! {
                <p class="row">
                    <label for="column">"Column of the prompts"</label>
                    <select
                        id="column"
                        on:change=move |event| {
                            choose_column(state, event_target_value(&event));
                        }
                    >
                        <option value="" disabled selected=is_open>
                            "Choose"
                        </option>
                        {options.collect_view()}
                    </select>
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
            <div class="examples" role="group" aria-labelledby="examples-title">
                <span id="examples-title">"Examples"</span>
                {examples}
            </div>
            <label for="prompts">"Prompts"</label>
            <p id="prompts-help" class="help">
                "What you would ask the model: one prompt per line, in English. About 16 different \
                prompts of one task work best; a line or two that describe the task are enough."
            </p>
            <textarea
                id="prompts"
                node_ref=state.area
                rows="8"
                dir="auto"
                spellcheck="false"
                placeholder=PLACEHOLDER
                aria-describedby="prompts-help"
                prop:value=text
                on:input=move |_| read_box_later(state)
            ></textarea>
            {too_long}
            <div class="row">
                <input
                    id="file"
                    type="file"
                    class="unseen"
                    accept=".txt,.jsonl,.ndjson,.json,.csv,.tsv"
                    aria-describedby="file-help"
                    on:change=move |event| {
                        let input: HtmlInputElement = event_target(&event);
                        if let Some(file) = input.files().and_then(|files| files.get(0)) {
                            files::open(state, file);
                        }
                        // Otherwise choosing the same file again would not fire `change`.
                        input.set_value("");
                    }
                />
                // The native button would keep saying that no file is chosen.
                <label for="file" class="button">
                    "Choose a file"
                </label>
                <span id="file-help" class="help">
                    "Or drop one on the page: text, JSON, or a table with a column "
                    <code>"prompt"</code> "."
                </span>
            </div>
            <AlertBox alert=prompt_box.alert/>
            <p class="message" role="status" aria-label="About the prompts">
                {move || prompt_box.said()}
            </p>
            {column_choice}
            {bring_back_button}
        </section>
    }
}
