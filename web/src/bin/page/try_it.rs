//! The panel "Try it": the base model answers without and with the adapter.

use leptos::prelude::*;

use super::alert::AlertBox;
use super::base_model::{BaseModel, Phase, Piece};
use super::check::Check;
use super::data::Question;
use super::format;
use super::progress::stall_note;
use super::state::State;
use dnd_web::protocol::{Answered, Decoding, Stage};

/// Maximum length of an answer, in tokens.
const LONGEST: usize = 64;
/// Prompts of the visitor's own that are offered as questions.
const OFFERED: usize = 3;

/// Greedy decoding of at most [`LONGEST`] tokens.
pub const GREEDY: Decoding = Decoding {
    max_tokens: LONGEST,
    temperature: 0.0,
    top_p: 0.95,
    seed: 0,
};

/// An answer so far.
#[derive(Clone, Copy)]
struct Answer {
    text: RwSignal<String>,
    is_pending: RwSignal<bool>,
    done: RwSignal<Option<Answered>>,
}

impl Answer {
    fn new() -> Self {
        Self {
            text: RwSignal::new(String::new()),
            is_pending: RwSignal::new(false),
            done: RwSignal::new(None),
        }
    }

    /// Asks the base model. The panel may be gone when it answers.
    fn ask(self, base: BaseModel, prompt: String, adapted: bool, decoding: Decoding) {
        self.text.set(String::new());
        self.done.set(None);
        self.is_pending.set(true);
        base.ask(prompt, adapted, decoding, move |piece| match piece {
            Piece::Text(new) => _ = self.text.try_update(|text| text.push_str(new)),
            Piece::Done(answered) => {
                _ = self.done.try_set(Some(answered));
                _ = self.is_pending.try_set(false);
            }
            Piece::Failed => _ = self.is_pending.try_set(false),
        });
    }

    /// Length and speed, once it is complete.
    fn about(self) -> Option<String> {
        self.done.get().map(|done| {
            let tokens = match done.tokens {
                1 => "1 token".to_owned(),
                count => format!("{count} tokens"),
            };
            let speed = done.rate.map(|rate| format!(", {rate:.0} tokens/s"));
            let end = match (done.stopped, done.ended) {
                (true, _) => ", stopped",
                (false, false) => ", cut",
                _ => "",
            };
            format!(
                "{tokens}, first after {:.1} s{}{end}",
                done.first,
                speed.unwrap_or_default()
            )
        })
    }

    fn view(self, title: &'static str) -> impl IntoView {
        view! {
            <div class="answer">
                <h4>{title}</h4>
                <p class="said" dir="auto">
                    {move || self.text.get()}
                </p>
                <p class="help">{move || self.about()}</p>
            </div>
        }
    }
}

