//! `dnd train --objective behaviour`: from tasks to a bundle.

use std::path::Path;
use std::time::Instant;

use dnd_adapter::{Bundle, EncoderId};
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::curve::{BehaviourPoint, draw_curve};
use super::data::BehaviourData;
use super::fitting::Fitting;
use super::objective::Objective;
use super::pack::pack;
use super::plan::Plan;
use super::start::Start;
use super::state::{load, save};
use super::validate::held_out_losses;
use crate::fit::Recipe;
use crate::fit::curve::{read_rows, write_rows};
use crate::fit::state_folder::{clear, state_folder};
use crate::fit::values::mean;
use crate::models::{Base, Encoder};
use crate::task::TaskFolder;
use crate::{Error, Observer, files};

/// What to fit to and how.
pub struct BehaviourOptions<'a> {
    /// Folders of tasks; those with role `train` are taken.
    pub tasks: &'a [TaskFolder],
    /// Take only tasks whose licence lets weights trained on them be given away, whatever the
    /// recipe says.
    pub ship: bool,
    /// Names of tasks that are left out, to validate with.
    pub held_out: Vec<String>,
    /// Most tasks that are trained on, spread over all.
    pub most_tasks: Option<usize>,
    /// What to start from.
    pub start: Start,
    /// The settings.
    pub recipe: &'a Recipe,
    /// The bundle to write; beside it come the loss curve as `.csv` and `.svg`.
    pub out: &'a Path,
}

/// Fits a generator, and the mean adapter that it starts from, to tasks. An interrupted fit of the
/// same recipe, start and tasks is gone on with. Where tasks are held out, the bundle holds the
/// weights with which these were answered best.
///
/// # Errors
/// When a file is missing or malformed, or an option cannot be used; [`Error::Cancelled`] after
/// saving the state.
pub fn fit_behaviour(
    base: &Base,
    encoder: &Encoder,
    options: &BehaviourOptions,
    observer: &dyn Observer,
) -> Result<Bundle, Error> {
    files::check_output(options.out, &["csv", "svg"])?;
    let plan = Plan::new(base, encoder, options)?;
    if let Some(finished) = finished(&plan, options.out, observer)? {
        return Ok(finished);
    }
    let device = base.model.device();
    let folder = state_folder(options.out);
    let header = plan.header();
    let data = BehaviourData::open(&plan.choice, base, encoder, plan.recipe, observer)?;
    let fitting = load(&folder, &header, Fitting::new(&plan, &data, device)?)?;
    let settings = &plan.recipe.behaviour;
    let mut run = Run {
        data,
        objective: Objective::new(
            &base.model,
            &plan.layout,
            settings.token_limit,
            settings.size_penalty,
        ),
        encoder: encoder.id()?,
        plan: &plan,
        out: options.out,
        fitting,
        curve: Vec::new(),
    };
    run.continue_curve(observer)?;
    let mut clock = Clock::new(&run.curve);
    observer.begin("train", settings.steps as u64);
    observer.advance(run.fitting.progress.step as u64, "");
    while !run.fitting.is_finished(settings) {
        let rate = run.fitting.rate(settings);
        clock.tokens += run.step()?;
        let step = run.fitting.progress.step;
        let is_report = step.is_multiple_of(settings.report_every) || step == settings.steps;
        if is_report {
            let point = run.report(rate, &mut clock)?;
            observer.note(&point.words());
        }
        let is_cancelled = observer.is_cancelled() && !run.fitting.is_finished(settings);
        if is_report || is_cancelled {
            save(&folder, &header, &run.fitting)?;
        }
        let loss = run.fitting.progress.losses.last().copied();
        let loss = loss.or(run.curve.last().map(|point| point.loss));
        observer.advance(1, &format!("loss {:.3}", loss.unwrap_or(f32::NAN)));
        if is_cancelled {
            return Err(Error::Cancelled);
        }
    }
    let bundle = run.finish(observer)?;
    clear(&folder)?;
    Ok(bundle)
}

/// The bundle that the same plan left at `out`, if it did.
fn finished(plan: &Plan, out: &Path, observer: &dyn Observer) -> Result<Option<Bundle>, Error> {
    if !out.exists() || state_folder(out).exists() {
        return Ok(None);
    }
    let name = out.display().to_string();
    let bundle = Bundle::read(&files::read(out)?, &name)?;
    let provenance = &bundle.header.provenance;
    let is_same = bundle.header.layout == plan.layout
        && plan
            .inputs()
            .iter()
            .all(|(key, value)| provenance[key] == *value);
    if is_same {
        observer.note(&format!("{name}: finished before"));
    }
    Ok(is_same.then_some(bundle))
}

