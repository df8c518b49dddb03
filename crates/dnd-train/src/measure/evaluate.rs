//! `dnd eval`: methods on tasks.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use burn::tensor::Device;
use dnd_adapter::Adapter;
use dnd_model::lora::check_layout;
use dnd_model::{Lora, Workshop};

use super::{
    Method, Row, average_adapter, draw_bars, exact_matches, nearest_task, prompt_embedding,
    read_rows, write_rows,
};
use crate::collect::{Collection, Manifest};
use crate::generate::generate;
use crate::models::{Base, Encoder};
use crate::task::{Line, Role, Split, Task, TaskFolder};
use crate::{Error, Observer, files};

/// What to measure.
pub struct EvaluateOptions<'a> {
    /// The tasks; prompts come from their training lines, scores from their test lines.
    pub tasks: &'a TaskFolder,
    /// Names of the tasks; none means all with role `dev`.
    pub only: Vec<String>,
    /// The methods, in the order of the table's columns.
    pub methods: Vec<Method>,
    /// Most test lines a task.
    pub limit: Option<usize>,
    /// Most adapters that `mean` tries, spread evenly over the collection; none means all.
    pub mean_adapters: Option<usize>,
    /// Seed of the prompts that the generator draws.
    pub seed: u64,
    /// Where rows are written after each measurement, and found again by a later run.
    pub json: &'a Path,
    /// Keep the rows that the file has already.
    pub resume: bool,
}

/// Where adapters come from.
pub struct Sources<'a> {
    /// The base model.
    pub base: &'a Base,
    /// The encoder, for `generated` and `nearest`.
    pub encoder: Option<&'a Encoder>,
    /// A bundle ready to generate, for `generated`.
    pub workshop: Option<&'a Workshop>,
    /// Training adapters, for `nearest`, `average` and `mean`.
    pub collection: Option<&'a Collection>,
    /// The device of the encoder.
    pub device: &'a Device,
}

/// Scores each method on each task.
///
/// # Errors
/// When a task, adapter or collection cannot be read or does not fit; [`Error::Cancelled`], with
/// all finished rows on disk.
pub fn evaluate(
    sources: &Sources,
    options: &EvaluateOptions,
    observer: &dyn Observer,
) -> Result<Vec<Row>, Error> {
    let chosen: Vec<Task> = if options.only.is_empty() {
        let dev = options.tasks.tasks.iter();
        dev.filter(|task| task.role == Role::Dev).cloned().collect()
    } else {
        options.tasks.select(&options.only)?
    };
    // Found out now, a mistyped folder costs no measurement.
    files::check_output(options.json, &["csv", "svg"])?;
    for method in &options.methods {
        if let Method::Adapter(folder) = method {
            for task in &chosen {
                let adapter = read_adapter(folder, task)?;
                let dimensions = &sources.base.model.config().dimensions;
                check_layout(&adapter.layout, &folder.to_string_lossy(), dimensions)?;
            }
        }
    }
    if let Some(workshop) = sources.workshop {
        let dimensions = &sources.base.model.config().dimensions;
        check_layout(workshop.layout(), "--bundle", dimensions)?;
    }
    let training = Training::open(sources, &options.methods, &chosen, observer)?;
    let mut rows = if options.resume {
        read_rows(options.json)?
    } else {
        Vec::new()
    };
    for task in &chosen {
        let mut lines = options.tasks.lines(task, Split::Test)?;
        lines.truncate(options.limit.unwrap_or(usize::MAX));
        for method in &options.methods {
            let name = method.to_string();
            if rows
                .iter()
                .any(|row| row.task == task.name && row.method == name && row.n == lines.len())
            {
                continue;
            }
            rows.retain(|row| row.task != task.name || row.method != name);
            let started = Instant::now();
            let exact_match = measure(sources, &training, options, task, &lines, method, observer)?;
            rows.push(Row {
                task: task.name.clone(),
                method: name,
                exact_match,
                n: lines.len(),
                seconds: started.elapsed().as_secs_f64(),
            });
            write_rows(options.json, &rows)?;
        }
    }
    draw_bars(&options.json.with_extension("svg"), &rows)?;
    Ok(rows)
}

/// The collection's last snapshots, and the embeddings of its tasks' prompts.
struct Training {
    manifests: Vec<Manifest>,
    adapters: Vec<Adapter>,
    embeddings: Vec<Vec<f32>>,
}

