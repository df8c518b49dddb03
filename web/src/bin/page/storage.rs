//! The Storage card: the stored models and how to delete them.

use leptos::prelude::*;

use super::base_model::BaseModel;
use super::client::Client;
use super::format;
use super::state::State;

/// Size of the stored models and the button that deletes them.
#[component]
pub fn StoredModels() -> impl IntoView {
    let state = expect_context::<State>();
    let client = expect_context::<Client>();
    let base = expect_context::<BaseModel>();
    let stored = move || {
        let files = state
            .files
            .with(|f| f.as_ref().map(|f| f.stored + f.base_stored));
        files.unwrap_or_default()
    };
    let asks = RwSignal::new(false);
    // Not `disabled`, which would take the focus from the button that was just pressed.
    let refused = move || stored() == 0 || state.working();
    view! {
        <section class="card" aria-labelledby="storage-title">
            <h2 id="storage-title">"Storage"</h2>
            <div class="row">
                <p>
                    {move || format!("Stored on this device: {} MB", format::megabytes(stored()))}
                </p>
                <button
                    type="button"
                    aria-disabled=move || refused().then_some("true")
                    aria-expanded=move || asks.get().to_string()
                    on:click=move |_| asks.set(!untrack(refused) && !asks.get_untracked())
                >
                    "Delete stored models"
                </button>
                <Show when=move || asks.get()>
                    <button
                        type="button"
                        on:click=move |_| {
                            asks.set(false);
                            if !untrack(refused) {
                                // A download holds its file.
                                base.close();
                                client.delete();
                            }
                        }
                    >
                        {move || format!("Yes, delete {} MB", format::megabytes(stored()))}
                    </button>
                </Show>
                <span class="message" aria-live="polite">
                    {move || state.deleted.get()}
                </span>
            </div>
            <p class="help">
                "The models are stored so that the page starts quickly and works offline. Your \
                prompts and the seed are stored in this browser too, until you empty the box."
            </p>
        </section>
    }
}
