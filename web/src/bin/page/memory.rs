//! Keeps prompts and seed over a reload, in the local storage, and in the session's what the result
//! was made from. The page works without them.

use std::hash::{DefaultHasher, Hash, Hasher};

use web_sys::Storage;

const PROMPTS: &str = "dnd.prompts";
const SEED: &str = "dnd.seed";

fn storage() -> Option<Storage> {
    leptos::prelude::window().local_storage().ok().flatten()
}

fn read(key: &str) -> Option<String> {
    storage()?.get_item(key).ok().flatten()
}

/// Returns false when the value is too long to store.
fn keep(key: &str, value: &str) -> bool {
    let Some(storage) = storage() else {
        return true;
    };
    let fits = value.is_empty() || storage.set_item(key, value).is_ok();
    if value.is_empty() || !fits {
        // A text that is too long must not leave an older one behind.
        _ = storage.remove_item(key);
    }
    fits
}

/// The text of the box at the last visit.
pub fn prompts() -> Option<String> {
    read(PROMPTS)
}

/// Stores the text of the box; false when it is too long.
pub fn keep_prompts(text: &str) -> bool {
    keep(PROMPTS, text)
}

/// The seed of the last visit.
pub fn seed() -> Option<u64> {
    read(SEED)?.parse().ok()
}

/// Stores the seed.
pub fn keep_seed(seed: u64) {
    keep(SEED, &seed.to_string());
}

/// In the session storage, which ends with the tab.
const GENERATED: &str = "dnd.generated";

fn session() -> Option<Storage> {
    leptos::prelude::window().session_storage().ok().flatten()
}

/// A name for prompts, a seed and a base model.
fn fingerprint(prompts: &[String], seed: u64, model: Option<String>) -> String {
    let mut hasher = DefaultHasher::new();
    (prompts, model).hash(&mut hasher);
    format!("{:016x}-{seed}", hasher.finish())
}

/// Remembers what the shown adapter was made from, and the example that this is, if it is one.
pub fn keep_generated(prompts: &[String], seed: u64, model: Option<String>, example: Option<&str>) {
    if let Some(storage) = session() {
        let example = example.unwrap_or_default();
        let value = format!("{} {example}", fingerprint(prompts, seed, model));
        _ = storage.set_item(GENERATED, &value);
    }
}

/// Whether the adapter of these was shown before the page was reloaded: the name of the example
/// that they are, or an empty one.
pub fn was_generated(prompts: &[String], seed: u64, model: Option<String>) -> Option<String> {
    let value = session()?.get_item(GENERATED).ok()??;
    let (found, example) = value.split_once(' ')?;
    (found == fingerprint(prompts, seed, model)).then(|| example.to_owned())
}