impl Training {
    fn open(
        sources: &Sources,
        methods: &[Method],
        chosen: &[Task],
        observer: &dyn Observer,
    ) -> Result<Self, Error> {
        let mut training = Self {
            manifests: Vec::new(),
            adapters: Vec::new(),
            embeddings: Vec::new(),
        };
        let Some(collection) = sources
            .collection
            .filter(|_| methods.iter().any(Method::needs_collection))
        else {
            return Ok(training);
        };
        check_layout(
            &collection.header.layout,
            "--collection",
            &sources.base.model.config().dimensions,
        )?;
        training.manifests = collection.finished_some()?;
        for manifest in &training.manifests {
            if chosen.iter().any(|task| task.name == manifest.task) {
                observer.note(&format!(
                    "{}: the collection was tuned on this task; for it, nearest, average and mean \
                     are not held out",
                    manifest.task
                ));
            }
        }
        observer.begin("read the collection", training.manifests.len() as u64);
        for manifest in &training.manifests {
            training.adapters.push(collection.last_snapshot(manifest)?);
            if methods.contains(&Method::Nearest) {
                let prompts = collection.prompts(&manifest.task)?;
                let encoder = required(sources.encoder, "nearest", "an encoder")?;
                training
                    .embeddings
                    .push(prompt_embedding(encoder, &prompts, sources.device)?);
            }
            observer.advance(1, &manifest.task);
        }
        Ok(training)
    }
}

/// The response that most lines have; of several, the first in the alphabet.
fn most_frequent_response(lines: &[Line]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for line in lines {
        *counts.entry(line.response.trim()).or_default() += 1;
    }
    let most = counts
        .iter()
        .max_by_key(|(response, count)| (**count, std::cmp::Reverse(**response)));
    most.map(|(response, _)| (*response).to_owned())
        .unwrap_or_default()
}

/// Part of the lines with this response.
fn share_of(response: &str, lines: &[Line]) -> f64 {
    let right = lines.iter().filter(|line| line.response.trim() == response);
    right.count() as f64 / lines.len() as f64
}

/// The PEFT directory `folder`, `{task}` in it being the task's name.
fn read_adapter(folder: &Path, task: &Task) -> Result<Adapter, Error> {
    let folder = folder.to_string_lossy().replace("{task}", &task.name);
    files::read_peft(Path::new(&folder))
}

fn required<T>(source: Option<T>, method: &str, what: &str) -> Result<T, Error> {
    source.ok_or_else(|| Error::argument(&format!("methods: {method}"), what, "none"))
}

fn measure(
    sources: &Sources,
    training: &Training,
    options: &EvaluateOptions,
    task: &Task,
    lines: &[Line],
    method: &Method,
    observer: &dyn Observer,
) -> Result<f64, Error> {
    let base = sources.base;
    let score = |adapter: Option<&Adapter>| {
        let lora = adapter.map(|adapter| Lora::from_adapter(adapter, base.model.device()));
        let matches = exact_matches(base, lines, lora.as_ref(), observer)?;
        let right = matches.iter().filter(|right| **right).count();
        Ok::<_, Error>(right as f64 / matches.len() as f64)
    };
    let prompts = || -> Result<Vec<String>, Error> {
        let lines = options.tasks.lines(task, Split::Train)?;
        Ok(lines.into_iter().map(|line| line.prompt).collect())
    };
    if method.needs_collection() {
        required(sources.collection, &method.to_string(), "a --collection")?;
    }
    let stage = format!("{} {method}", task.name);
    let passes = match method {
        Method::Mean => options
            .mean_adapters
            .unwrap_or(usize::MAX)
            .min(training.adapters.len()),
        _ => 1,
    };
    observer.begin(&stage, (passes * lines.len()) as u64);
    match method {
        Method::Majority => {
            let train = options.tasks.lines(task, Split::Train)?;
            Ok(share_of(&most_frequent_response(&train), lines))
        }
        Method::Base => score(None),
        Method::Adapter(folder) => score(Some(&read_adapter(folder, task)?)),
        Method::Generated => {
            let workshop = required(sources.workshop, "generated", "a --bundle")?;
            score(Some(
                &generate(workshop, &prompts()?, options.seed)?.adapter,
            ))
        }
        Method::Nearest => {
            let encoder = required(sources.encoder, "nearest", "an encoder")?;
            let embedding = prompt_embedding(encoder, &prompts()?, sources.device)?;
            let nearest = nearest_task(&embedding, &training.embeddings);
            let name = &training.manifests[nearest].task;
            observer.note(&format!("{}: nearest is {name}", task.name));
            score(Some(&training.adapters[nearest]))
        }
        Method::Average => {
            let collection = required(sources.collection, "average", "a --collection")?;
            let layout = &collection.header.layout;
            score(Some(&average_adapter(layout, training.adapters.iter())))
        }
        Method::Mean => {
            let mut total = 0.0;
            for pass in 0..passes {
                total += score(Some(
                    &training.adapters[pass * training.adapters.len() / passes],
                ))?;
            }
            Ok(total / passes as f64)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_majority_counts_on_other_lines() {
        let lines = |responses: &[&str]| -> Vec<Line> {
            let line = |response: &&str| Line {
                prompt: "?".to_owned(),
                response: (*response).to_owned(),
                system: None,
            };
            responses.iter().map(line).collect()
        };
        let response = most_frequent_response(&lines(&["b", "a", "a", "b", "c"]));
        assert_eq!(response, "a");
        assert!((share_of(&response, &lines(&["a", "b", "a ", "c"])) - 0.5).abs() < 1e-9);
    }
}
