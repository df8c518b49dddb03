//! The training loop of both objectives: steps, loss curve, checkpoints, the best point, the
//! bundle.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use dnd_adapter::{Bundle, Layout};
use dnd_files::Observer;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::checkpoint::{clear, find, foreign, replace, state_folder};
use crate::curve::{CurvePoint, draw_curve, read_curve, write_curve};
use crate::values::mean;
use crate::{Error, Processes};

/// How the weights of a generator are learned.
pub(crate) trait Objective {
    /// Unit of the losses, for the axis of the curve.
    const UNIT: &'static str;
    /// What validation computes losses of.
    const VALIDATED: &'static str;

    /// When to stop and when to report.
    fn schedule(&self) -> Schedule;
    /// Learning rate of the generator at `step`, counted from zero.
    fn rate(&self, step: usize) -> f64;
    /// Takes the optimizer step number `step`, whose draws depend on that number alone, so that a
    /// resumed run draws the same.
    fn step(&mut self, step: usize) -> Result<StepFigures, Error>;
    /// Losses on what training does not see.
    fn validate(&self) -> Result<ValidationLosses, Error>;
    /// The bundle of the present weights, with `inputs` in its provenance.
    fn pack(&self, inputs: Map<String, Value>, point: &CurvePoint) -> Result<Bundle, Error>;
    /// Writes weights and optimizer states into a folder.
    fn save(&self, folder: &Path) -> Result<(), Error>;
    /// Reads what [`save`](Self::save) wrote.
    fn load(&mut self, folder: &Path) -> Result<(), Error>;
}

/// When a training run stops and when it reports.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schedule {
    /// Optimizer steps, at most.
    pub(crate) steps: usize,
    /// Steps between points of the curve.
    pub(crate) report_every: usize,
    /// Reports without a better decisive loss after which training ends; zero never ends it.
    pub(crate) patience: usize,
}

/// What one step did.
pub(crate) struct StepFigures {
    /// Training loss.
    pub(crate) loss: f32,
    /// Norm of the generator's gradients before clipping, where it had any.
    pub(crate) generator_norm: Option<f32>,
    /// Norm of the mean adapter's gradient before clipping, where it is trained.
    pub(crate) mean_norm: Option<f32>,
    /// Root mean square of the generator's output.
    pub(crate) size: Option<f32>,
    /// Tokens that the base model computed.
    pub(crate) tokens: usize,
}

/// Losses on what training does not see: prompts for one objective, tasks for the other.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ValidationLosses {
    /// Of tasks asked in full, or of weights.
    pub(crate) full: Losses,
    /// Of tasks asked bare.
    pub(crate) bare: Losses,
    /// The one by which the best weights are chosen; `None` keeps the last weights.
    pub(crate) decisive: Option<f32>,
}

/// Losses under different adapters.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Losses {
    /// Under the mean adapter alone.
    pub(crate) mean: Option<f32>,
    /// Under generated adapters.
    pub(crate) generated: Option<f32>,
    /// Under adapters generated from another task's prompts: no higher than `generated` where the
    /// prompts do not matter.
    pub(crate) shuffled: Option<f32>,
}

/// What decides a bundle: the same inputs make the same one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Identity {
    layout: Layout,
    inputs: Map<String, Value>,
}

impl Identity {
    /// `inputs` are compared as they come back from a JSON file.
    pub(crate) fn new(layout: &Layout, inputs: Map<String, Value>) -> Result<Self, Error> {
        let comparable = serde_json::to_string(&inputs)
            .and_then(|text| serde_json::from_str(&text))
            .map_err(|e| Error::argument("recipe", "values that JSON can hold", e))?;
        Ok(Self {
            layout: layout.clone(),
            inputs: comparable,
        })
    }

    /// The bundle that a run with this identity left at `out`, if there is one.
    pub(crate) fn finished(
        &self,
        out: &Path,
        observer: &dyn Observer,
    ) -> Result<Option<Bundle>, Error> {
        if !out.exists() || state_folder(out).exists() {
            return Ok(None);
        }
        let name = out.display().to_string();
        let bundle = Bundle::read(&dnd_files::read(out)?, &name)?;
        let provenance = &bundle.header.provenance;
        let is_same = bundle.header.layout == self.layout
            && self
                .inputs
                .iter()
                .all(|(key, value)| provenance[key] == *value);
        if is_same {
            observer.note(&format!("{name}: finished before"));
        }
        Ok(is_same.then_some(bundle))
    }
}

/// The file `state.json` of a checkpoint.
#[derive(Serialize, Deserialize)]
struct State {
    identity: Identity,
    progress: Progress,
    /// Points of the curve, which has a file of its own.
    points: usize,
    /// Seconds of all processes.
    seconds: f64,
}

