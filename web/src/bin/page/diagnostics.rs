//! Diagnostics for bug reports. They contain no prompts.

use std::fmt::Write;

use leptos::prelude::*;

use super::state::State;
use super::{browser, data};

/// The diagnostics as lines of text.
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
    if let Some(course) = state.progress.get() {
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
    // Only failures of the worker: messages about files and examples may quote prompts.
    if let Some(alert) = state.alert.get() {
        add("failure", alert.text);
    }
    lines
}

/// A button that copies the diagnostics and reports the result in the message.
pub fn copy_button(state: State) -> impl IntoView {
    view! {
        <button
            type="button"
            on:click=move |_| {
                browser::copy(
                    untrack(|| text(state)),
                    state.message,
                    "Diagnostics copied.",
                )
            }
        >
            "Copy diagnostics"
        </button>
    }
}

/// The diagnostics. The copy button is here only while there is no result, which has one too.
#[component]
pub fn Diagnostics() -> impl IntoView {
    let state = expect_context::<State>();
    // Shown beside the button, because the page's message is far above.
    let copied = RwSignal::new(String::new());
    view! {
        <section class="card" aria-labelledby="diagnostics-title">
            <h2 id="diagnostics-title">"Diagnostics"</h2>
            <details>
                <summary>"Details for a bug report (without your prompts)"</summary>
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
