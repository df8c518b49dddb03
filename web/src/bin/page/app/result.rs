//! The adapter that was generated, and what there is to know about it.

use gloo::file::ObjectUrl;
use js_sys::{Array, Uint8Array};
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Blob, BlobPropertyBag};

use super::heat_map::heat_map;
use super::state::State;
use super::{browser, diagnostics, format, link, prompts};
use dnd_web::protocol::{Report, SelfTest, SimilarTask, Stage};

/// An adapter with its files.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    /// What the worker says about it.
    pub report: Report,
    /// The archive with everything.
    pub zip: Download,
    /// The weights alone.
    pub model: Download,
    /// The configuration alone.
    pub config: Download,
}

/// A file that can be saved.
#[derive(Debug, Clone, PartialEq)]
pub struct Download {
    /// Its address within this page.
    pub url: String,
    /// Its size.
    pub bytes: u64,
}

impl Download {
    /// Makes bytes that came from the worker a file; it is there until the address is dropped.
    pub fn of(bytes: &JsValue, kind: &str) -> Option<(Self, ObjectUrl)> {
        let bytes = bytes.dyn_ref::<Uint8Array>()?;
        let options = BlobPropertyBag::new();
        options.set_type(kind);
        let parts = Array::of1(bytes);
        let blob = Blob::new_with_u8_array_sequence_and_options(&parts, &options).ok()?;
        let url = ObjectUrl::from(blob);
        let download = Self {
            url: url.to_string(),
            bytes: u64::from(bytes.length()),
        };
        Some((download, url))
    }
}

/// Shows the last adapter.
#[component]
pub fn ResultRegion() -> impl IntoView {
    let state = expect_context::<State>();
    move || state.result.get().map(|finished| region(state, finished))
}

fn region(state: State, finished: Finished) -> impl IntoView {
    let Finished {
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
    view! {
        <section class="card result" aria-labelledby="result-title">
            <h2 id="result-title">"Result"</h2>
            <div class="row">
                <a class="button main" download="adapter.zip" href=zip.url>
                    "Download adapter (.zip)"
                </a>
                <button
                    type="button"
                    on:click=move |_| {
                        // The example may have been changed since the box was last read.
                        prompts::look_now(state);
                        browser::copy(link::address(state), state.message, "The link is copied.");
                    }
                >
                    "Copy link"
                </button>
                {diagnostics::copy_button(state)}
            </div>
            <p class="help">
                "The archive holds a README with the three lines that load the adapter in Python. \
                The two files alone: "
                <a download="adapter_model.safetensors" href=model.url>
                    "adapter_model.safetensors"
                </a> ", " <a download="adapter_config.json" href=config.url>
                    "adapter_config.json"
                </a> "."
            </p>
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

/// What the self-test says, for people.
pub fn self_test(test: SelfTest) -> String {
    let verdict = if test.passed() { "passed" } else { "failed" };
    format!(
        "{verdict}: largest difference {:.1e}, at most {:.1e} is trusted",
        test.largest_difference, test.tolerance
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
