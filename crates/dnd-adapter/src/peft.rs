//! Adapters in the format of PEFT (Hugging Face's library for parameter-efficient fine-tuning):
//! `adapter_config.json` and `adapter_model.safetensors`. Follows, and is tested with, peft
//! 0.21.

mod archive;
mod config;
mod patterns;
mod read;

use config::Config;

pub use archive::{QUESTION, example_question, llama_example, python_example, readme, zip};
pub use read::read;

use crate::adapter::Adapter;
use crate::error::Error;
use crate::layout::Module;
use crate::precision::Precision;
use crate::tensor_file;

/// File name of the configuration.
pub const CONFIG_FILE: &str = "adapter_config.json";
/// File name of the tensors.
pub const MODEL_FILE: &str = "adapter_model.safetensors";
/// PEFT wraps the base model twice; tensor names contain both wrappers.
const PREFIX: &str = "base_model.model.";

/// The two files of an adapter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeftFiles {
    /// Bytes of [`CONFIG_FILE`].
    pub config: Vec<u8>,
    /// Bytes of [`MODEL_FILE`].
    pub model: Vec<u8>,
}

/// One of the two factors of a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Factor {
    A,
    B,
}

impl Factor {
    fn suffix(self) -> &'static str {
        match self {
            Factor::A => ".lora_A.weight",
            Factor::B => ".lora_B.weight",
        }
    }
}

/// Writes an adapter as PEFT files. The output is deterministic.
///
/// Fails when the factors do not match the layout, or contain values that are not finite or are
/// too large for the precision.
pub fn write(adapter: &Adapter, precision: Precision) -> Result<PeftFiles, Error> {
    adapter.validate()?;
    let modules = &adapter.layout.modules;
    // Tensors borrow their shapes from here.
    let shape_of_a = |module: &Module| [module.rank, module.in_features];
    let shape_of_b = |module: &Module| [module.out_features, module.rank];
    let shapes: Vec<_> = modules
        .iter()
        .map(|m| (shape_of_a(m), shape_of_b(m)))
        .collect();
    let tensors = modules.iter().zip(&adapter.factors).zip(&shapes).flat_map(
        |((module, factors), (shape_of_a, shape_of_b))| {
            let name = |factor: Factor| format!("{PREFIX}{}{}", module.path(), factor.suffix());
            [
                (
                    name(Factor::A),
                    shape_of_a.as_slice(),
                    factors.a.as_slice(),
                    precision.into(),
                ),
                (
                    name(Factor::B),
                    shape_of_b.as_slice(),
                    factors.b.as_slice(),
                    precision.into(),
                ),
            ]
        },
    );
    Ok(PeftFiles {
        config: Config::from_layout(&adapter.layout).to_json()?,
        model: tensor_file::write(MODEL_FILE, tensors, ("format", "pt".to_owned()))?,
    })
}

#[cfg(test)]
mod tests;