/// The panel. `prompts` are those that the adapter was made from.
#[component]
pub fn TryIt(
    /// The prompts of the adapter.
    prompts: Vec<String>,
    /// New questions of the task, if it is an example.
    questions: Vec<Question>,
) -> impl IntoView {
    let state = expect_context::<State>();
    let base = expect_context::<BaseModel>();
    let (question, is_bare) = (state.question, state.is_bare);
    let temperature = RwSignal::new(0.0f32);
    let (without, with) = (Answer::new(), Answer::new());
    let is_asking = move || without.is_pending.get() || with.is_pending.get();
    on_cleanup(move || base.stop());

    let has_inputs = questions.iter().any(|question| question.input.is_some());
    let offered: Vec<Question> = if questions.is_empty() {
        let own = prompts.iter().take(OFFERED);
        own.map(|prompt| Question {
            prompt: prompt.clone(),
            input: None,
        })
        .collect()
    } else {
        questions
    };
    let ask = move || {
        let text = question.get_untracked().trim().to_owned();
        if text.is_empty() || untrack(|| base.is_busy()) {
            return;
        }
        let decoding = Decoding {
            temperature: temperature.get_untracked(),
            ..GREEDY
        };
        // The adapter first: its answer is what the visitor came for.
        with.ask(base, text.clone(), true, decoding);
        without.ask(base, text, false, decoding);
    };
    let asked = offered
        .into_iter()
        .map(|offered| {
            let shown = offered.clone();
            let text = move |question: &Question| match &question.input {
                Some(input) if is_bare.get() => input.clone(),
                _ => question.prompt.clone(),
            };
            view! {
                <button
                    type="button"
                    class="quiet"
                    aria-disabled=move || base.is_busy().then_some("true")
                    on:click=move |_| {
                        if !untrack(|| base.is_busy()) {
                            question.set(untrack(|| text(&offered)));
                            ask();
                        }
                    }
                >
                    {move || text(&shown)}
                </button>
            }
        })
        .collect_view();
    let ways = has_inputs.then(|| {
        let way = |bare: bool, label: &'static str| {
            view! {
                <label class="way">
                    <input
                        type="radio"
                        name="way"
                        prop:checked=move || is_bare.get() == bare
                        on:change=move |_| is_bare.set(bare)
                    />
                    {label}
                </label>
            }
        };
        view! {
            <fieldset class="row ways">
                <legend>"Ask with"</legend>
                {way(false, "the whole prompt")}
                {way(true, "the input alone, since the task is in the adapter")}
            </fieldset>
        }
    });
    let size = move || {
        let files = state.files.get().unwrap_or_default();
        let missing = files.base_total.saturating_sub(files.base_stored);
        (base.phase.get() != Phase::Open && missing > 0).then(|| {
            format!(
                "Asking fetches the base model once: {} MB.",
                format::megabytes(missing)
            )
        })
    };
    view! {
        <section aria-labelledby="try-title" class="try">
            <h3 id="try-title">"Try it"</h3>
            <p class="help">
                "The base model answers without and with the adapter, on this device. " {size}
                {move || base.gpu.get().map(|name| format!(" They are computed on the {name}."))}
            </p>
            {ways}
            <div class="examples" role="group" aria-labelledby="questions-title">
                <span id="questions-title">
                    {if has_inputs { "New questions" } else { "Your prompts" }}
                </span>
                {asked}
            </div>
            <form
                class="row"
                on:submit=move |event| {
                    event.prevent_default();
                    ask();
                }
            >
                <label for="question">"Ask"</label>
                <input
                    id="question"
                    type="text"
                    class="question"
                    autocomplete="off"
                    prop:value=move || question.get()
                    on:input=move |event| question.set(event_target_value(&event))
                />
                <button
                    type="submit"
                    class="main"
                    aria-disabled=move || base.is_busy().then_some("true")
                    disabled=move || question.with(|text| text.trim().is_empty())
                >
                    "Ask both"
                </button>
                <Show when=is_asking>
                    <button type="button" on:click=move |_| base.stop()>
                        "Stop"
                    </button>
                </Show>
            </form>
            <p class="stage" role="status" aria-label="The base model">
                {move || opening(base.phase.get())}
            </p>
            {stall_note(move || {
                matches!(
                    base.phase.get(),
                    Phase::Opening(Some(progress)) if progress.stage == Stage::Download
                )
            })}
            <AlertBox alert=base.alert/>
            <div class="columns even">
                {without.view("Without the adapter")} {with.view("With the adapter")}
            </div>
            <details>
                <summary>"Decoding"</summary>
                <div class="row">
                    <label for="temperature">"Temperature"</label>
                    <input
                        id="temperature"
                        type="number"
                        min="0"
                        max="2"
                        step="0.1"
                        value="0"
                        aria-describedby="temperature-help"
                        on:input=move |event| {
                            let value = event_target_value(&event).parse().unwrap_or(0.0);
                            temperature.set(f32::clamp(value, 0.0, 2.0));
                        }
                    />
                    <span id="temperature-help" class="help">
                        {format!(
                            "0 takes the most likely token; above, tokens are drawn from the most \
                            likely 95 %. Answers end after {LONGEST} tokens.",
                        )}
                    </span>
                </div>
            </details>
            <Check/>
        </section>
    }
}

/// What is being done before the base model answers.
fn opening(phase: Phase) -> String {
    let Phase::Opening(progress) = phase else {
        return String::new();
    };
    let Some(now) = progress else {
        return "Starting".to_owned();
    };
    match now.stage {
        Stage::Download => {
            let speed = now.speed.map_or(String::new(), |speed| {
                format!(", {} MB/s", format::megabytes(speed as u64))
            });
            format!(
                "Download {} of {} MB{speed}",
                format::megabytes(now.done),
                format::megabytes(now.total)
            )
        }
        stage => stage.name().to_owned(),
    }
}
