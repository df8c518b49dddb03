//! The Generate card: seed, buttons, progress and messages.

use leptos::html;
use leptos::prelude::*;

use super::alert::AlertBox;
use super::client::{Client, DONE};
use super::data::{LARGEST_SEED, read_seed};
use super::device::DeviceStatus;
use super::progress::ProgressBar;
use super::state::State;
use super::{link, memory, text_box};

/// Why no adapter can be generated from the current input.
fn blocking_reason(state: State) -> Option<String> {
    if let Some(mistake) = state.seed.with(|seed| seed.as_ref().err().cloned()) {
        return Some(mistake);
    }
    state.prompts.with(|prompts| match prompts {
        Ok(prompts) if prompts.is_empty() => {
            Some("Paste at least one prompt, or choose an example, to begin.".to_owned())
        }
        Ok(_) => None,
        Err(_) => Some("The prompts cannot be read yet; the preview says why.".to_owned()),
    })
}

fn generate(state: State, client: Client) {
    if state.progress.with_untracked(Option::is_some) {
        return;
    }
    // The text may have changed since it was last read.
    text_box::read_box_now(state);
    let seed = state.seed.get_untracked();
    let prompts = state.prompts.get_untracked();
    if let (Ok(prompts), Ok(seed)) = (prompts, seed)
        && !prompts.is_empty()
    {
        client.generate(prompts, seed);
    }
}

/// Whether the focus is in the panel that asks the base model.
fn is_asking() -> bool {
    let focused = document().active_element();
    focused.is_some_and(|element| element.closest(".try").ok().flatten().is_some())
}

/// The choice of the base model, if there are several.
#[component]
fn ModelChoice() -> impl IntoView {
    let state = expect_context::<State>();
    let choice = move || {
        let (models, chosen) = state
            .files
            .with(|files| files.as_ref().map(|f| (f.models.clone(), f.model.clone())))?;
        let options = models.iter().map(|name| {
            let is_chosen = chosen.as_ref() == Some(name);
            view! { <option value=name.clone() selected=is_chosen>{name.clone()}</option> }
        });
        let options = options.collect_view();
        (models.len() > 1).then(|| {
            view! {
                <div class="row">
                    <label for="model">"Base model"</label>
                    <select
                        id="model"
                        disabled=move || state.working()
                        on:change=move |event| link::choose_model(&event_target_value(&event))
                    >
                        {options}
                    </select>
                </div>
            }
        })
    };
    view! { {choice} }
}

/// The card that starts and cancels a generation.
#[component]
pub fn Generate() -> impl IntoView {
    let state = expect_context::<State>();
    let client = expect_context::<Client>();
    let obstacle = Memo::new(move |_| blocking_reason(state));
    let seed = state.seed.get_untracked().unwrap_or_default().to_string();
    let read = move |text: String| {
        let seed = read_seed(&text);
        if let Ok(seed) = seed {
            memory::keep_seed(seed);
        }
        state.seed.set(seed);
    };
    Effect::watch(
        move || {
            state.text.track();
            state.seed.track();
        },
        move |_, _, _| {
            if state.message.with_untracked(|message| message == DONE) {
                state.message.set(String::new());
            }
        },
        false,
    );
    let button = NodeRef::<html::Button>::new();
    let cancel = move || {
        // The Cancel button, which has the focus, is about to disappear.
        if let Some(button) = button.get_untracked() {
            _ = button.focus();
        }
        client.cancel();
    };
    let keys = window_event_listener(leptos::ev::keydown, move |event| {
        match event.key().as_str() {
            "Enter" if (event.ctrl_key() || event.meta_key()) && !is_asking() => {
                generate(state, client);
            }
            "Escape" if state.progress.with_untracked(Option::is_some) => cancel(),
            _ => {}
        }
    });
    on_cleanup(move || keys.remove());
    // A button that becomes `disabled` while it has the focus loses it. During a generation the
    // button is therefore only `aria-disabled` and does nothing.
    view! {
        <section class="card generate" aria-labelledby="generate-title">
            <h2 id="generate-title">"Generate"</h2>
            <ModelChoice/>
            <div class="row">
                <button
                    type="button"
                    class="main"
                    node_ref=button
                    aria-describedby="obstacle"
                    aria-disabled=move || state.working().then_some("true")
                    disabled=move || !state.working() && obstacle.with(Option::is_some)
                    on:click=move |_| generate(state, client)
                >
                    "Generate adapter"
                </button>
                <Show when=move || state.working()>
                    <button type="button" on:click=move |_| cancel()>
                        "Cancel"
                    </button>
                </Show>
                <span class="help">"Ctrl+Enter generates, Escape cancels."</span>
            </div>
            <p id="obstacle" class="help">
                {move || {
                    if state.working() {
                        "An adapter is being generated.".to_owned()
                    } else {
                        obstacle.get().unwrap_or_default()
                    }
                }}
            </p>
            <ProgressBar/>
            <AlertBox alert=state.alert/>
            <p class="message" role="status" aria-label="Messages">
                {move || state.message.get()}
            </p>
            <DeviceStatus/>
            <details>
                <summary>"More"</summary>
                <div class="row">
                    <label for="seed">"Seed"</label>
                    <input
                        id="seed"
                        type="number"
                        min="0"
                        max=LARGEST_SEED.to_string()
                        step="1"
                        aria-describedby="seed-help"
                        prop:value=seed
                        on:input=move |event| read(event_target_value(&event))
                    />
                    <span id="seed-help" class="help">
                        "The same prompts and the same seed give the same adapter."
                    </span>
                </div>
            </details>
        </section>
    }
}
