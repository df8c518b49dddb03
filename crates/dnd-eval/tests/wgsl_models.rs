//! The shipped bundle gives the same adapter on the CPU, with the kernels of `shaders/`, and
//! with burn's own operations on the GPU.

#![cfg(feature = "wgpu")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use burn::tensor::Device;
use dnd_adapter::{Adapter, Bundle};
use dnd_kernels::gpu;
use dnd_model::files::{BASE_MODEL, Encoder, default_encoder};
use dnd_model::{AdapterGenerator, self_test};

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
