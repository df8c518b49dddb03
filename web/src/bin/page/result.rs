//! The adapter that was generated, and what there is to know about it.

use leptos::prelude::*;

use super::data::{Finished, self_test};
use super::heat_map::heat_map;
use super::state::State;
use super::{browser, diagnostics, format, link, text_box};
use dnd_web::protocol::{SimilarTask, Stage};

/// Below this likeness to every training task, the generator has little to go by.
const UNLIKE: f32 = 0.4;

/// Shows the last adapter.
#[component]
pub fn ResultRegion() -> impl IntoView {
    let state = expect_context::<State>();
    move || state.result.get().map(|finished| region(state, finished))
}

fn region(state: State, finished: Finished) -> impl IntoView {
    let Finished {
        prompts: given,
        report,
        zip,
        model,
        config,
    } = finished;
    let read = if report.given > report.read {
        format!("{} of {} prompts", report.read, report.given)
    } else {
        format::prompts(report.given)
    };
    let earlier = Memo::new(move |_| earlier(state, &given, report.seed));
    let resembles_none = report
        .similar
        .first()
        .is_some_and(|task| task.similarity < UNLIKE);
    let python = python(&report.base_model);
    // What the copying buttons have to say belongs beside them, so they get this for the message.
    let copied = RwSignal::new(String::new());
    view! {
        <section class="card result" aria-labelledby="result-title">
            <h2 id="result-title">"Result"</h2>
            {move || {
                earlier.get().map(|note| view! { <p role="note" class="hint">{note}</p> })
            }}
            <p>
                "This generator is an experiment: try the adapter on questions whose answers you \
                know before you rely on it."
            </p>
            {resembles_none
                .then(|| {
                    view! {
                        <p role="note" class="hint">
                            "Your prompts resemble none of the tasks that the generator learned \
                            from, so expect little."
                        </p>
                    }
                })}
            <div class="row">
                <a class="button main" download="adapter.zip" href=zip.url>
                    "Download adapter (.zip)"
                </a>
                <button
                    type="button"
                    on:click=move |_| {
                        // The example may have been changed since the box was last read.
                        text_box::look_now(state);
                        let said = format!("Copied. {}", link::carries(state));
                        browser::copy(link::address(state), copied, said);
                    }
                >
                    "Copy link"
                </button>
                {diagnostics::copy_button(State {
                    message: copied,
                    ..state
                })}
                <span class="message" aria-live="polite">
                    {move || copied.get()}
                </span>
            </div>
            <p class="help">
                "The archive holds the adapter, which is two files, and a README. The two files \
                alone: "
                <a download="adapter_model.safetensors" href=model.url>
                    "adapter_model.safetensors"
                </a> ", " <a download="adapter_config.json" href=config.url>
                    "adapter_config.json"
                </a> "."
            </p>
            <h3>"Use it"</h3>
            <p class="help">
                "Unpack the archive into a folder named " <code>"adapter"</code>
                ", install what is needed with "
                <code>"pip install torch transformers peft"</code> ", and run this in Python:"
            </p>
            <pre class="program">{python}</pre>
            <dl class="facts">
                <dt>"For the model"</dt>
                <dd>{report.base_model}</dd>
                <dt>"Generated from"</dt>
                <dd>{read}</dd>
                <dt>"Seed"</dt>
                <dd>{report.seed}</dd>
                <dt>"Size"</dt>
                <dd>
                    {format!(
                        "{} (archive), {} (weights)",
                        format::size(zip.bytes),
                        format::size(model.bytes),
                    )}
                </dd>
                <dt>"SHA-256 of the weights"</dt>
                <dd class="code">{report.sha256}</dd>
                <dt>"SHA-256 of the archive"</dt>
                <dd class="code">{report.zip_sha256}</dd>
                <dt>"Self-test of the device"</dt>
                <dd>{move || state.self_test.get().map(self_test)}</dd>
            </dl>
            <div class="columns">
                <div>{heat_map(report.heat_map)}</div>
                <div>{similar(report.similar)} {timings(report.timings)}</div>
            </div>
        </section>
    }
}

/// Says so when the adapter does not belong to what stands on the page now.
fn earlier(state: State, given: &[String], seed: u64) -> Option<&'static str> {
    let same_prompts = state.prompts.with(|present| {
        present
            .as_ref()
            .is_ok_and(|present| present.as_slice() == given)
    });
    let same_seed = state
        .seed
        .with(|present| present.as_ref().is_ok_and(|present| *present == seed));
    if !same_prompts {
        Some("Made from earlier prompts. Generate again for the present ones.")
    } else if !same_seed {
        Some("Made with an earlier seed. Generate again for the present one.")
    } else {
        None
    }
}

/// A program that asks the base model with the adapter, as in the README of the archive.
fn python(base_model: &str) -> String {
    // A JSON string is a string of Python too, whatever the name.
    let name = serde_json::Value::from(base_model);
    format!(
        r#"from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

name = {name}
tokenizer = AutoTokenizer.from_pretrained(name)
model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(name), "adapter")
messages = [{{"role": "user", "content": "What is the opposite of hot?"}}]
inputs = tokenizer.apply_chat_template(
    messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)
output = model.generate(**inputs, max_new_tokens=64, do_sample=False)
print(tokenizer.decode(output[0][inputs["input_ids"].shape[1]:], skip_special_tokens=True))"#
    )
}

fn similar(tasks: Vec<SimilarTask>) -> impl IntoView {
    if tasks.is_empty() {
        return None;
    }
    let items = tasks
        .into_iter()
        .map(|task| {
            view! {
                <li>
                    {task.name} " "
                    <span class="help">{format!("{:.2}", task.similarity)}</span>
                </li>
            }
        })
        .collect_view();
    Some(view! {
        <h3 id="similar-title">"Resembles most"</h3>
        <p class="help">
            "Tasks that the generator learned from, by the likeness of their prompts to yours; 1 \
            is the same."
        </p>
        <ol aria-labelledby="similar-title">{items}</ol>
    })
}

fn timings(timings: Vec<(Stage, f64)>) -> impl IntoView {
    let total: f64 = timings.iter().map(|(_, seconds)| seconds).sum();
    let rows = timings
        .into_iter()
        .map(|(stage, seconds)| {
            view! {
                <tr>
                    <th scope="row">{stage.name()}</th>
                    <td>{format!("{seconds:.2} s")}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <table class="timings">
            <caption>"Timings"</caption>
            <tbody>
                {rows} <tr>
                    <th scope="row">"Together"</th>
                    <td>{format!("{total:.2} s")}</td>
                </tr>
            </tbody>
        </table>
    }
}
