//! The progress bar of a generation, over all stages.

use leptos::prelude::*;

use super::data::GenerationProgress;
use super::state::State;

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
            </div>
        </Show>
    }
}
