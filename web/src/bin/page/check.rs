//! Checks an adapter on lines whose answers are known.

use js_sys::Uint8Array;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsValue;
use web_sys::HtmlInputElement;

use gloo::file::ObjectUrl;

use super::alert::{Alert, AlertBox};
use super::base_model::{BaseModel, Piece};
use super::data::Download;
use super::state::State;
use super::try_it::GREEDY;
use super::{files, format};
use dnd_adapter::prompts;
use dnd_adapter::score::{interval, is_right};
use dnd_web::protocol::Decoding;

/// Maximum length of an answer, in tokens.
const LONGEST: usize = 32;
/// More lines would take minutes, and make the table slow.
const MOST_LINES: usize = 500;
const PLACEHOLDER: &str = "What is the opposite of fast? => slow\nopposite of wide => narrow";

/// One line of the table.
#[derive(Clone, Copy)]
struct Row {
    prompt: StoredValue<String>,
    wanted: StoredValue<String>,
    /// Text, and whether it is right: without the adapter, and with it.
    answers: [RwSignal<Option<(String, bool)>>; 2],
}

impl Row {
    fn new((prompt, wanted): (String, String)) -> Self {
        Self {
            prompt: StoredValue::new(prompt),
            wanted: StoredValue::new(wanted),
            answers: [(); 2].map(|()| RwSignal::new(None)),
        }
    }

    /// Asks the base model, with the adapter if `place` is one. `done` is called at the end.
    fn ask(self, base: BaseModel, place: usize, done: impl Fn() + 'static) {
        let decoding = Decoding {
            max_tokens: LONGEST,
            ..GREEDY
        };
        let prompt = self.prompt.get_value();
        let mut answer = String::new();
        base.ask(prompt, place == 1, decoding, move |piece| match piece {
            Piece::Text(new) => answer.push_str(new),
            Piece::Done(answered) => {
                if !answered.stopped {
                    let wanted = self.wanted.try_get_value().unwrap_or_default();
                    let right = is_right(&answer, answered.ended, &wanted);
                    let answer = answer.trim().to_owned();
                    _ = self.answers[place].try_set(Some((answer, right)));
                }
                done();
            }
            Piece::Failed => done(),
        });
    }
}

