//! Facts that help to find out why something fails. Prompts are not among them.

use std::fmt::Write;

use leptos::prelude::*;

use super::state::State;
use super::{browser, data};

/// All facts as lines of text.
fn text(state: State) -> String {
    let mut lines = format!("DnD page {}\n", env!("CARGO_PKG_VERSION"));
    let mut add = |name: &str, value: String| _ = writeln!(lines, "{name}: {value}");
    add(
        "browser",
        window().navigator().user_agent().unwrap_or_default(),
    );
    add("device wanted", state.choice.name().to_owned());
    if let Some(device) = state.device.get() {
        add("device", device.name);
        if let Some(note) = device.note {
            add("note", note);
        }
        for (name, value) in device.details {
            add(&name, value);
        }
    }
    if let Some(test) = state.self_test.get() {
        add("self-test", data::self_test(test));
    }
    if let Some(files) = state.files.get() {
        add(
            "models",
            format!("{} of {} bytes stored", files.stored, files.total),
        );
        if let Some(reason) = files.not_stored {
            add("not stored", reason);
        }
    }
    add(
        "prompts",
        state.review.with(|review| review.count).to_string(),
    );
    if let Some(course) = state.course.get() {
        add(
            "working",
            format!("{}, {} %", course.text(), course.percent()),
        );
    }
    state.result.with(|finished| {
        if let Some(finished) = finished {
            add("seed", finished.report.seed.to_string());
            add("sha256", finished.report.sha256.clone());
            add("workers", finished.report.workers.to_string());
            for (stage, seconds) in &finished.report.timings {
                add(stage.name(), format!("{seconds:.3} s"));
            }
        }
    });
    // Failures of the worker alone: what is said about files and examples may quote prompts.
    if let Some(sentence) = state.alert.get() {
        add("failure", sentence);
    }
    lines
}

/// The button that copies them; the message says what became of it.
pub fn copy_button(state: State) -> impl IntoView {
    view! {
        <button
            type="button"
            on:click=move |_| {
                browser::copy(
                    untrack(|| text(state)),
                    state.message,
                    "The diagnostics are copied.",
                )
            }
        >
            "Copy diagnostics"
        </button>
    }
}

/// The facts. The result has a button to copy them; without a result it stands here.
#[component]
pub fn Diagnostics() -> impl IntoView {
    let state = expect_context::<State>();
    // Said beside the button; the page's message is far above.
    let copied = RwSignal::new(String::new());
    view! {
        <section class="card" aria-labelledby="diagnostics-title">
            <h2 id="diagnostics-title">"Diagnostics"</h2>
            <details>
                <summary>"Facts for a bug report (your prompts are not among them)"</summary>
                <div class="scroll" role="region" tabindex="0" aria-label="Facts">
                    <pre>{move || text(state)}</pre>
                </div>
            </details>
            <Show when=move || state.result.with(Option::is_none)>
                <div class="row">
                    {copy_button(State {
                        message: copied,
                        ..state
                    })}
                    <span class="message" aria-live="polite">
                        {move || copied.get()}
                    </span>
                </div>
            </Show>
        </section>
    }
}