/// Steps done, and figures since the last point of the curve.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Progress {
    step: usize,
    losses: Vec<f32>,
    generator_norms: Vec<f32>,
    mean_norms: Vec<f32>,
    sizes: Vec<f32>,
    best: Option<Best>,
}

/// The point with the lowest decisive loss.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Best {
    step: usize,
    loss: f32,
    reports_since: usize,
}

impl Progress {
    fn add(&mut self, figures: &StepFigures) {
        self.step += 1;
        self.losses.push(figures.loss);
        self.generator_norms.extend(figures.generator_norm);
        self.mean_norms.extend(figures.mean_norm);
        self.sizes.extend(figures.size);
    }

    /// Records a decisive loss; returns whether it is the best so far.
    fn record(&mut self, loss: f32) -> bool {
        match &mut self.best {
            // A loss that is not a number is never better.
            Some(best) if loss.is_nan() || loss >= best.loss => {
                best.reports_since += 1;
                false
            }
            best => {
                *best = Some(Best {
                    step: self.step,
                    loss,
                    reports_since: 0,
                });
                true
            }
        }
    }

    fn is_finished(&self, schedule: Schedule) -> bool {
        let is_out_of_patience = self
            .best
            .is_some_and(|best| schedule.patience > 0 && best.reports_since >= schedule.patience);
        self.step >= schedule.steps || is_out_of_patience
    }
}

/// The bundle of the best point, in a checkpoint.
const BEST: &str = "best.safetensors";

/// A training run.
struct Run<'a, O> {
    objective: O,
    identity: &'a Identity,
    out: &'a Path,
    processes: &'a dyn Processes,
    progress: Progress,
    best_bundle: Option<Vec<u8>>,
    /// Whether the last checkpoint has this bundle.
    best_is_saved: bool,
    curve: Vec<CurvePoint>,
    /// Seconds that earlier processes took.
    earlier: f64,
    started: Instant,
    pace: Pace,
}

/// When checkpoints are due between reports: after every step, unless that would take more than a
/// twentieth of the time.
struct Pace {
    saved: Instant,
    cost: Duration,
}

impl Pace {
    fn new() -> Self {
        Self {
            saved: Instant::now(),
            cost: Duration::ZERO,
        }
    }

    fn is_due(&self, now: Instant) -> bool {
        now - self.saved >= 19 * self.cost
    }
}

/// Trains by `objective` and writes the bundle `out`, the loss curve beside it as `.csv` and
/// `.svg`. Resumes an interrupted run of the same identity from its checkpoint. Where validation
/// decides, the bundle holds the best weights, else the last. Of several processes the first one
/// writes; the others have to see the same files.
///
/// # Errors
/// When a file cannot be read or written; [`dnd_files::Error::Cancelled`] after a checkpoint.
pub(crate) fn train<O: Objective>(
    objective: O,
    identity: &Identity,
    out: &Path,
    processes: &dyn Processes,
    observer: &dyn Observer,
) -> Result<Bundle, Error> {
    let schedule = objective.schedule();
    let mut run = Run {
        objective,
        identity,
        out,
        processes,
        progress: Progress::default(),
        best_bundle: None,
        best_is_saved: false,
        curve: Vec::new(),
        earlier: 0.0,
        started: Instant::now(),
        pace: Pace::new(),
    };
    run.resume(observer)?;
    let (mut tokens, mut reported) = (0, Instant::now());
    observer.begin("train", schedule.steps as u64);
    observer.advance(run.progress.step as u64, "");
    while !run.progress.is_finished(schedule) {
        let step = run.progress.step;
        let rate = run.objective.rate(step);
        let figures = run.objective.step(step)?;
        tokens += figures.tokens;
        run.progress.add(&figures);
        let step = step + 1;
        let is_report = step.is_multiple_of(schedule.report_every) || step == schedule.steps;
        if is_report {
            let speed = tokens as f64 / reported.elapsed().as_secs_f64();
            let point = run.report(rate, (tokens > 0).then_some(speed))?;
            observer.note(&point.words(O::VALIDATED));
            (tokens, reported) = (0, Instant::now());
        }
        let is_cancelled =
            processes.any(observer.is_cancelled()) && !run.progress.is_finished(schedule);
        if is_report || is_cancelled || run.pace.is_due(Instant::now()) {
            run.save()?;
        }
        observer.advance(1, &format!("loss {:.3}", figures.loss));
        if is_cancelled {
            return Err(dnd_files::Error::Cancelled.into());
        }
    }
    run.finish(observer)
}

