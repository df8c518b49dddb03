//! The Result card: the generated adapter, its files and its details.

use leptos::prelude::*;

use super::data::{Example, Finished, self_test};
use super::heat_map::heat_map;
use super::state::State;
use super::try_it::TryIt;
use super::{browser, diagnostics, format, link, text_box};
use dnd_web::protocol::{SimilarTask, Stage};

/// Similarity below which the prompts resemble no training task.
const MIN_SIMILARITY: f32 = 0.4;

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
        gguf,
    } = finished;
    let has_gguf = gguf.is_some();
    let read = if report.given > report.read {
        format!("{} of {} prompts", report.read, report.given)
    } else {
        format::prompts(report.given)
    };
    let questions = link::opened_example(state).map(Example::questions);
    let asked = given.to_vec();
    let earlier = Memo::new(move |_| earlier(state, &given, report.seed));
    let is_unlike_all_tasks = report
        .similar
        .first()
        .is_some_and(|task| task.similarity < MIN_SIMILARITY);
    let python = python(&report.base_model);
    // The copy buttons get this signal for their messages, which belong beside them.
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
            {is_unlike_all_tasks
                .then(|| {
                    view! {
                        <p role="note" class="hint">
                            "Your prompts resemble none of the tasks that the generator was \
                            trained on, so expect little."
                        </p>
                    }
                })}
            <div class="row">
                <a class="button main" download="adapter.zip" href=zip.url>
                    "Download adapter (.zip)"
                </a>
                {gguf
                    .map(|gguf| {
                        view! {
                            <a class="button" download="adapter.gguf" href=gguf.url>
                                "Download for llama.cpp (.gguf)"
                            </a>
                        }
                    })}
                <button
                    type="button"
                    on:click=move |_| {
                        // The example may have been changed since the box was last read.
                        text_box::read_box_now(state);
                        let said = format!("Copied. {}", link::link_contents(state));
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
            <TryIt prompts=asked questions=questions.unwrap_or_default()/>
            <p class="help">
                "The archive contains the two files of the adapter and a README. The files \
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
                ", install the dependencies with "
                <code>"pip install torch transformers peft"</code> ", and run this in Python:"
            </p>
            <pre class="program">{python}</pre>
            {has_gguf
                .then(|| {
                    view! {
                        <p class="help">
                            "With llama.cpp, beside a GGUF file of the base model; Ollama takes \
                            the same file by the line " <code>"ADAPTER ./adapter.gguf"</code>
                            " of a Modelfile:"
                        </p>
                        <pre class="program">
                            "llama-cli --model base.gguf --lora adapter.gguf --temp 0 \
                            --single-turn --prompt \"What is the opposite of hot?\""
                        </pre>
                    }
                })}
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

/// A note when the prompts or the seed have changed since the generation.
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
        Some("Made from earlier prompts. Generate again for the current ones.")
    } else if !same_seed {
        Some("Made with an earlier seed. Generate again for the current one.")
    } else {
        None
    }
}

/// Python code that runs the base model with the adapter, as in the README of the archive.
fn python(base_model: &str) -> String {
    // A JSON string is also a valid Python string.
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
        <h3 id="similar-title">"Most similar tasks"</h3>
        <p class="help">
            "Training tasks of the generator, by the similarity of their prompts to yours; 1 is \
            the highest."
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
                    <th scope="row">"Total"</th>
                    <td>{format!("{total:.2} s")}</td>
                </tr>
            </tbody>
        </table>
    }
}
