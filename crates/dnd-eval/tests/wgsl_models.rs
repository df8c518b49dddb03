//! The shipped bundle gives the same adapter on the CPU, with the kernels of `shaders/`, and
//! with burn's own operations on the GPU; the base model gives the same answers on both.

#![cfg(feature = "wgpu")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use burn::tensor::Device;
use dnd_adapter::{Adapter, Bundle};
use dnd_kernels::gpu;
use dnd_model::files::{BASE_MODEL, Base, Encoder, default_base, default_encoder};
use dnd_model::language::{Completion, CompletionOptions, MatmulDtype, Message, PromptCache};
use dnd_model::sampling::Sampling;
use dnd_model::{AdapterGenerator, Lora, self_test};
use dnd_tasks::read_lines;

const BUNDLE: &str = "assets/smollm2-135m.safetensors";

fn adapter(device: &Device) -> Adapter {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let bundle = Bundle::read(&std::fs::read(root.join(BUNDLE)).unwrap(), BUNDLE).unwrap();
    let encoder = Encoder::open(&default_encoder(), device).unwrap();
    let generator = AdapterGenerator::open(&bundle, BUNDLE, BASE_MODEL, &encoder, device).unwrap();
    let prompts = [
        "What is the opposite of cold?",
        "Give a word that means the opposite of: early",
        "Antonym of \"wide\", please, and nothing else. The word stands for a \
         measure, as in a wide river.",
    ]
    .map(str::to_owned);
    let (generation, _) = generator.generate_blocking(&prompts, 7).unwrap();
    generation.adapter
}

/// RMS of the differences, relative to the RMS of the expected values.
fn relative_error(found: &Adapter, expected: &Adapter) -> f64 {
    assert_eq!(found.layout, expected.layout);
    let (mut differences, mut squares) = (0.0, 0.0);
    for (found, expected) in found.factors.iter().zip(&expected.factors) {
        let found = found.a.iter().chain(&found.b);
        for (a, b) in found.zip(expected.a.iter().chain(&expected.b)) {
            differences += f64::from(a - b).powi(2);
            squares += f64::from(*b).powi(2);
        }
    }
    (differences / squares).sqrt()
}

#[test]
fn all_paths_give_the_same_adapter() {
    if !default_encoder().join("model.safetensors").exists() {
        println!("skipped: the encoder is not in the cache; run `cargo xtask setup`");
        return;
    }
    let Ok(device) = Device::wgpu_options().init() else {
        println!("skipped: no GPU that burn's wgpu device finds");
        return;
    };
    let expected = adapter(&Device::flex());
    let values = self_test::compute(&device)
        .unwrap()
        .try_into_vec_as::<f32>()
        .unwrap();
    let difference = self_test::largest_difference(&values).unwrap();
    assert!(difference < self_test::TOLERANCE, "{difference}");
    // The weights of the encoder are f32, so the half precision of the kernels is visible.
    let error = relative_error(&adapter(&device), &expected);
    println!("kernels: {error}");
    assert!(error < 1e-3, "kernels: {error}");
    gpu::enable(false);
    let error = relative_error(&adapter(&device), &expected);
    println!("burn's own operations: {error}");
    assert!(error < 1e-4, "burn's own operations: {error}");
}

/// Greedy answers to 20 questions, half of them with an adapter.
fn answers(device: &Device, adapter: &Adapter) -> Vec<Completion> {
    let base = Base::open(&default_base(), MatmulDtype::Stored, device).unwrap();
    let lora = Lora::from_adapter(adapter, device);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let questions = ["antonyms", "capitals", "past-tense", "sentiment"].map(|task| {
        let file = format!("assets/questions/{task}.test.jsonl");
        read_lines(&root.join(file)).unwrap()
    });
    let options = CompletionOptions {
        max_tokens: 8,
        sampling: Sampling::Greedy,
    };
    let mut cached = [PromptCache::default(), PromptCache::default()];
    let lines = questions.iter().flatten().enumerate();
    lines
        .map(|(place, line)| {
            let conversation = Message::conversation(None, &line.prompt);
            let tokens = base.tokenizer.encode_chat(&conversation).unwrap();
            let lora = (place % 2 == 1).then_some(&lora);
            let cached = &mut cached[place % 2];
            base.complete(&tokens, lora, options, cached, |_| true)
                .unwrap()
        })
        .collect()
}

#[test]
fn the_base_model_answers_the_same() {
    let is_here = default_base().exists() && default_encoder().join("model.safetensors").exists();
    if !is_here {
        println!("skipped: the models are not in the cache; run `cargo xtask setup`");
        return;
    }
    let Ok(device) = Device::wgpu_options().init() else {
        println!("skipped: no GPU that burn's wgpu device finds");
        return;
    };
    let adapter = adapter(&Device::flex());
    let expected = answers(&Device::flex(), &adapter);
    assert_eq!(expected.len(), 20);
    let mut largest = 0.0f32;
    for (found, expected) in answers(&device, &adapter).iter().zip(&expected) {
        assert_eq!(found.text, expected.text);
        let pairs = found.first_logits.iter().zip(&expected.first_logits);
        largest = pairs.fold(largest, |most, (a, b)| most.max((a - b).abs()));
    }
    println!("largest difference of logits: {largest}");
    assert!(largest < 2e-2, "{largest}");
}
