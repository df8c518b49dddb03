//! Why a request failed, as a sentence for the page.

use dnd_web::protocol::Cause;
use wasm_bindgen::JsCast;

/// Why a request failed.
pub(super) struct Failure {
    pub(super) message: String,
    pub(super) cause: Cause,
}

impl Failure {
    pub(super) fn new(cause: Cause, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            cause,
        }
    }

    pub(super) fn other(message: impl Into<String>) -> Self {
        Self::new(Cause::Other, message)
    }
}

impl From<dnd_model::Error> for Failure {
    fn from(error: dnd_model::Error) -> Self {
        Self::other(with_causes(&error))
    }
}

impl From<dnd_adapter::Error> for Failure {
    fn from(error: dnd_adapter::Error) -> Self {
        Self::other(with_causes(&error))
    }
}

/// The message of an error and of all its causes, in one line.
fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |line, cause| format!("{line}: {cause}"))
}

/// The message of a thrown JavaScript value.
pub(super) fn reason(value: &wasm_bindgen::JsValue) -> String {
    if let Some(exception) = value.dyn_ref::<web_sys::DomException>() {
        return format!("{}: {}", exception.name(), exception.message());
    }
    if let Some(error) = value.dyn_ref::<js_sys::Error>() {
        return String::from(error.message());
    }
    value.as_string().unwrap_or_else(|| format!("{value:?}"))
}
