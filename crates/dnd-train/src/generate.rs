//! `dnd generate`: prompts in, adapter out.

use std::time::Instant;

use burn::tensor::{Device, Tensor};
use dnd_adapter::{Adapter, Bundle};
use dnd_model::{EncoderFiles, PromptDraw, Workshop};
use serde::Serialize;

use crate::Error;
use crate::models::Encoder;

/// Seconds of each stage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Timing {
    /// Prompts to condition.
    pub encode: f64,
    /// Condition to adapter.
    pub decode: f64,
}

/// A generated adapter.
pub struct Generation {
    /// The adapter.
    pub adapter: Adapter,
    /// Which of the given prompts it was generated from.
    pub draw: PromptDraw,
    /// How long it took.
    pub timing: Timing,
}

/// Loads a bundle's generator onto `device`.
///
/// # Errors
/// When the bundle names another base model than `base_model`, needs another encoder than this one,
/// or its generator is malformed.
pub fn open_workshop(
    bundle: &Bundle,
    source_name: &str,
    base_model: &str,
    encoder: &Encoder,
    device: &Device,
) -> Result<Workshop, Error> {
    let found = &bundle.header.layout.base_model;
    if found != base_model {
        return Err(Error::argument(
            &format!("{source_name}: base model"),
            base_model,
            found,
        ));
    }
    let files = EncoderFiles {
        model: &encoder.model,
        tokenizer_json: &encoder.tokenizer_json,
        id: &encoder.id()?,
    };
    Ok(Workshop::new(bundle, source_name, &files, device)?)
}

/// Generates an adapter from prompts; `seed` decides which ones and in which order.
///
/// # Errors
/// When there is no prompt, or values cannot be read back from the device.
pub fn generate(workshop: &Workshop, prompts: &[String], seed: u64) -> Result<Generation, Error> {
    let started = Instant::now();
    let draw = workshop.draw(prompts.len(), seed)?;
    let drawn = draw.pick(prompts);
    let states = workshop.encode(&drawn, &mut |_| ())?;
    let device = states.device();
    device
        .sync()
        .map_err(|e| dnd_model::Error::Device(e.to_string()))?;
    let encode = started.elapsed().as_secs_f64();

    let started = Instant::now();
    let adapter = decode(workshop, states)?;
    let decode = started.elapsed().as_secs_f64();
    Ok(Generation {
        adapter,
        draw,
        timing: Timing { encode, decode },
    })
}

/// The adapter for hidden states (N, L, C).
///
/// # Errors
/// When values cannot be read back from the device.
pub fn decode(workshop: &Workshop, states: Tensor<3>) -> Result<Adapter, Error> {
    let tokens = workshop
        .decode(states, &mut |_| ())
        .try_into_vec_as::<f32>()
        .map_err(|e| dnd_model::Error::Device(e.to_string()))?;
    Ok(workshop.adapter(tokens)?)
}
