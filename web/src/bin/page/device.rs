//! The status of the device and the models.

use leptos::prelude::*;

use super::format;
use super::state::State;
use dnd_web::protocol::FilesReport;

/// The chosen device, its notes, and whether the models are stored.
#[component]
pub fn DeviceStatus() -> impl IntoView {
    let state = expect_context::<State>();
    // The device and the models appear together. If the models cannot be checked, an alert says
    // why.
    let device = move || {
        let told = state.files.with(Option::is_some) || state.alert.with(Option::is_some);
        state.device.get().filter(|_| told)
    };
    let name = move || device().map_or_else(|| "Looking for a device …".to_owned(), |d| d.name);
    let note = move || {
        device()
            .and_then(|device| device.note)
            .map(|note| view! { <p class="help">{format::sentence(&note)}</p> })
    };
    let speed = move || {
        device()
            .filter(|device| !device.gpu && !state.measured.get())
            .map(|_| view! { <p class="help">"An adapter takes a few seconds on the CPU."</p> })
    };
    let models = move || {
        if state.preparing.get() {
            return "Models stored on this device; loading them ahead of time …".to_owned();
        }
        state
            .files
            .with(|files| files.as_ref().map(models).unwrap_or_default())
    };
    let not_stored = move || {
        let reason = state
            .files
            .with(|f| f.as_ref().and_then(|f| f.not_stored.clone()));
        reason.map(|reason| view! { <p class="help">{format::sentence(&reason)}</p> })
    };
    view! {
        <div class="device" role="status" aria-label="Device">
            <p>
                <span class="mark" aria-hidden="true"></span>
                <strong>{name}</strong>
            </p>
            {note}
            {speed}
            <p>{models}</p>
            {not_stored}
        </div>
    }
}

fn models(files: &FilesReport) -> String {
    let missing = files.total.saturating_sub(files.stored);
    if missing == 0 {
        "Models stored on this device".to_owned()
    } else if files.not_stored.is_some() {
        format!("Fetches {} MB", format::megabytes(missing))
    } else {
        format!("Fetches {} MB once", format::megabytes(missing))
    }
}
