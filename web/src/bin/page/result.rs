//! The Result card: the generated adapter, its files and its details.

use dnd_adapter::peft;
use leptos::html;
use leptos::prelude::*;

use super::data::{Example, Finished, self_test};
use super::state::State;
use super::try_it::TryIt;
use super::{browser, diagnostics, format, link, text_box};
use dnd_web::protocol::{SimilarTask, Stage};

/// Shows the last adapter.
#[component]
pub fn ResultRegion() -> impl IntoView {
    let state = expect_context::<State>();
    move || state.result.get().map(|finished| region(state, finished))
}

fn region(state: State, finished: Finished) -> impl IntoView {
    let Finished {
        prompts: given,
        example,
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
    let question = peft::example_question(&given).to_owned();
    let name = example.map_or_else(|| slug(&question), |example| example.link.to_owned());
    let questions = example.map(Example::questions).unwrap_or_default();
    // The programs ask what the panel asks.
    let input = questions.first().and_then(|first| first.input.clone());
    let asks = Memo::new(move |_| match &input {
        Some(input) if state.is_bare.get() => input.clone(),
        _ => question.clone(),
    });
    let base_model = report.base_model.clone();
    let python = move || peft::python_example(&base_model, "adapter", &asks.get());
    let llama = move || peft::llama_example(&asks.get());
    let asked = given.to_vec();
    let earlier = Memo::new(move |_| earlier(state, &given, report.seed));
    // The copy buttons get this signal for their messages, which belong beside them.
    let copied = RwSignal::new(String::new());
    let title = NodeRef::<html::H2>::new();
    Effect::new(move |_| {
        if let Some(title) = title.get()
            && focus_is_free()
        {
            _ = title.focus();
        }
    });
    view! {
        <section class="card result" aria-labelledby="result-title">
            <h2 id="result-title" tabindex="-1" node_ref=title>
                "Result"
            </h2>
            {move || {
                earlier.get().map(|note| view! { <p role="note" class="hint">{note}</p> })
            }}
            {report.doubt.map(|doubt| view! { <p role="note" class="hint">{doubt}</p> })}
            <TryIt prompts=asked questions=questions/>
            <h3>"Take it with you"</h3>
            <p class="help">
                "This generator is an experiment: try the adapter on questions whose answers you \
                know before you rely on it."
            </p>
            <div class="row">
                <a class="button main" download=format!("{name}-adapter.zip") href=zip.url>
                    "Download adapter (.zip)"
                </a>
                {gguf
                    .map(|gguf| {
                        view! {
                            <a class="button" download=format!("{name}-adapter.gguf") href=gguf.url>
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
                <button
                    type="button"
                    on:click=move |_| {
                        text_box::read_box_now(state);
                        match link::address_with_prompts(state) {
                            Some(address) => {
                                let said = "Copied. The link carries your prompts: whoever has it \
                                    can read them.";
                                browser::copy(address, copied, said);
                            }
                            None => copied.set("These prompts are too long for a link.".to_owned()),
                        }
                    }
                >
                    "Copy link with prompts"
                </button>
                <span class="message" aria-live="polite">
                    {move || copied.get()}
                </span>
            </div>
            <details>
                <summary>"Python: transformers and peft"</summary>
                <p>
                    "Unpack the archive into a folder named " <code>"adapter"</code>
                    ", install " <code>"pip install torch transformers peft"</code> ", and run:"
                </p>
                <pre class="program">{python}</pre>
                <p class="help">
                    "The files alone: " <a download="adapter_model.safetensors" href=model.url>
                        "adapter_model.safetensors"
                    </a> ", " <a download="adapter_config.json" href=config.url>
                        "adapter_config.json"
                    </a> "."
                </p>
            </details>
            {has_gguf
                .then(|| {
                    view! {
                        <details>
                            <summary>"llama.cpp and Ollama"</summary>
                            <p>
                                "Put the adapter beside a GGUF file of the base model, as "
                                <code>"adapter.gguf"</code> ". Ollama takes it by the line "
                                <code>"ADAPTER ./adapter.gguf"</code> " of a Modelfile."
                            </p>
                            <pre class="program">{llama}</pre>
                        </details>
                    }
                })}
            <details>
                <summary>"About this adapter"</summary>
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
                <div class="columns even">
                    <div>{similar(report.similar)}</div>
                    <div>{timings(report.timings)}</div>
                </div>
                {diagnostics::copy_button(State {
                    message: copied,
                    ..state
                })}
            </details>
        </section>
    }
}

/// Whether moving the focus disturbs nobody: it is on the page as a whole, or on a button.
fn focus_is_free() -> bool {
    document()
        .active_element()
        .is_none_or(|element| matches!(element.local_name().as_str(), "body" | "button"))
}

/// The first words of a text as a part of a file name.
fn slug(text: &str) -> String {
    const WORDS: usize = 4;
    let words = text
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(WORDS);
    let name = words.collect::<Vec<_>>().join("-").to_lowercase();
    if name.is_empty() {
        "my".to_owned()
    } else {
        name
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
