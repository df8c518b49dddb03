//! Every command that computes gives on the GPU what it gives on the CPU, within the stated
//! tolerances. `DND_GPU` names the device; `wgpu` where it is not set.

use std::path::Path;
use std::sync::OnceLock;

use serde_json::Value;

use crate::behaviour::{contrasting, train};
use crate::tensors::agree;
use crate::world::{PROMPTS, TRAIN_TASKS, World};

/// The device that is compared with the CPU.
fn device() -> String {
    std::env::var("DND_GPU").unwrap_or_else(|_| "wgpu".to_owned())
}

/// Whether there is no GPU to compare with, which is said.
fn is_absent() -> bool {
    // A process can start the device once.
    static ABSENT: OnceLock<bool> = OnceLock::new();
    *ABSENT.get_or_init(|| {
        #[cfg(feature = "wgpu")]
        if device() == "wgpu" && burn::tensor::Device::wgpu_options().init().is_err() {
            println!("skipped: no GPU that burn's wgpu device finds");
            return true;
        }
        false
    })
}

fn rows(json: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap()
}

#[test]
fn collections_generators_adapters_and_scores_are_those_of_the_cpu() {
    if is_absent() {
        return;
    }
    let world = World::collected();
    let collection = world.path("gpu");
    world.collect(&collection).on(&device()).run().succeeds();
    for task in TRAIN_TASKS {
        let file = format!("{task}/adapter_model.safetensors");
        agree(
            &collection.join(&file),
            &world.collection().join(&file),
            2e-3,
        );
    }

    world.train(&world.bundle()).run().succeeds();
    let bundle = world.path("gpu.safetensors");
    world.train(&bundle).on(&device()).run().succeeds();
    agree(&bundle, &world.bundle(), 1e-2);

    let prompts = world.prompts("prompts.txt", PROMPTS);
    let [cpu, gpu] = ["cpu-adapter", "gpu-adapter"].map(|name| world.path(name));
    world.generate(&prompts, &cpu).run().succeeds();
    world
        .generate(&prompts, &gpu)
        .on(&device())
        .run()
        .succeeds();
    let file = "adapter_model.safetensors";
    agree(&gpu.join(file), &cpu.join(file), 2e-3);

    let methods = format!("base,generated,nearest,context:2,adapter:{}", cpu.display());
    let [cpu, gpu] = ["cpu.json", "gpu.json"].map(|name| world.path(name));
    world.eval(&methods, &cpu).run().succeeds();
    world.eval(&methods, &gpu).on(&device()).run().succeeds();
    let (cpu, gpu) = (rows(&cpu), rows(&gpu));
    for (cpu, gpu) in cpu.as_array().unwrap().iter().zip(gpu.as_array().unwrap()) {
        for field in [
            "method",
            "n",
            "exact_match",
            "lenient_match",
            "valid_answers",
        ] {
            assert_eq!(gpu[field], cpu[field], "{field} of {cpu}");
        }
    }
}

#[test]
fn generators_trained_by_behaviour_are_those_of_the_cpu() {
    if is_absent() {
        return;
    }
    let world = contrasting();
    let recipe = std::fs::read_to_string(world.path("behaviour.toml")).unwrap();
    let recipe = recipe.replace("steps = 160", "steps = 6");
    world.write(
        "behaviour.toml",
        recipe.replace("report_every = 20", "report_every = 3"),
    );
    let [cpu, gpu] = ["cpu", "gpu"].map(|name| world.path(&format!("{name}.safetensors")));
    train(&world, &cpu).run().succeeds();
    train(&world, &gpu).on(&device()).run().succeeds();
    agree(&gpu, &cpu, 1e-2);
}
