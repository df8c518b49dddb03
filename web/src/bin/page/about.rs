//! What a visitor may want to know before trusting the page.

use leptos::prelude::*;

/// How it works and what to expect.
#[component]
pub fn About() -> impl IntoView {
    view! {
        <section class="card" aria-labelledby="about-title">
            <h2 id="about-title">"About"</h2>
            <details>
                <summary>"How it works"</summary>
                <p>
                    "A language model is usually taught a new task by training it on many questions \
                    with their answers. A LoRA adapter is the outcome of such a training, kept in a \
                    small file beside the model. This page leaves the training out: a text encoder \
                    reads your prompts, and a generator, a network that has seen the adapters of \
                    many tasks, writes an adapter that fits them in one go."
                </p>
                <p>
                    "Both run in your browser, on the GPU where there is a suitable one and on the \
                    CPU otherwise. The models are fetched once from the server of this page. Your \
                    prompts never leave this device."
                </p>
            </details>
            <details>
                <summary>"What to expect"</summary>
                <p>
                    "This is a first generator, and a weak one. On tasks that it had never seen, its \
                    adapters answered better than the model without an adapter, but hardly better \
                    than the plain average of all adapters that it learned from, and far worse than \
                    adapters trained on the task itself. The model card, "
                    <code>"assets/MODEL_CARD.md"</code>
                    " in the source code, has the figures."
                </p>
                <p>
                    "The adapter fits SmolLM2-135M-Instruct and no other model. Short prompts that \
                    say what is to be done work best: about the first 32 tokens of each are read, \
                    and 32 prompts in all."
                </p>
            </details>
        </section>
    }
}
