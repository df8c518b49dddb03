//! `dnd train`: from a collection to a bundle.

use std::path::Path;
use std::time::Instant;

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use dnd_adapter::{Bundle, BundleHeader, Precision, bundle};
use dnd_model::Generator;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Map, Value, json};

use super::curve::{draw_curve, read_rows, write_rows};
use super::directions::set_directions;
use super::schedule::warm_up_then_cosine;
use super::state::{Progress, StateHeader, load, save};
use super::state_folder::{clear, state_folder};
use super::values::{mean, scalar};
use super::{CurvePoint, FitSettings, Recipe, TrainingData};
use crate::collect::Collection;
use crate::models::Encoder;
use crate::optimizer::adam_w;
use crate::{Error, Observer, files, gradients};

/// Largest number of tasks that a validation loss is taken over.
const VALIDATION_TASKS: usize = 8;

/// Fits a generator to a collection and writes the bundle `out`; beside it the loss curve as
/// `.csv` and `.svg`. An interrupted fit of the same recipe is gone on with.
///
/// # Errors
/// When a file is missing or malformed; [`Error::Cancelled`] after saving the state.
pub fn fit(
    collection: Collection,
    encoder: &Encoder,
    recipe: &Recipe,
    out: &Path,
    device: &Device,
    observer: &dyn Observer,
) -> Result<Bundle, Error> {
    files::check_output(out, &["csv", "svg"])?;
    let settings = &recipe.fit;
    let data = TrainingData::open(
        collection,
        encoder,
        &recipe.generator,
        settings,
        device,
        observer,
    )?;
    let layout = &data.collection().header.layout;
    let config = recipe
        .generator
        .config(encoder.model.hidden_size(), layout)?;
    let optimizer = adam_w(settings.weight_decay.into());
    let folder = state_folder(out);
    if out.exists() && !folder.exists() {
        let name = out.display().to_string();
        let finished = Bundle::read(&files::read(out)?, &name)?;
        let provenance = &finished.header.provenance;
        let inputs = inputs(&data, recipe);
        if inputs.iter().all(|(key, value)| provenance[key] == *value) {
            observer.note(&format!("{name}: finished before"));
            return Ok(finished);
        }
    }
    let mut header = StateHeader {
        progress: Progress::default(),
        recipe: recipe.clone(),
        collection: data.collection().header.clone(),
        tasks: data
            .manifests()
            .iter()
            .map(|manifest| manifest.task.clone())
            .collect(),
    };
    let mut generator = config.init(settings.seed, &device.clone().autodiff());
    set_directions(&mut generator, &data.task_embeddings(settings)?);
    let (progress, mut generator, mut optimizer) = load(&folder, &header, generator, optimizer)?;
    header.progress = progress;
    let start = header.progress.step;
    let curve_path = out.with_extension("csv");
    let mut curve: Vec<CurvePoint> = read_rows(&curve_path)?;
    curve.retain(|point| point.step <= start);
    if start > 0 {
        observer.note(&format!("going on after step {start}"));
    }

    let weights = data.token_weights();
    let started = Instant::now();
    let earlier = curve.last().map_or(0.0, |point| point.seconds);
    observer.begin("train", settings.steps as u64);
    observer.advance(start as u64, "");
    for step in start..settings.steps {
        // A generator of its own for every step, so that a resumed run draws the same pairs.
        let mut random = StdRng::seed_from_u64(settings.seed.wrapping_add(1 + step as u64));
        let (condition, target) = data.draw(settings, &mut random)?;
        let loss = weighted_error(generator.forward(condition), target, weights.clone());
        let mut gradients = GradientsParams::from_grads(loss.backward(), &generator);
        let progress = &mut header.progress;
        progress.losses.push(scalar(loss)?);
        progress
            .norms
            .push(gradients::clip(&generator, &mut gradients, settings.clip)?);
        let newest = [progress.losses.last(), progress.norms.last()];
        if !newest.into_iter().flatten().all(|value| value.is_finite()) {
            return Err(Error::Diverged { step });
        }
        let rate = settings.rate * warm_up_then_cosine(step, settings.steps, settings.warm_up);
        generator = optimizer.step(rate, generator, gradients);
        progress.step = step + 1;

        let is_last = progress.step == settings.steps;
        let is_cancelled = observer.is_cancelled() && !is_last;
        if progress.step.is_multiple_of(settings.report_every) || is_last {
            curve.push(CurvePoint {
                step: progress.step,
                rate,
                loss: mean(&std::mem::take(&mut progress.losses)),
                validation_loss: validation_loss(&generator, &data, settings, &weights)?,
                gradient_norm: mean(&std::mem::take(&mut progress.norms)),
                seconds: earlier + started.elapsed().as_secs_f64(),
            });
            write_rows(&curve_path, &curve)?;
            save(&folder, &header, &generator, &optimizer)?;
        } else if is_cancelled {
            save(&folder, &header, &generator, &optimizer)?;
        }
        let shown = curve.last().map_or(f32::NAN, |point| point.loss);
        observer.advance(1, &format!("loss {shown:.3}"));
        if is_cancelled {
            return Err(Error::Cancelled);
        }
    }
    draw_curve(&out.with_extension("svg"), &curve)?;
    let bundle = pack(&generator, &data, encoder, recipe, &curve)?;
    files::write(out, &bundle.write()?)?;
    clear(&folder)?;
    Ok(bundle)
}

