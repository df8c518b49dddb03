//! How far a generation is: one bar over all stages.

use leptos::prelude::*;

use super::data::Course;
use super::state::State;

/// The bar; there while an adapter is generated.
#[component]
pub fn ProgressBar() -> impl IntoView {
    let state = expect_context::<State>();
    let percent = move || state.course.with(|c| c.as_ref().map_or(0, Course::percent));
    let text = move || {
        state
            .course
            .with(|c| c.as_ref().map(Course::text).unwrap_or_default())
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
