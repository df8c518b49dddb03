//! The About card: how the page works and what to expect.

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
                    "A language model usually learns a new task by training on many questions and \
                    answers. A LoRA adapter stores the result in a small file beside the model. \
                    This page skips the training: a text encoder reads your prompts, and a \
                    generator, a network trained on many other tasks, predicts an adapter for them \
                    in one pass."
                </p>
                <p>
                    "The method is that of "
                    <a href="https://arxiv.org/abs/2506.16406" rel="noreferrer">
                        "Drag-and-Drop LLMs"
                    </a>
                    "; this is an independent implementation, under "
                    <a href="LICENSE-MIT" target="_blank">"MIT"</a>
                    " or "
                    <a href="LICENSE-APACHE" target="_blank">"Apache-2.0"</a>
                    ", as you prefer."
                </p>
                <p>
                    "Both run in your browser, on the GPU if it is suitable and on the CPU \
                    otherwise. The models are downloaded once from this page's server. Your \
                    prompts never leave this device."
                </p>
            </details>
            <details>
                <summary>"What to expect"</summary>
                <p>
                    "The adapter knows your task: send it the input alone, \"hot\" instead of \
                    \"What is the opposite of hot?\". On tasks that the generator has not seen, \
                    an adapter of the shipped generator, for SmolLM2-135M-Instruct, answers about \
                    one question in six correctly when asked like this, and two in seven when \
                    asked in full. An adapter made from another task's \
                    prompts gets about one input in ten right, or fewer. Adapters that were \
                    trained on the task itself are far better. The "
                    <a href="MODEL_CARD.md" target="_blank">"model card"</a>
                    " has the figures, and says what the generator was trained on."
                </p>
                <p>
                    "It is good at short answers: a fact that the model knows, such as a capital \
                    or a continent, another form of a word, the fruit in a list. It is bad at \
                    arithmetic, at long texts and at labels that only you use, such as the names \
                    of your teams."
                </p>
                <p>
                    "The adapter works only with the base model that it was made for. Short \
                    prompts that state the task work best: about the first and the last 12 words \
                    of each are read, and at most 16 prompts."
                </p>
            </details>
        </section>
    }
}
