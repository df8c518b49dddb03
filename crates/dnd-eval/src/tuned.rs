//! Adapters tuned on a task's own lines, saved so that an interrupted run can resume.

use std::path::Path;
use std::time::Instant;

use dnd_adapter::{Adapter, Precision, peft};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha12Rng;
use serde::{Deserialize, Serialize};

use dnd_files::Observer;
use dnd_model::files::Base;
use dnd_tasks::Line;
use dnd_train::Error;
use dnd_train::Example;
use dnd_train::collect::{TuneSettings, Tuner};

use crate::fingerprint::Fingerprint;

/// Steps of few-shot tuning for any number of examples: enough to memorize one example.
const FEW_STEPS: usize = 40;
/// Learning rate of few-shot tuning: half that of a collection's adapters, because the few lines
/// repeat often.
const FEW_LEARNING_RATE: f64 = 1e-3;
/// Learning rate of tuning on all lines, the same as for a collection's adapters.
const FULL_LEARNING_RATE: f64 = 2e-3;
/// One in this many steps comes at the end, at a tenth of the learning rate.
const COOL_DOWN_FRACTION: usize = 10;

/// Number of steps and settings.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Tuning {
    /// Total number of steps.
    pub(super) steps: usize,
    /// Batch, rates and seed.
    pub(super) settings: TuneSettings,
}

impl Tuning {
    /// Few-shot tuning on this many examples.
    pub(super) fn few(examples: usize, seed: u64) -> Self {
        Self::new(FEW_STEPS, FEW_LEARNING_RATE, examples, seed)
    }

    /// Tuning on all of a task's examples.
    pub(super) fn full(steps: usize, examples: usize, seed: u64) -> Self {
        Self::new(steps, FULL_LEARNING_RATE, examples, seed)
    }

    fn new(steps: usize, rate: f64, examples: usize, seed: u64) -> Self {
        let defaults = TuneSettings::default();
        Self {
            steps,
            settings: TuneSettings {
                steps: steps - steps / COOL_DOWN_FRACTION,
                snapshots: (steps / COOL_DOWN_FRACTION).max(1),
                batch: defaults.batch.min(examples.max(1)),
                rate,
                seed,
                ..defaults
            },
        }
    }

    /// The settings in words.
    pub(super) fn words(&self, examples: usize) -> String {
        format!(
            "{} steps, batch {} of {examples} lines, learning rate {}, in the last {} steps a \
             tenth of it",
            self.steps, self.settings.batch, self.settings.rate, self.settings.snapshots
        )
    }
}

/// The record of a finished adapter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Record {
    /// Fingerprint of what it was tuned from.
    inputs: String,
    #[serde(flatten)]
    tuned: Tuned,
}

/// What tuning did.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Tuned {
    /// Loss of the first and of the last step.
    #[serde(default)]
    pub losses: [f32; 2],
    /// Wall-clock seconds.
    pub seconds: f64,
}

/// Tunes an adapter from `initial`, or reads it from `folder` if an earlier run tuned it from
/// the same inputs, and says so in a note. The README names `command`.
///
/// # Errors
/// When a line cannot be tokenized or a file cannot be written; [`dnd_files::Error::Cancelled`]
/// between steps.
pub(super) fn tune(
    base: &Base,
    initial: &Adapter,
    lines: &[Line],
    (tuning, command): (&Tuning, &str),
    (folder, inputs): (&Path, &str),
    observer: &dyn Observer,
) -> Result<(Adapter, Tuned), Error> {
    let path = folder.join("tuned.json");
    if path.exists() {
        let record: Record = dnd_files::read_json(&path)?;
        if record.inputs == inputs {
            observer.note(&format!("{}: finished before", folder.display()));
            return Ok((dnd_files::read_peft(folder)?, record.tuned));
        }
    }
    let (adapter, tuned) = run(base, initial, lines, tuning, observer)?;
    // Remove an old record before its files are replaced.
    if path.exists() {
        std::fs::remove_file(&path).map_err(|e| Error::file(&path, "cannot replace", e))?;
    }
    write(folder, &adapter, command, tuning, lines)?;
    let inputs = inputs.to_owned();
    dnd_files::write_json(&path, &Record { inputs, tuned })?;
    // Read the saved half-precision weights, so that a resumed run gives the same scores.
    Ok((dnd_files::read_peft(folder)?, tuned))
}

