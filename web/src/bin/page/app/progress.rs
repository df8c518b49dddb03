//! How far a generation is: one bar over all stages.

use leptos::prelude::*;

use super::format;
use super::state::State;
use dnd_web::protocol::{Progress, Stage};

/// About how long a stage takes, compared with the others.
fn weight(stage: Stage, fetches: bool) -> f64 {
    match stage {
        Stage::Download if fetches => 40.0,
        Stage::Download => 0.0,
        Stage::Verify => 5.0,
        Stage::Upload => 5.0,
        Stage::Compile => 10.0,
        Stage::Encode => 40.0,
        Stage::Decode => 15.0,
        Stage::Pack => 5.0,
    }
}

/// The course of a generation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Course {
    fetches: bool,
    percent: f64,
    last: Option<Progress>,
}

impl Course {
    /// A generation that begins, with something to download or not.
    pub fn new(fetches: bool) -> Self {
        Self {
            fetches,
            percent: 0.0,
            last: None,
        }
    }

    /// Takes in what the worker says. The bar never goes back.
    pub fn advance(&mut self, progress: Progress) {
        let part = if progress.total == 0 {
            0.0
        } else {
            (progress.done as f64 / progress.total as f64).min(1.0)
        };
        let fetches = self.fetches;
        let sum =
            |stages: &[Stage]| -> f64 { stages.iter().map(|&stage| weight(stage, fetches)).sum() };
        let place = Stage::ALL.iter().position(|&stage| stage == progress.stage);
        let before = sum(&Stage::ALL[..place.unwrap_or_default()]);
        let done = before + part * weight(progress.stage, fetches);
        self.percent = self.percent.max(100.0 * done / sum(&Stage::ALL));
        self.last = Some(progress);
    }

    /// Whole percent over all stages.
    pub fn percent(&self) -> u32 {
        self.percent.clamp(0.0, 100.0) as u32
    }

    /// Stage and amount, for people.
    pub fn text(&self) -> String {
        let Some(now) = self.last else {
            return "Starting".to_owned();
        };
        let name = now.stage.name();
        match now.stage {
            _ if now.total == 0 => name.to_owned(),
            Stage::Download | Stage::Verify => {
                let done = format::megabytes(now.done);
                let total = format::megabytes(now.total);
                let speed = now
                    .speed
                    .map(|speed| format!(", {} MB/s", format::megabytes(speed as u64)))
                    .unwrap_or_default();
                format!("{name} {done} of {total} MB{speed}")
            }
            Stage::Encode => format!("{name} {} of {} prompts", now.done, now.total),
            _ => name.to_owned(),
        }
    }
}

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
