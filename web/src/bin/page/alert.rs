//! What went wrong, and what to do.

use leptos::prelude::*;

use super::{browser, format};
use dnd_web::protocol::Cause;

/// A failure and the advice about it.
#[derive(Clone)]
pub struct Alert {
    /// Sentences for the visitor.
    pub text: String,
    /// Whether a button offers to reload the page, because the server has another version of it.
    pub reloads: bool,
}

impl Alert {
    /// A failure of the worker, with advice.
    pub fn new(message: &str, cause: Cause, advice: &str) -> Self {
        Self {
            text: format!("{} {advice}", format::sentence(message)),
            reloads: cause == Cause::Outdated,
        }
    }
}

impl From<String> for Alert {
    fn from(text: String) -> Self {
        Self {
            text,
            reloads: false,
        }
    }
}

/// The place where alerts appear; screen readers announce them.
#[component]
pub fn AlertBox(alert: RwSignal<Option<Alert>>) -> impl IntoView {
    let shown = move || {
        alert.get().map(|Alert { text, reloads }| {
            view! {
                <p>{text}</p>
                {reloads
                    .then(|| {
                        view! {
                            <button type="button" on:click=|_| browser::reload()>
                                "Reload the page"
                            </button>
                        }
                    })}
            }
        })
    };
    view! {
        <div class="alert" role="alert">
            {shown}
        </div>
    }
}
