//! Keeps prompts and seed over a reload, in the local storage. The page works without it.

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
