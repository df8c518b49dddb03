//! The parameters in the page's address: `?example=antonyms&seed=3&device=cpu`, also
//! `answers` (the base model's device) and `model` (the base model).

use leptos::prelude::*;
use wasm_bindgen::JsValue;
use web_sys::UrlSearchParams;

use super::browser;
use super::data::{EXAMPLES, Example, read_seed};
use super::state::State;
use dnd_web::protocol::DeviceChoice;

/// Characters shown of an unknown value.
const LONGEST_VALUE: usize = 40;

/// The parameters of a link.
pub struct LinkParameters {
    /// The example to put into the box.
    pub example: Option<&'static Example>,
    /// The seed.
    pub seed: Option<u64>,
    /// The device.
    pub device: DeviceChoice,
    /// The device of the base model.
    pub answers: DeviceChoice,
    /// The base model to generate for.
    pub model: Option<String>,
}

/// Reads the address and ignores unknown values.
pub fn read() -> LinkParameters {
    LinkParameters {
        example: parameter("example").and_then(|name| example(&name)),
        seed: parameter("seed").and_then(|seed| read_seed(&seed).ok()),
        device: parameter("device")
            .and_then(|name| DeviceChoice::from_name(&name))
            .unwrap_or_default(),
        answers: parameter("answers")
            .and_then(|name| DeviceChoice::from_name(&name))
            .unwrap_or(DeviceChoice::Cpu),
        model: parameter("model").filter(|name| !name.is_empty()),
    }
}

/// Loads the page again with another base model; the prompts are kept.
pub fn choose_model(name: &str) {
    let location = window().location();
    let search = location.search().unwrap_or_default();
    if let Ok(parameters) = UrlSearchParams::new_with_str(&search) {
        parameters.set("model", name);
        _ = location.set_search(&String::from(parameters.to_string()));
    }
}

/// The unknown values in the address, as a sentence.
pub fn unknown() -> Option<String> {
    let is_known = |name: &str, value: &str| match name {
        "example" => example(value).is_some(),
        "seed" => read_seed(value).is_ok(),
        _ => DeviceChoice::from_name(value).is_some(),
    };
    let unknown: Vec<String> = ["example", "seed", "device", "answers"]
        .into_iter()
        .filter_map(|name| {
            let value = parameter(name).filter(|value| !is_known(name, value))?;
            let start: String = value.chars().take(LONGEST_VALUE).collect();
            Some(format!("{name}={start}"))
        })
        .collect();
    (!unknown.is_empty()).then(|| {
        format!(
            "This page ignored unknown values in the link: {}.",
            unknown.join(", ")
        )
    })
}

fn parameter(name: &str) -> Option<String> {
    let search = window().location().search().unwrap_or_default();
    UrlSearchParams::new_with_str(&search).ok()?.get(name)
}

/// The example of this name.
pub fn example(name: &str) -> Option<&'static Example> {
    EXAMPLES.iter().find(|example| example.link == name)
}

/// Removes example and seed from the address once the visitor has changed something, so that a
/// reload brings back the visitor's own prompts and not the example.
pub fn clean() {
    let location = window().location();
    let search = location.search().unwrap_or_default();
    let Ok(parameters) = UrlSearchParams::new_with_str(&search) else {
        return;
    };
    let is_plain = parameters.get("example").is_none() && parameters.get("seed").is_none();
    if is_plain && prompts().is_none() {
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

/// A link to the page in its current state, with the example if the box still holds it.
pub fn address(state: State) -> String {
    let mut parts = Vec::new();
    if let Some(name) = example_in_box(state) {
        parts.push(format!("example={name}"));
    }
    if let Ok(seed) = state.seed.get_untracked() {
        parts.push(format!("seed={seed}"));
    }
    if state.choice != DeviceChoice::Auto {
        parts.push(format!("device={}", state.choice.name()));
    }
    if state.answers != DeviceChoice::Cpu {
        parts.push(format!("answers={}", state.answers.name()));
    }
    if let Some(model) = state.model.get_value() {
        parts.push(format!("model={}", js_sys::encode_uri_component(&model)));
    }
    format!("{}?{}", browser::base(), parts.join("&"))
}

/// Longest text that a link may carry, in bytes.
const LONGEST_TEXT: usize = 8_000;
/// The parameter of the fragment, which browsers do not send to the server.
const PROMPTS: &str = "prompts";

/// As [`address`], with the visitor's own prompts in the fragment; `None` if they are too long.
pub fn address_with_prompts(state: State) -> Option<String> {
    let address = address(state);
    let text = state.text.get_untracked();
    if text.len() > LONGEST_TEXT {
        return None;
    }
    let parameters = UrlSearchParams::new().ok()?;
    parameters.append(PROMPTS, &text);
    Some(format!(
        "{address}#{}",
        String::from(parameters.to_string())
    ))
}

/// The prompts in the fragment of the address.
pub fn prompts() -> Option<String> {
    let fragment = window().location().hash().unwrap_or_default();
    let fragment = fragment.strip_prefix('#')?;
    let parameters = UrlSearchParams::new_with_str(fragment).ok()?;
    parameters
        .get(PROMPTS)
        .filter(|text| text.len() <= LONGEST_TEXT)
}

/// What a link made by [`address`] contains, as a sentence.
pub fn link_contents(state: State) -> &'static str {
    let seed = state.seed.with_untracked(Result::is_ok);
    match (example_in_box(state), seed) {
        (Some(_), true) => "The link carries the example and the seed.",
        (Some(_), false) => "The link carries the example.",
        (None, true) => "The link carries the seed, not your prompts, which stay here.",
        (None, false) => "The link carries neither the seed nor your prompts, which stay here.",
    }
}

/// The name of the example that the box holds.
fn example_in_box(state: State) -> Option<&'static str> {
    state.example.with_untracked(|example| {
        let (name, text) = example.as_ref()?;
        state
            .text
            .with_untracked(|now| now == text)
            .then_some(*name)
    })
}

/// The example that the box holds.
pub fn opened_example(state: State) -> Option<&'static Example> {
    example_in_box(state).and_then(example)
}