/// Lines in an order that the seed decides; few-shot tuning takes the first.
pub fn shuffled(lines: &[Line], seed: u64) -> Vec<Line> {
    let mut lines = lines.to_vec();
    lines.shuffle(&mut ChaCha12Rng::seed_from_u64(seed));
    lines
}

/// Tunes an adapter from `initial` on a few lines, and writes it as a PEFT folder; does nothing if
/// an earlier run did the same. `base_hash` tells the base model's weights from others.
///
/// # Errors
/// When a line cannot be tokenized or a file cannot be written; [`dnd_files::Error::Cancelled`]
/// between steps.
pub fn tune_on_few(
    base: &Base,
    initial: &Adapter,
    lines: &[Line],
    (seed, recompute): (u64, bool),
    (folder, base_hash): (&Path, &str),
    observer: &dyn Observer,
) -> Result<Tuned, Error> {
    let mut tuning = Tuning::few(lines.len(), seed);
    tuning.settings.recompute = recompute;
    observer.begin(&folder.display().to_string(), tuning.steps as u64);
    let start = peft::write(initial, Precision::F32)?;
    let inputs = Fingerprint::new("tune")
        .json(&(base_hash, base.matmul_dtype))?
        .json(&(&tuning, lines))?
        .text(&dnd_files::sha256(&start.model))
        .finish();
    let to = (folder, inputs.as_str());
    Ok(tune(base, initial, lines, (&tuning, "tune"), to, observer)?.1)
}

fn run(
    base: &Base,
    initial: &Adapter,
    lines: &[Line],
    tuning: &Tuning,
    observer: &dyn Observer,
) -> Result<(Adapter, Tuned), Error> {
    let examples = lines
        .iter()
        .map(|line| Example::new(base, line))
        .collect::<Result<Vec<_>, _>>()?;
    let started = Instant::now();
    let mut tuner = Tuner::new(&base.model, initial, &examples, &tuning.settings);
    let mut losses = Vec::with_capacity(tuning.steps);
    for _ in 0..tuning.steps {
        observer.check()?;
        let report = tuner.step()?;
        losses.push(report.loss);
        observer.advance(1, &format!("loss {:.3}", report.loss));
    }
    let ends = [losses.first(), losses.last()];
    let tuned = Tuned {
        losses: ends.map(|loss| loss.copied().unwrap_or_default()),
        seconds: started.elapsed().as_secs_f64(),
    };
    Ok((tuner.adapter()?, tuned))
}

/// Writes a tuned adapter with a note on how `command` tuned it.
fn write(
    folder: &Path,
    adapter: &Adapter,
    command: &str,
    tuning: &Tuning,
    lines: &[Line],
) -> Result<(), Error> {
    dnd_files::make_folder(folder)?;
    let note = format!("Tuned by `dnd {command}`: {}.", tuning.words(lines.len()));
    let prompts: Vec<String> = lines.iter().map(|line| line.prompt.clone()).collect();
    let readme = peft::readme(adapter, &note, peft::example_question(&prompts));
    let files = peft::write(adapter, Precision::F16)?;
    Ok(dnd_files::write_peft(folder, &files, &readme)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_can_be_tuned_with() {
        for tuning in [
            Tuning::few(1, 0),
            Tuning::few(256, 0),
            Tuning::full(75, 600, 0),
            Tuning::full(1, 600, 0),
        ] {
            tuning.settings.validate().unwrap();
            assert!(tuning.settings.steps <= tuning.steps);
        }
        assert_eq!(Tuning::few(4, 0).settings.batch, 4);
        assert_eq!(Tuning::full(300, 600, 0).settings.steps, 270);
    }
}