/// Mean squared error of (B, T, rows, columns), each token weighted.
fn weighted_error(output: Tensor<4>, target: Tensor<4>, weights: Tensor<4>) -> Tensor<1> {
    ((output - target).square() * weights).mean()
}

fn validation_loss(
    generator: &Generator,
    data: &TrainingData,
    settings: &FitSettings,
    weights: &Tensor<4>,
) -> Result<f32, Error> {
    let generator = generator.valid();
    // The same draws every time, so that losses can be compared along the curve.
    let mut random = StdRng::seed_from_u64(settings.seed);
    let tasks = data.manifests().len();
    let step = tasks.div_ceil(VALIDATION_TASKS);
    let mut losses = Vec::new();
    for task in (0..tasks).step_by(step) {
        let (condition, target) = data.validation(task, settings, &mut random)?;
        let output = generator.forward(condition);
        losses.push(scalar(weighted_error(output, target, weights.clone()))?);
    }
    Ok(mean(&losses))
}

fn pack(
    generator: &Generator,
    data: &TrainingData,
    encoder: &Encoder,
    recipe: &Recipe,
    curve: &[CurvePoint],
) -> Result<Bundle, Error> {
    let layout = &data.collection().header.layout;
    let config = recipe
        .generator
        .config(encoder.model.hidden_size(), layout)?;
    let last = curve.last();
    let mut provenance = inputs(data, recipe);
    for (key, value) in [
        (
            "made_by",
            json!(format!("dnd {}", env!("CARGO_PKG_VERSION"))),
        ),
        (
            "all_tasks_ship",
            json!(data.manifests().iter().all(|manifest| manifest.ship)),
        ),
        ("loss", json!(last.map(|point| point.loss))),
        (
            "validation_loss",
            json!(last.map(|point| point.validation_loss)),
        ),
    ] {
        provenance.insert(key.to_owned(), value);
    }
    let header = BundleHeader {
        format: bundle::FORMAT,
        generator: serde_json::to_value(&config)
            .map_err(|e| Error::argument("generator", "a JSON value", e))?,
        layout: layout.clone(),
        encoder: encoder.id()?,
        prompts: recipe.generator.prompts,
        tokens_per_prompt: recipe.generator.tokens_per_prompt,
        tasks: Vec::new(),
        provenance: provenance.into(),
    };
    let mut bundle = Bundle {
        header,
        tensors: generator.to_tensors(Precision::F16)?,
    };
    bundle.set_statistics(&data.statistics, Precision::F16)?;
    bundle.set_task_embeddings(data.task_embeddings(&recipe.fit)?, Precision::F16)?;
    Ok(bundle)
}

/// What decides a bundle: the same inputs make the same one.
fn inputs(data: &TrainingData, recipe: &Recipe) -> Map<String, Value> {
    let tasks: Vec<&str> = data.manifests().iter().map(|m| m.task.as_str()).collect();
    let recipe = json!({ "generator": recipe.generator, "fit": recipe.fit });
    let settings = json!(data.collection().header.settings);
    [
        ("recipe", recipe),
        ("collected_with", settings),
        ("tasks", json!(tasks)),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into_iter()
    .collect()
}
