//! Browser features that the page uses. It works without any of them.

use gloo::events::EventListener;
use gloo::timers::callback::Timeout;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::ServiceWorkerRegistration;

/// Milliseconds that a newer service worker may take to install before the page is reloaded
/// without it.
const PATIENCE: u32 = 20_000;

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

/// Loads the page again, in the version that the server has: the service worker would give the
/// version that it keeps until all its pages are closed.
pub fn reload() {
    let reload = || _ = window().location().reload();
    let container = window().navigator().service_worker();
    if is_absent(&container) || container.controller().is_none() {
        reload();
        return;
    }
    spawn_local(async move {
        let registration = match container.ready() {
            Ok(ready) => JsFuture::from(ready).await.ok(),
            Err(_) => None,
        };
        let registration = registration.map(ServiceWorkerRegistration::unchecked_from_js);
        if let Some(registration) = registration {
            if let Ok(updated) = registration.update() {
                // Offline, there is nothing newer.
                _ = JsFuture::from(updated).await;
            }
            if let Some(newer) = registration.waiting().or_else(|| registration.installing()) {
                EventListener::once(&container, "controllerchange", move |_| reload()).forget();
                _ = newer.post_message(&JsValue::from_str("take over"));
                // If it cannot be installed.
                Timeout::new(PATIENCE, reload).forget();
                return;
            }
        }
        reload();
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