impl<O: Objective> Run<'_, O> {
    /// Loads the checkpoint of an interrupted run, if there is one.
    fn resume(&mut self, observer: &dyn Observer) -> Result<(), Error> {
        let folder = state_folder(self.out);
        let mut points = 0;
        if let Some(state) = find::<State>(&folder)? {
            if state.identity != *self.identity {
                return Err(foreign(&folder));
            }
            self.objective.load(&folder)?;
            if state.progress.best.is_some() {
                self.best_bundle = Some(dnd_files::read(&folder.join(BEST))?);
            }
            self.progress = state.progress;
            self.best_is_saved = true;
            self.earlier = state.seconds;
            points = state.points;
        }
        let step = self.progress.step;
        if !self.processes.agree(step) {
            return Err(Error::argument(
                "state of the run",
                "the same files in all processes",
                format!(
                    "{}: step {step} in some, another in others",
                    folder.display()
                ),
            ));
        }
        if points > 0 {
            self.curve = read_curve(&self.out.with_extension("csv"))?;
            self.curve.truncate(points);
        }
        if step > 0 {
            observer.note(&format!("resuming after step {step}"));
        }
        Ok(())
    }

    /// Seconds of training, those of earlier processes too.
    fn seconds(&self) -> f64 {
        self.earlier + self.started.elapsed().as_secs_f64()
    }

    fn save(&mut self) -> Result<(), Error> {
        if !self.processes.writes() {
            return Ok(());
        }
        let started = Instant::now();
        tracing::debug!(step = self.progress.step, "checkpoint");
        let state = State {
            identity: self.identity.clone(),
            progress: self.progress.clone(),
            points: self.curve.len(),
            seconds: self.seconds(),
        };
        let folder = state_folder(self.out);
        let saved = self.best_is_saved.then(|| folder.join(BEST));
        replace(&folder, &state, |folder| {
            self.objective.save(folder)?;
            let best = folder.join(BEST);
            // Not all file systems have links.
            let is_linked = saved.is_some_and(|saved| fs::hard_link(saved, &best).is_ok());
            match &self.best_bundle {
                Some(bundle) if !is_linked => Ok(dnd_files::write(&best, bundle)?),
                _ => Ok(()),
            }
        })?;
        self.best_is_saved = true;
        let saved = Instant::now();
        self.pace = Pace {
            saved,
            cost: saved - started,
        };
        Ok(())
    }

    /// Adds a point to the curve, and keeps the weights if they are the best so far.
    fn report(&mut self, rate: f64, tokens_per_second: Option<f64>) -> Result<CurvePoint, Error> {
        let losses = self.objective.validate()?;
        let seconds = self.seconds();
        let progress = &mut self.progress;
        let mean_of = |values: &mut Vec<f32>| {
            let values = std::mem::take(values);
            (!values.is_empty()).then(|| mean(&values))
        };
        let point = CurvePoint {
            step: progress.step,
            rate,
            loss: mean(&std::mem::take(&mut progress.losses)),
            mean_loss: losses.full.mean,
            generated_loss: losses.full.generated,
            shuffled_loss: losses.full.shuffled,
            bare_mean_loss: losses.bare.mean,
            bare_generated_loss: losses.bare.generated,
            bare_shuffled_loss: losses.bare.shuffled,
            generator_norm: mean_of(&mut progress.generator_norms),
            mean_norm: mean_of(&mut progress.mean_norms),
            size: mean_of(&mut progress.sizes),
            tokens_per_second,
            seconds,
        };
        if losses.decisive.is_some_and(|loss| progress.record(loss)) {
            self.best_bundle = Some(self.pack(&point)?.write()?);
            self.best_is_saved = false;
        }
        self.curve.push(point);
        if self.processes.writes() {
            write_curve(&self.out.with_extension("csv"), &self.curve)?;
        }
        Ok(point)
    }

    fn pack(&self, point: &CurvePoint) -> Result<Bundle, Error> {
        self.objective.pack(self.identity.inputs.clone(), point)
    }

    /// Draws the curve, writes the bundle and removes the checkpoint.
    fn finish(self, observer: &dyn Observer) -> Result<Bundle, Error> {
        if let Some(best) = self.progress.best {
            observer.note(&format!(
                "best loss on {}: {:.3}, after step {}",
                O::VALIDATED,
                best.loss,
                best.step
            ));
        }
        let bytes = match (&self.best_bundle, self.curve.last()) {
            (Some(best), _) => best.clone(),
            (None, Some(point)) => self.pack(point)?.write()?,
            (None, None) => return Err(Error::argument("steps", "at least 1", 0)),
        };
        let bundle = Bundle::read(&bytes, &self.out.display().to_string())?;
        if self.processes.writes() {
            let picture = self.out.with_extension("svg");
            draw_curve(&picture, O::UNIT, O::VALIDATED, &self.curve)?;
            dnd_files::write(self.out, &bytes)?;
            clear(&state_folder(self.out))?;
        }
        Ok(bundle)
    }
}

#[cfg(test)]
mod tests {
    use dnd_files::Silent;
    use dnd_test_support::small_layout;

    use super::*;

