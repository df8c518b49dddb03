//! The Leptos application. The worker does all the computing.

mod about;
mod alert;
mod base_model;
mod browser;
mod check;
mod client;
mod data;
mod device;
mod diagnostics;
mod files;
mod format;
mod generate;
mod link;
mod memory;
mod package;
mod preview;
mod progress;
mod prompts;
mod result;
mod state;
mod storage;
mod text_box;
mod try_it;

use leptos::prelude::*;

use about::About;
use base_model::BaseModel;
use client::Client;
use diagnostics::Diagnostics;
use generate::Generate;
use preview::Preview;
use prompts::Prompts;
use result::ResultRegion;
use state::State;
use storage::StoredModels;

/// Shows the page and starts its worker.
pub fn start() {
    console_error_panic_hook::set_once();
    mount_to_body(App);
    browser::register_service_worker();
}

/// The whole page.
#[component]
fn App() -> impl IntoView {
    let wanted = link::read();
    let state = State::new(&wanted);
    let client = Client::new(state);
    provide_context(state);
    provide_context(client);
    provide_context(BaseModel::new(state));

    text_box::restore(state);
    state
        .seed
        .set(Ok(wanted.seed.or_else(memory::seed).unwrap_or_default()));
    if let Some(text) = link::prompts() {
        text_box::replace_unsaved(state, &text);
    } else if let Some(example) = wanted.example {
        files::open_example(state, example, true);
    }
    client.open();
    let base_model = move || {
        let chosen = state.files.with(|files| files.as_ref()?.model.clone());
        let name = chosen.or_else(|| state.model.get_value());
        let last = name.as_ref().and_then(|name| name.rsplit('/').next());
        last.unwrap_or("SmolLM2-135M-Instruct").to_owned()
    };

    view! {
        <main
            class:dropping=move || state.dropping.get()
            on:dragover=move |event| files::allow_drop(state, &event)
            on:dragleave=move |_| state.dropping.set(false)
            on:drop=move |event| files::drop(state, &event)
        >
            <header class="top">
                <h1>"A small language model that does your task"</h1>
                <p class="lead">
                    "Paste some prompts of your task, without answers. DnD makes an adapter for "
                    {base_model}
                    " from them, and you can try it at once. Everything is computed on this \
                    device; nothing is uploaded."
                </p>
            </header>
            <div class="columns">
                <div>
                    <Prompts/>
                    <Generate/>
                </div>
                <Preview/>
            </div>
            <ResultRegion/>
            <About/>
            <StoredModels/>
            <Diagnostics/>
        </main>
    }
}