/// Time and tokens since the last report.
struct Clock {
    earlier: f64,
    started: Instant,
    reported: Instant,
    tokens: usize,
}

impl Clock {
    /// Starts after the time that a curve records.
    fn new(curve: &[BehaviourPoint]) -> Self {
        let now = Instant::now();
        Self {
            earlier: curve.last().map_or(0.0, |point| point.seconds),
            started: now,
            reported: now,
            tokens: 0,
        }
    }
}

/// A fit with all that it needs.
struct Run<'a> {
    plan: &'a Plan<'a>,
    data: BehaviourData,
    objective: Objective<'a>,
    encoder: EncoderId,
    out: &'a Path,
    fitting: Fitting,
    curve: Vec<BehaviourPoint>,
}

impl Run<'_> {
    /// Reads the curve as far as the fit has come.
    fn continue_curve(&mut self, observer: &dyn Observer) -> Result<(), Error> {
        let step = self.fitting.progress.step;
        self.curve = read_rows(&self.out.with_extension("csv"))?;
        self.curve.retain(|point| point.step <= step);
        if step > 0 {
            observer.note(&format!("going on after step {step}"));
        }
        Ok(())
    }

    /// Takes a step; gives the tokens of its lines.
    fn step(&mut self) -> Result<usize, Error> {
        let settings = &self.plan.recipe.behaviour;
        // A generator of its own for every step, so that a resumed run draws the same.
        let step = self.fitting.progress.step as u64;
        let mut random = StdRng::seed_from_u64(settings.seed.wrapping_add(1 + step));
        let drawn = self.data.draw(settings, &mut random)?;
        let gradients = self.objective.gradients(&self.fitting.learner, &drawn)?;
        self.fitting.step(gradients, settings)?;
        let examples = drawn.iter().flat_map(|task| &task.examples);
        Ok(examples.map(|example| example.tokens.len()).sum())
    }

    /// Adds a point to the curve, and keeps the weights if they are the best so far.
    fn report(&mut self, rate: f64, clock: &mut Clock) -> Result<BehaviourPoint, Error> {
        let settings = &self.plan.recipe.behaviour;
        let training = clock.reported.elapsed().as_secs_f64();
        let learner = &self.fitting.learner;
        let losses = held_out_losses(&self.objective, learner, &self.data, settings)?;
        let progress = &mut self.fitting.progress;
        let mean_of = |values: &mut Vec<f32>| {
            let values = std::mem::take(values);
            (!values.is_empty()).then(|| mean(&values))
        };
        let point = BehaviourPoint {
            step: progress.step,
            rate,
            loss: mean(&std::mem::take(&mut progress.losses)),
            mean_loss: losses.map(|losses| losses.mean),
            generated_loss: losses.and_then(|losses| losses.generated),
            shuffled_loss: losses.and_then(|losses| losses.shuffled),
            generator_norm: mean_of(&mut progress.generator_norms),
            mean_norm: mean(&std::mem::take(&mut progress.mean_norms)),
            size: mean_of(&mut progress.sizes),
            tokens_per_second: clock.tokens as f64 / training,
            seconds: clock.earlier + clock.started.elapsed().as_secs_f64(),
        };
        clock.tokens = 0;
        clock.reported = Instant::now();
        let is_best = losses.is_some_and(|losses| self.fitting.record(losses.decisive()));
        if is_best {
            self.fitting.best_bundle = Some(self.pack(&point)?.write()?);
        }
        self.curve.push(point);
        write_rows(&self.out.with_extension("csv"), &self.curve)?;
        Ok(point)
    }

    fn pack(&self, point: &BehaviourPoint) -> Result<Bundle, Error> {
        let learner = &self.fitting.learner;
        pack(learner, self.plan, &self.data, &self.encoder, point)
    }

    /// Draws the curve and writes the bundle.
    fn finish(self, observer: &dyn Observer) -> Result<Bundle, Error> {
        draw_curve(&self.out.with_extension("svg"), &self.curve)?;
        if let Some(best) = self.fitting.progress.best {
            observer.note(&format!(
                "best held-out loss {:.3}, after step {}",
                best.loss, best.step
            ));
        }
        let name = self.out.display().to_string();
        let bytes = match (&self.fitting.best_bundle, self.curve.last()) {
            (Some(best), _) => best.clone(),
            (None, Some(point)) => self.pack(point)?.write()?,
            (None, None) => return Err(Error::argument("steps", "at least 1", 0)),
        };
        let bundle = Bundle::read(&bytes, &name)?;
        files::write(self.out, &bytes)?;
        Ok(bundle)
    }
}
