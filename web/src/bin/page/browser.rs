//! Browser features that the page uses. It works without any of them.

use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

/// Registers the service worker, so that the page works offline from the next visit on.
pub fn register_service_worker() {
    // Absent outside secure contexts.
    let container = window().navigator().service_worker();
    if is_absent(&container) {
        return;
    }
    let promise = container.register("./service-worker.js");
    spawn_local(async move {
        _ = JsFuture::from(promise).await;
    });
}

/// Asks the browser not to evict the stored models.
pub fn persist_storage() {
    let storage = window().navigator().storage();
    if is_absent(&storage) {
        return;
    }
    if let Ok(promise) = storage.persist() {
        spawn_local(async move {
            _ = JsFuture::from(promise).await;
        });
    }
}

/// Copies a text to the clipboard and reports the result in `message`.
pub fn copy(text: String, message: RwSignal<String>, copied: impl Into<String> + 'static) {
    let clipboard = window().navigator().clipboard();
    if is_absent(&clipboard) {
        message.set(format!(
            "The browser does not let this page copy. Here is the text: {text}"
        ));
        return;
    }
    let promise = clipboard.write_text(&text);
    spawn_local(async move {
        match JsFuture::from(promise).await {
            Ok(_) => message.set(copied.into()),
            Err(_) => message.set(format!(
                "The browser did not let this page copy. Here is the text: {text}"
            )),
        }
    });
}

/// Base URL of the page: absolute, with a trailing slash.
pub fn base() -> String {
    let location = window().location();
    let origin = location.origin().unwrap_or_default();
    let path = location.pathname().unwrap_or_default();
    let folder = path.rfind('/').map_or("", |end| &path[..end]);
    format!("{origin}{folder}/")
}

fn is_absent(object: &impl AsRef<JsValue>) -> bool {
    object.as_ref().is_undefined() || object.as_ref().is_null()
}
