//! End-to-end tests of the `dnd` command. Every test runs the built program on models of a few
//! kilobytes that it creates itself, so none needs a network, a download or ../shared.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod behaviour;
mod completing;
mod converting;
mod field_files;
mod generating;
mod inspecting;
mod measuring;
mod pipeline;
mod planning;
mod prompt_files;
mod serving;
mod tasks;
mod training;
mod tuning;

mod collecting;
#[cfg(unix)]
mod interrupts;
#[cfg(unix)]
mod kills;

mod bad_adapters;
mod bad_arguments;
mod bad_bundles;
mod bad_models;
#[cfg(unix)]
mod bad_places;
mod bad_prompts;

#[cfg(unix)]
mod disk;
mod gguf;
#[cfg(any(feature = "wgpu", feature = "cuda"))]
mod gpu;
mod language_model;
#[cfg(feature = "mpi")]
mod processes;
mod program;
#[cfg(unix)]
mod stopping;
mod tensors;
mod text_encoder;
mod world;
