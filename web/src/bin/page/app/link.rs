//! What the address of the page says: `?example=antonyms&seed=3&device=cpu`.

use leptos::prelude::*;
use wasm_bindgen::JsValue;
use web_sys::UrlSearchParams;

use super::browser;
use super::files::{EXAMPLES, Example};
use super::state::State;
use dnd_web::protocol::DeviceChoice;

/// What the visitor's link asks for.
pub struct Wanted {
    /// The example to put into the box.
    pub example: Option<&'static Example>,
    /// The seed.
    pub seed: Option<u64>,
    /// The device.
    pub device: DeviceChoice,
}

/// Reads the address; what it does not know is left out.
pub fn read() -> Wanted {
    let search = window().location().search().unwrap_or_default();
    let parameter = |name: &str| {
        UrlSearchParams::new_with_str(&search)
            .ok()
            .and_then(|parameters| parameters.get(name))
    };
    let example =
        parameter("example").and_then(|name| EXAMPLES.iter().find(|example| example.link == name));
    Wanted {
        example,
        seed: parameter("seed").and_then(|seed| super::generate::read_seed(&seed).ok()),
        device: parameter("device")
            .and_then(|name| DeviceChoice::from_name(&name))
            .unwrap_or_default(),
    }
}

/// Takes example and seed out of the address once they stand on the page: after a change and a reload
/// the visitor's own prompts have to come back, not the example.
pub fn clean() {
    let location = window().location();
    let search = location.search().unwrap_or_default();
    let Ok(parameters) = UrlSearchParams::new_with_str(&search) else {
        return;
    };
    if parameters.get("example").is_none() && parameters.get("seed").is_none() {
        return;
    }
    parameters.delete("example");
    parameters.delete("seed");
    let rest = String::from(parameters.to_string());
    let path = location.pathname().unwrap_or_default();
    let address = if rest.is_empty() {
        path
    } else {
        format!("{path}?{rest}")
    };
    if let Ok(history) = window().history() {
        _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&address));
    }
}

/// A link that opens the page as it is: with the example, if the box still holds it.
pub fn address(state: State) -> String {
    let mut parts = Vec::new();
    state.example.with_untracked(|example| {
        if let Some((name, text)) = example
            && state.text.with_untracked(|now| now == text)
        {
            parts.push(format!("example={name}"));
        }
    });
    if let Ok(seed) = state.seed.get_untracked() {
        parts.push(format!("seed={seed}"));
    }
    if state.choice != DeviceChoice::Auto {
        parts.push(format!("device={}", state.choice.name()));
    }
    format!("{}?{}", browser::base(), parts.join("&"))
}
