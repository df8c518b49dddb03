//! The base model: token-by-token decoding, and fine-tuning steps as in `dnd collect`.

use std::time::Instant;

use burn::tensor::Device;
use dnd_adapter::{Layout, Projection};
use dnd_model::files::{BASE_MODEL, Base, default_base};
use dnd_model::language::{Cache, MatmulDtype, TokenBatch};
use dnd_train::Example;
use dnd_train::collect::{TuneSettings, Tuner, initial_adapter};

use super::{Bench, Result, VOCABULARY};

/// Sizes of the workloads.
pub struct Amount {
    /// Tokens to decode.
    pub answer: usize,
    /// Fine-tuning batch: (examples, tokens per example).
    pub step: (usize, usize),
}

/// Tokens of the prompt.
const PROMPT: usize = 32;
/// Answer tokens of a fine-tuning example.
const ANSWER: usize = 4;

/// Benchmarks both on a device, called `place` in the results.
pub fn measure(bench: &mut Bench, device: &Device, place: &str, amount: &Amount) -> Result<()> {
    let (examples, length) = amount.step;
    let tokens_of_a_step = examples * length;
    let answering = format!("answer of {} tokens, {place}", amount.answer);
    let tuning = format!("fine-tuning step of {examples} x {length} tokens, {place}");
    if !bench.wants(&answering) && !bench.wants(&tuning) {
        return Ok(());
    }
    let base = Base::open(&default_base(), MatmulDtype::F32, device)?;
    let run = || answer(&base, amount.answer);
    let work = Some((amount.answer as f64, "tokens"));
    bench.run(&answering, work, &mut [("dnd".to_owned(), Box::new(run))])?;

    let dimensions = &base.model.config().dimensions;
    let layout = Layout::new(BASE_MODEL, dimensions, 8, 16.0, &Projection::ALL)?;
    let initial = initial_adapter(&layout, 0);
    let settings = TuneSettings {
        batch: examples,
        ..TuneSettings::default()
    };
    let example = |index| Example {
        tokens: tokens(index * length, length),
        answer_start: length - ANSWER,
    };
    let examples: Vec<Example> = (0..examples).map(example).collect();
    let mut tuner = Tuner::new(&base.model, &initial, &examples, &settings);
    let step = || {
        let started = Instant::now();
        // Reads the loss back, which waits for the whole step.
        tuner.step()?;
        Ok(started.elapsed().as_secs_f64())
    };
    let work = Some((tokens_of_a_step as f64, "tokens"));
    bench.run(&tuning, work, &mut [("dnd".to_owned(), Box::new(step))])
}

/// Seconds to decode `count` tokens greedily, without the time for the prompt.
fn answer(base: &Base, count: usize) -> Result<f64> {
    let mut cache = Cache::default();
    let prompt = tokens(0, PROMPT);
    let mut token = next(base, &prompt, &mut cache)?;
    let started = Instant::now();
    for _ in 0..count {
        token = next(base, &[token], &mut cache)?;
    }
    Ok(started.elapsed().as_secs_f64())
}

/// The most likely next token.
fn next(base: &Base, tokens: &[u32], cache: &mut Cache) -> Result<u32> {
    let batch = TokenBatch::after_prefix(&[tokens], cache.len());
    let hidden = base.model.forward(&batch, None, cache);
    let last = hidden.narrow(0, tokens.len() - 1, 1);
    let logits = base.model.logits(last).try_into_vec_as::<f32>()?;
    let likely = (0..logits.len()).max_by(|&a, &b| logits[a].total_cmp(&logits[b]));
    Ok(likely.ok_or("no logits")? as u32)
}

/// `count` token ids, different for each `start`.
fn tokens(start: usize, count: usize) -> Vec<u32> {
    let places = start..start + count;
    places
        .map(|place| (1000 + place * 7919 % VOCABULARY) as u32)
        .collect()
}
