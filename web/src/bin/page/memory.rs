//! What survives a reload: prompts and seed, in the browser's local storage. A browser may refuse to
//! store anything; the page works without.

use web_sys::Storage;

const PROMPTS: &str = "dnd.prompts";
const SEED: &str = "dnd.seed";

fn storage() -> Option<Storage> {
    leptos::prelude::window().local_storage().ok().flatten()
}

fn read(key: &str) -> Option<String> {
    storage()?.get_item(key).ok().flatten()
}

/// False when there is room for texts, but not for this one.
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

/// Keeps the text of the box; false when it is too long for that.
pub fn keep_prompts(text: &str) -> bool {
    keep(PROMPTS, text)
}

/// The seed of the last visit.
pub fn seed() -> Option<u64> {
    read(SEED)?.parse().ok()
}

/// Keeps the seed.
pub fn keep_seed(seed: u64) {
    keep(SEED, &seed.to_string());
}
