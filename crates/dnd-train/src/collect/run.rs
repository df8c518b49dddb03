//! `dnd collect`: all tasks of a folder, one after the other.

use std::path::Path;
use std::time::Instant;

use dnd_adapter::{Adapter, Layout, Precision, Projection, peft};

use super::{Collection, CollectionHeader, Manifest, TuneSettings, Tuner, initial_adapter};
use crate::example::Example;
use crate::{Error, Shard};
use dnd_files::Observer;
use dnd_model::files::Base;
use dnd_tasks::{Role, Split, Task, TaskFolder};

/// What to collect and how.
#[derive(Debug, Clone)]
pub struct CollectOptions {
    /// Names of the tasks; none means all with role `train`.
    pub only: Vec<String>,
    /// Leave out tasks whose licence does not let weights trained on them be given away.
    pub ship: bool,
    /// Rank of the adapters.
    pub rank: usize,
    /// Alpha of the adapters.
    pub alpha: f32,
    /// Projections that they cover.
    pub targets: Vec<Projection>,
    /// Fine-tuning settings.
    pub settings: TuneSettings,
    /// The part of the tasks to do.
    pub shard: Shard,
}

/// Fine-tunes an adapter on each task and keeps its snapshots in the folder `out`. Tasks that are
/// finished there are passed over; the others start afresh.
///
/// # Errors
/// When a task cannot be read or a snapshot not be written; [`dnd_files::Error::Cancelled`]
/// between steps.
pub fn collect(
    base: &Base,
    tasks: &TaskFolder,
    out: &Path,
    options: &CollectOptions,
    observer: &dyn Observer,
) -> Result<Collection, Error> {
    options.settings.validate()?;
    let dimensions = &base.model.config().dimensions;
    let layout = Layout::new(
        &base.name,
        dimensions,
        options.rank,
        options.alpha,
        &options.targets,
    )?;
    let header = CollectionHeader {
        layout,
        settings: TuneSettings {
            // Decides nothing but the memory that it takes.
            recompute: false,
            ..options.settings.clone()
        },
        matmul_dtype: base.matmul_dtype,
    };
    let chosen = choose(tasks, options)?;
    let collection = Collection::create(out, header)?;
    let initial = initial_adapter(&collection.header.layout, options.settings.seed);
    for task in options.shard.of(chosen) {
        if let Some(manifest) = collection.manifest(&task.name)? {
            observer.note(&format!("{}: finished before", manifest.task));
            continue;
        }
        let start = (&initial, &options.settings);
        collect_task(base, tasks, &task, &collection, start, observer)?;
    }
    Ok(collection)
}

/// The tasks that the options name.
fn choose(tasks: &TaskFolder, options: &CollectOptions) -> Result<Vec<Task>, Error> {
    let mut chosen: Vec<Task> = if options.only.is_empty() {
        let all = tasks.tasks.iter();
        all.filter(|task| task.role == Role::Train)
            .cloned()
            .collect()
    } else {
        tasks.select(&options.only)?
    };
    // What is tuned on a held-out task is a yardstick, and never shipped anyway.
    chosen.retain(|task| !options.ship || task.ship || task.role == Role::Dev);
    if chosen.is_empty() {
        let wanted = if options.ship {
            "at least one task that may ship"
        } else {
            "at least one task with role `train`"
        };
        return Err(Error::argument("tasks", wanted, "none"));
    }
    Ok(chosen)
}

fn collect_task(
    base: &Base,
    tasks: &TaskFolder,
    task: &Task,
    collection: &Collection,
    (initial, settings): (&Adapter, &TuneSettings),
    observer: &dyn Observer,
) -> Result<(), Error> {
    let lines = tasks.lines(task, Split::Train)?;
    let mut examples = Vec::new();
    for &asked in &settings.asked {
        for line in &lines {
            examples.extend(Example::asked(base, line, asked)?);
        }
    }
    if examples.is_empty() {
        let expected = "a way in which the lines of the task can be asked";
        let found = format!("none for `{}`", task.name);
        return Err(Error::argument("collect.tune.asked", expected, found));
    }
    let folder = collection.task_folder(&task.name);
    dnd_files::make_folder(&folder.join("snapshots"))?;

    let started = Instant::now();
    let mut tuner = Tuner::new(&base.model, initial, &examples, settings);
    let mut log = String::from("step,phase,loss,gradient_norm\n");
    let (mut tokens, mut final_loss) = (0, 0.0);
    let total = settings.steps + settings.snapshots;
    observer.begin(&task.name, total as u64);
    for step in 0..total {
        observer.check()?;
        let report = tuner.step()?;
        let snapshot = step.checked_sub(settings.steps);
        let phase = if snapshot.is_some() {
            "snapshot"
        } else {
            "tune"
        };
        log.push_str(&format!(
            "{step},{phase},{},{}\n",
            report.loss, report.gradient_norm
        ));
        tokens += report.tokens;
        if let Some(index) = snapshot {
            final_loss += report.loss / settings.snapshots as f32;
            let peft = peft::write(&tuner.adapter()?, Precision::F16)?;
            dnd_files::write(&collection.snapshot_path(&task.name, index), &peft.model)?;
            if index + 1 == settings.snapshots {
                dnd_files::write(&folder.join(dnd_files::PEFT_MODEL), &peft.model)?;
                dnd_files::write(&folder.join(dnd_files::PEFT_CONFIG), &peft.config)?;
            }
        }
        observer.advance(1, &format!("loss {:.3}", report.loss));
    }
    let prompts: Vec<&str> = lines.iter().map(|line| line.prompt.as_str()).collect();
    dnd_files::write_json(&folder.join("prompts.json"), &prompts)?;
    dnd_files::write(&folder.join("log.csv"), log.as_bytes())?;
    let seconds = started.elapsed().as_secs_f64();
    let manifest = Manifest {
        task: task.name.clone(),
        family: task.family.clone(),
        role: task.role,
        ship: task.ship,
        snapshots: settings.snapshots,
        final_loss,
        seconds,
        tokens_per_second: tokens as f64 / seconds,
    };
    dnd_files::write_json(&folder.join("manifest.json"), &manifest)?;
    observer.note(&format!(
        "{}: loss {final_loss:.3}, {seconds:.0} s, {:.0} tokens/s",
        task.name, manifest.tokens_per_second
    ));
    Ok(())
}
