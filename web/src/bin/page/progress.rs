//! The progress bar of a generation, over all stages.

use gloo::timers::callback::Timeout;
use leptos::prelude::*;

use super::data::GenerationProgress;
use super::state::State;

/// Milliseconds after which a download that stands still is mentioned.
const PATIENCE: u32 = 5_000;

/// The bar, shown while an adapter is generated.
#[component]
pub fn ProgressBar() -> impl IntoView {
    let state = expect_context::<State>();
    let percent = move || {
        state
            .progress
            .with(|c| c.as_ref().map_or(0, GenerationProgress::percent))
    };
    let text = move || {
        state
            .progress
            .with(|c| c.as_ref().map(GenerationProgress::text).unwrap_or_default())
    };
    let downloads = move || {
        state
            .progress
            .with(|course| course.as_ref().is_some_and(GenerationProgress::downloads))
    };
    view! {
        <Show when=move || state.working()>
            <div class="progress">
                <div
                    class="bar"
                    role="progressbar"
                    aria-label="Progress"
                    aria-valuemin="0"
                    aria-valuemax="100"
                    aria-valuenow=move || percent().to_string()
                    aria-valuetext=text
                >
                    <div class="fill" style:width=move || format!("{}%", percent())></div>
                </div>
                <p class="stage" aria-hidden="true">
                    <span>{text}</span>
                    <span>{move || format!("{} %", percent())}</span>
                </p>
                {stall_note(downloads)}
            </div>
        </Show>
    }
}

/// A note when a download sends no progress for a while. `downloads` is read anew at each progress.
pub fn stall_note(downloads: impl Fn() -> bool + 'static) -> impl IntoView {
    let is_still = RwSignal::new(false);
    let timer = StoredValue::new_local(None::<Timeout>);
    Effect::new(move |_| {
        let later = downloads().then(|| Timeout::new(PATIENCE, move || is_still.set(true)));
        is_still.set(false);
        timer.set_value(later);
    });
    move || {
        is_still.get().then(|| {
            view! {
                <p role="note" class="help">
                    "Nothing has come for 5 seconds. The page goes on waiting; what has come is \
                    kept."
                </p>
            }
        })
    }
}