    /// An objective that learns nothing.
    struct Idle;

    impl Objective for Idle {
        const UNIT: &'static str = "nats";
        const VALIDATED: &'static str = "unseen prompts";

        fn schedule(&self) -> Schedule {
            Schedule {
                steps: 10,
                report_every: 5,
                patience: 2,
            }
        }
        fn rate(&self, _: usize) -> f64 {
            0.0
        }
        fn step(&mut self, _: usize) -> Result<StepFigures, Error> {
            Ok(StepFigures {
                loss: 1.0,
                generator_norm: None,
                mean_norm: None,
                size: None,
                tokens: 0,
            })
        }
        fn validate(&self) -> Result<ValidationLosses, Error> {
            Ok(ValidationLosses::default())
        }
        fn pack(&self, _: Map<String, Value>, _: &CurvePoint) -> Result<Bundle, Error> {
            Err(Error::argument("objective", "one with weights", "none"))
        }
        fn save(&self, _: &Path) -> Result<(), Error> {
            Ok(())
        }
        fn load(&mut self, _: &Path) -> Result<(), Error> {
            Ok(())
        }
    }

    fn identity(seed: u64) -> Identity {
        let inputs = [("seed".to_owned(), Value::from(seed))];
        Identity::new(&small_layout(), inputs.into_iter().collect()).unwrap()
    }

    fn new_run<'a>(identity: &'a Identity, out: &'a Path) -> Run<'a, Idle> {
        Run {
            objective: Idle,
            identity,
            out,
            processes: &crate::Alone,
            progress: Progress::default(),
            best_bundle: None,
            best_is_saved: false,
            curve: Vec::new(),
            earlier: 0.0,
            started: Instant::now(),
            pace: Pace::new(),
        }
    }

    #[test]
    fn checkpoints_take_at_most_a_twentieth_of_the_time() {
        let saved = Instant::now();
        let second = Duration::from_secs(1);
        let is_due = |cost, after| Pace { saved, cost }.is_due(saved + after);
        assert!(is_due(Duration::ZERO, Duration::ZERO));
        assert!(is_due(second, 19 * second));
        assert!(!is_due(second, 18 * second));
    }

    #[test]
    fn a_checkpoint_resumes_its_own_run_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("bundle.safetensors");
        let (own, other) = (identity(1), identity(2));
        let mut run = new_run(&own, &out);
        run.progress.add(&run.objective.step(0).unwrap());
        run.save().unwrap();

        let mut resumed = new_run(&own, &out);
        resumed.resume(&Silent).unwrap();
        assert_eq!(resumed.progress.step, 1);
        let error = new_run(&other, &out).resume(&Silent).unwrap_err();
        assert!(error.to_string().contains("another run"), "{error}");

        let header = state_folder(&out).join("state.json");
        dnd_files::write(&header, b"{}").unwrap();
        let error = new_run(&own, &out).resume(&Silent).unwrap_err();
        assert!(error.to_string().contains("delete the folder"), "{error}");
    }

    #[test]
    fn an_earlier_curve_is_not_that_of_a_run_without_points() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("bundle.safetensors");
        dnd_files::write(&out.with_extension("csv"), b"step,old_column\n1,2\n").unwrap();
        let own = identity(1);
        let mut run = new_run(&own, &out);
        run.progress.add(&run.objective.step(0).unwrap());
        run.best_bundle = Some(b"best".to_vec());
        run.save().unwrap();
        // The second checkpoint takes the bundle from the first.
        run.save().unwrap();
        let best = state_folder(&out).join(BEST);
        assert_eq!(dnd_files::read(&best).unwrap(), b"best");

        let mut resumed = new_run(&own, &out);
        resumed.resume(&Silent).unwrap();
        assert_eq!((resumed.progress.step, resumed.curve.len()), (1, 0));
    }

    #[test]
    fn an_earlier_curve_does_not_stop_a_new_run() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("bundle.safetensors");
        dnd_files::write(&out.with_extension("csv"), b"step,old_column\n1,2\n").unwrap();
        let own = identity(1);
        let mut run = new_run(&own, &out);
        run.resume(&Silent).unwrap();
        assert!(run.curve.is_empty());
    }

    #[test]
    fn training_ends_out_of_patience() {
        let schedule = Idle.schedule();
        let mut progress = Progress::default();
        assert!(progress.record(2.0));
        assert!(!progress.record(f32::NAN));
        assert!(!progress.is_finished(schedule));
        assert!(progress.record(1.0));
        assert!(!progress.record(1.5));
        assert!(!progress.is_finished(schedule));
        assert!(!progress.record(1.0));
        assert!(progress.is_finished(schedule));
        progress.best = None;
        assert!(!progress.is_finished(schedule));
        progress.step = schedule.steps;
        assert!(progress.is_finished(schedule));
    }
}
