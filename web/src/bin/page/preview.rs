//! The preview: the prompts as parsed from the box.

use leptos::prelude::*;

use super::format;
use super::state::State;
use dnd_web::review::READ;

/// Rows shown; a long list would be slow.
const ROWS: usize = 8;
/// Characters shown per row.
const CHARACTERS: usize = 200;

/// Count, first rows and hints.
#[component]
pub fn Preview() -> impl IntoView {
    let state = expect_context::<State>();
    let count = Memo::new(move |_| state.review.with(|review| review.count));
    let different = move || {
        state.review.with(|review| {
            (review.distinct < review.count).then(|| format!("{} different", review.distinct))
        })
    };
    let empty = move || {
        state
            .prompts
            .with(|prompts| prompts.as_ref().is_ok_and(Vec::is_empty))
            .then(|| {
                view! { <p class="help">"Your prompts appear here as they will be read."</p> }
            })
    };
    let mistake = move || {
        state
            .prompts
            .with(|prompts| prompts.as_ref().err().cloned())
            .map(|mistake| {
                view! {
                    <p role="note" class="error">
                        {format::sentence(&mistake)}
                    </p>
                }
            })
    };
    let hints = move || {
        state
            .review
            .with(|review| review.hints.clone())
            .into_iter()
            .map(|hint| view! { <p role="note" class="hint">{hint}</p> })
            .collect_view()
    };
    let rows = move || {
        state
            .prompts
            .with(|prompts| rows(prompts.as_deref().unwrap_or_default()))
    };
    view! {
        <section class="card" aria-labelledby="preview-title">
            <h2 id="preview-title">"Preview"</h2>
            {move || {
                (count.get() > 0)
                    .then(|| {
                        view! {
                            <p class="count">
                                <strong>{format::prompts(count.get())}</strong>
                                {move || {
                                    different()
                                        .map(|text| view! { <span class="help">{text}</span> })
                                }}
                            </p>
                        }
                    })
            }}
            {move || {
                (count.get() > READ)
                    .then(|| {
                        view! {
                            <p class="help">
                                {format!(
                                    "{READ} of these {} are read, drawn with the seed.",
                                    count.get(),
                                )}
                            </p>
                        }
                    })
            }}
            {empty}
            {mistake}
            {hints}
            {move || {
                let (shown, more) = rows();
                if shown.is_empty() {
                    return None;
                }
                let items = shown
                    .into_iter()
                    .map(|row| view! { <li dir="auto">{row}</li> })
                    .collect_view();
                let rest = format!("and {more} more");
                let rest = (more > 0).then(|| view! { <p class="help">{rest}</p> });
                Some(view! { <ol class="rows">{items}</ol> {rest} })
            }}
        </section>
    }
}

/// The first prompts, shortened, and how many follow.
fn rows(prompts: &[String]) -> (Vec<String>, usize) {
    let shown = prompts
        .iter()
        .take(ROWS)
        .map(|prompt| shortened(prompt))
        .collect();
    (shown, prompts.len().saturating_sub(ROWS))
}

fn shortened(prompt: &str) -> String {
    match prompt.char_indices().nth(CHARACTERS) {
        Some((end, _)) => format!("{}…", &prompt[..end]),
        None => prompt.to_owned(),
    }
}
