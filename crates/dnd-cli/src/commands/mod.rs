//! One file a command: its arguments, and how its results are shown.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use burn::tensor::Device;
use dnd_adapter::Bundle;

use crate::output;

pub mod collect;
pub mod complete;
pub mod eval;
pub mod generate;
pub mod inspect;
pub mod serve;
pub mod train;

/// The shipped bundle, from the root of the repository.
const BUNDLE: &str = "assets/smollm2-135m.safetensors";

/// The device called `name`; says which one `auto` took.
fn device(name: &str) -> Result<Device> {
    let (device, words) = dnd_model::device::device(name)?;
    // Where the CPU is the only kind there is nothing that a script would want to hear.
    let has_choice = dnd_model::device::DEVICE_NAMES.len() > 2;
    if name == "auto" && (has_choice || std::io::stderr().is_terminal()) {
        output::complain(&format!("device: {words}"));
    }
    Ok(device)
}

/// Reads the bundle that was asked for, else the shipped one.
fn open_bundle(path: Option<&Path>) -> Result<(Bundle, String)> {
    let path = match path {
        Some(path) => path.to_owned(),
        None => shipped_bundle().with_context(|| {
            format!("no bundle: expected {BUNDLE} here or beside the program; name one by --bundle")
        })?,
    };
    let name = path.display().to_string();
    let bundle = Bundle::read(&dnd_train::files::read(&path)?, &name)?;
    Ok((bundle, name))
}

/// The shipped bundle: in this folder, beside the program, or where the program was built.
fn shipped_bundle() -> Option<PathBuf> {
    let beside = std::env::current_exe()
        .ok()
        .and_then(|program| Some(program.parent()?.join(BUNDLE)));
    let built = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(BUNDLE);
    [Some(PathBuf::from(BUNDLE)), beside, Some(built)]
        .into_iter()
        .flatten()
        .find(|path| path.exists())
}
