//! `dnd inspect` on collections, adapters, bundles and GGUF files.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::gguf::TensorType;
use crate::language_model;
use crate::program::Dnd;
use crate::world::{BASE_MODEL, TRAIN_TASKS, World};

fn shown(path: &Path, parts: &[&str]) {
    let text = Dnd::new("inspect").and(path).run().succeeds().stdout;
    for part in parts {
        assert!(text.contains(part), "expected `{part}` in\n{text}");
    }
}

#[test]
fn collections_adapters_and_bundles_show_what_they_are() {
    let world = World::trained();
    shown(
        &world.collection(),
        &["collection", BASE_MODEL, "snapshots"],
    );
    shown(&world.collection(), &TRAIN_TASKS);
    let adapter = world.path("collection/length");
    shown(
        &adapter,
        &[
            "adapter",
            BASE_MODEL,
            "14 in 2 layers",
            "q_proj",
            "down_proj",
        ],
    );
    let bundle = [
        "bundle",
        BASE_MODEL,
        "8 prompts of 16 tokens",
        "[64, 4, 32]",
        "statistics.mean",
        "generator.0.norm_weight",
    ];
    shown(&world.bundle(), &bundle);
    // The provenance.
    shown(&world.bundle(), &TRAIN_TASKS);
    shown(&world.bundle(), &["collected_with", "generated_loss"]);
}

/// Files with unsupported types can still be inspected.
#[test]
fn gguf_files_show_unsupported_types_too() {
    let world = World::new();
    let gguf = world.write("base.gguf", language_model::gguf(1, TensorType::IQ4XS));
    shown(
        &gguf,
        &[
            "llama.block_count",
            "blk.1.ffn_down.weight",
            "F32",
            "IQ4_XS",
            "[259, 64]",
        ],
    );
}

/// Runs `dnd inspect` with this standard output; returns exit code and standard error.
fn inspect_to(output: impl Into<Stdio>) -> (Option<i32>, String) {
    let world = World::new();
    let gguf = world.write("base.gguf", language_model::gguf(1, TensorType::F32));
    let mut command = Command::new(env!("CARGO_BIN_EXE_dnd"));
    let output = command.arg("inspect").arg(gguf).stdout(output).output();
    let output = output.unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), errors)
}

/// As in `dnd inspect FILE | head`.
#[test]
fn a_reader_that_has_gone_is_no_error() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    assert_eq!(inspect_to(writer), (Some(0), String::new()));
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_standard_output_is_an_error() {
    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let (code, errors) = inspect_to(full);
    assert_eq!(code, Some(1), "{errors}");
    assert!(errors.starts_with("error: standard output"), "{errors}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
}