/// Lines, button, table and scores.
#[component]
pub fn Check() -> impl IntoView {
    let base = expect_context::<BaseModel>();
    let state = expect_context::<State>();
    let text = state.lines;
    let mistake = RwSignal::new(None::<Alert>);
    let rows = RwSignal::new(Vec::<Row>::new());
    // Answers that are waited for.
    let waiting = RwSignal::new(0usize);
    let is_checking = move || waiting.get() > 0;
    let file = StoredValue::new_local(None::<ObjectUrl>);

    let check = move || {
        if untrack(|| base.is_busy()) {
            return;
        }
        let name = "lines";
        let read = text.with_untracked(|text| {
            let read = prompts::parse(text, "", name);
            read.and_then(|read| prompts::with_answers(&read, name))
        });
        match read {
            Ok(lines) if lines.len() > MOST_LINES => {
                let found = lines.len();
                let text = format!(
                    "Expected at most {MOST_LINES} lines, found {found}. `dnd eval --lines` takes \
                     any number."
                );
                mistake.set(Some(text.into()));
            }
            Ok(lines) => {
                mistake.set(None);
                let asked: Vec<Row> = lines.into_iter().map(Row::new).collect();
                waiting.set(2 * asked.len());
                rows.set(asked.clone());
                for row in asked {
                    for place in [1, 0] {
                        row.ask(base, place, move || {
                            _ = waiting.try_update(|count| *count = count.saturating_sub(1));
                        });
                    }
                }
            }
            Err(error) => mistake.set(Some(format::sentence(&error.to_string()).into())),
        }
    };
    let open = move |chosen: web_sys::File| {
        spawn_local(async move {
            match files::read_text(chosen).await {
                Ok(read) => {
                    mistake.set(None);
                    text.set(read);
                }
                Err(reason) => mistake.set(Some(reason.into())),
            }
        });
    };
    let share = move |place: usize| {
        rows.with(|rows| {
            let marks = rows.iter().filter_map(|row| row.answers[place].get());
            let marks: Vec<bool> = marks.map(|(_, right)| right).collect();
            let (right, total) = (marks.iter().filter(|&&right| right).count(), marks.len());
            let [low, high] = interval(right, total);
            (total > 0).then(|| {
                let percent = 100.0 * right as f64 / total as f64;
                format!("{right} of {total} right, {percent:.0} % [{low:.0}, {high:.0}]")
            })
        })
    };
    let save = move || {
        let mut table = csv::Writer::from_writer(Vec::new());
        // Writing to memory cannot fail.
        _ = table.write_record(["prompt", "expected", "without", "right", "with", "right"]);
        rows.with_untracked(|rows| {
            for row in rows {
                let answers = row.answers.map(|answer| answer.get_untracked());
                // What was not answered is neither right nor wrong.
                let [without, with] = answers.map(|answer| match answer {
                    Some((text, right)) => (text, if right { "1" } else { "0" }),
                    None => (String::new(), ""),
                });
                let (prompt, wanted) = (row.prompt.get_value(), row.wanted.get_value());
                _ = table.write_record([&*prompt, &wanted, &without.0, without.1, &with.0, with.1]);
            }
        });
        let bytes = JsValue::from(Uint8Array::from(&table.into_inner().ok()?[..]));
        let (download, url) = Download::of(&bytes, "text/csv")?;
        file.set_value(Some(url));
        Some(download.url)
    };
    view! {
        <details
            class="check"
            on:drop=move |event| {
                // Elsewhere on the page, a file holds prompts.
                if let Some(file) = files::dropped(&event) {
                    event.stop_propagation();
                    state.dropping.set(false);
                    open(file);
                }
            }
        >
            <summary>"Check it on lines with answers"</summary>
            <p class="help">
                "One line each, as " <code>"prompt => answer"</code>
                ", or a table or JSON with a column " <code>"answer"</code>
                ". The generator never reads the answers: they are only compared with what the \
                model says."
            </p>
            <label for="lines">"Lines with answers"</label>
            <textarea
                id="lines"
                rows="5"
                dir="auto"
                spellcheck="false"
                placeholder=PLACEHOLDER
                prop:value=move || text.get()
                on:input=move |event| text.set(event_target_value(&event))
            ></textarea>
            <div class="row">
                <button
                    type="button"
                    aria-disabled=move || base.is_busy().then_some("true")
                    disabled=move || text.with(|text| text.trim().is_empty())
                    on:click=move |_| check()
                >
                    "Check"
                </button>
                <Show when=is_checking>
                    <button type="button" on:click=move |_| base.stop()>
                        "Cancel check"
                    </button>
                </Show>
                <input
                    id="lines-file"
                    type="file"
                    class="unseen"
                    accept=".txt,.jsonl,.ndjson,.json,.csv,.tsv"
                    on:change=move |event| {
                        let input: HtmlInputElement = event_target(&event);
                        if let Some(file) = input.files().and_then(|files| files.get(0)) {
                            open(file);
                        }
                        input.set_value("");
                    }
                />
                <label for="lines-file" class="button">
                    "Choose a file with answers"
                </label>
            </div>
            <AlertBox alert=mistake/>
            <p class="stage" role="status" aria-label="About the check">
                {move || {
                    let total = 2 * rows.with(Vec::len);
                    is_checking().then(|| format!("{} of {total} answers", total - waiting.get()))
                }}
            </p>
            <Show when=move || rows.with(|rows| !rows.is_empty())>
                <div class="scroll" tabindex="0" role="region" aria-label="Checked lines">
                    <table class="lines">
                        <thead>
                            <tr>
                                <th scope="col">"Question"</th>
                                <th scope="col">"Wanted"</th>
                                <th scope="col">"Without"</th>
                                <th scope="col">"With"</th>
                            </tr>
                        </thead>
                        <tbody>
                            {move || {
                                rows.get()
                                    .into_iter()
                                    .map(|row| {
                                        view! {
                                            <tr>
                                                <td dir="auto">{row.prompt.get_value()}</td>
                                                <td dir="auto">{row.wanted.get_value()}</td>
                                                {row
                                                    .answers
                                                    .map(|answer| {
                                                        view! {
                                                            <td dir="auto">
                                                                {move || marked(answer.get())}
                                                            </td>
                                                        }
                                                    })}
                                            </tr>
                                        }
                                    })
                                    .collect_view()
                            }}
                        </tbody>
                        <tfoot>
                            <tr>
                                <th scope="row" colspan="2">
                                    "Exact match, with its 95 % interval"
                                </th>
                                <td>{move || share(0)}</td>
                                <td>{move || share(1)}</td>
                            </tr>
                        </tfoot>
                    </table>
                </div>
                <Show when=move || !is_checking()>
                    <p>
                        <a download="checked.csv" href=save>
                            "Download as CSV"
                        </a>
                    </p>
                </Show>
            </Show>
        </details>
    }
}

/// An answer behind its mark.
fn marked(answer: Option<(String, bool)>) -> Option<impl IntoView> {
    answer.map(|(text, right)| {
        let (mark, name) = if right {
            ("\u{2713} ", "right: ")
        } else {
            ("\u{2717} ", "wrong: ")
        };
        view! {
            <span aria-hidden="true">{mark}</span>
            <span class="unseen">{name}</span>
            {text}
        }
    })
}
