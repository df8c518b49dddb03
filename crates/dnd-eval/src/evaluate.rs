//! `dnd eval`: scores methods on tasks, one row for each pair.

use dnd_charts::draw_bars;
use dnd_model::lora::check_layout;

use crate::directions::Directions;
use crate::task_evaluation::TaskEvaluation;
use crate::training::{Training, read_adapter, required};
use crate::{
    EvaluateOptions, Method, Row, Sources, TuneStart, bar, read_rows, summarize, write_rows,
};
use dnd_files::Observer;
use dnd_tasks::{Asked, Role, Split, Task};
use dnd_train::Error;

/// Scores each method on each task.
///
/// # Errors
/// When a task, adapter or collection cannot be read or does not match the base model;
/// [`dnd_files::Error::Cancelled`], with all finished rows saved.
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
    // Fail on a wrong path before measuring.
    dnd_files::check_output(options.json, &["csv", "svg"])?;
    check_sources(sources, options, &chosen)?;
    let training = Training::open(sources, &options.methods, &chosen, observer)?;
    let plan = plan(&options.methods, &training, options.mean_adapters);
    let generator = sources
        .generator
        .filter(|_| plan.contains(&Method::Generated));
    let directions = generator
        .map(|generator| Directions::new(generator, options.tasks, &chosen, options.seed, observer))
        .transpose()?;
    warm_up(sources, options, &chosen)?;
    let mut rows = if options.resume {
        read_rows(options.json)?
    } else {
        Vec::new()
    };
    let asked = options
        .shard
        .of(&chosen)
        .flat_map(|task| options.asked.iter().map(move |&asked| (task, asked)));
    for (task, asked) in asked {
        let comparison = (&training, directions.as_ref());
        let evaluation = TaskEvaluation::new(sources, options, comparison, task, asked, observer)?;
        let Some(evaluation) = evaluation else {
            observer.note(&format!(
                "{}: lines without inputs, not asked bare",
                task.name
            ));
            continue;
        };
        for method in &plan {
            if *method == Method::Described && task.descriptions().is_empty() {
                observer.note(&format!("{}: no templates, so no {method}", task.name));
                continue;
            }
            let name = method.to_string();
            let inputs = evaluation.inputs(method)?;
            let is_of =
                |row: &Row, method: &str| row.task == task.name && row.key() == (method, asked);
            if rows
                .iter()
                .any(|row| is_of(row, &name) && row.inputs == inputs)
            {
                tracing::debug!(task = %task.name, method = %name, "kept from an earlier run");
                continue;
            }
            let row = match method {
                Method::Mean | Method::Best => {
                    let names = training.spread(options.mean_adapters);
                    let of_training: Vec<&Row> = names
                        .iter()
                        .filter_map(|name| {
                            let name = Method::Training(name.clone()).to_string();
                            rows.iter().find(|row| is_of(row, &name))
                        })
                        .collect();
                    combine(method, &of_training, inputs)
                }
                _ => evaluation.measure(method, inputs)?,
            };
            rows.retain(|row| !is_of(row, &name));
            rows.push(row);
            write_rows(options.json, &rows)?;
        }
    }
    let picture = options.json.with_extension("svg");
    let bars = summarize(&rows)
        .into_iter()
        .map(|summary| bar(summary.label(), summary.exact));
    let svg = draw_bars(&bars.collect::<Vec<_>>()).map_err(|e| Error::content(&picture, e))?;
    dnd_files::write(&picture, svg.as_bytes())?;
    Ok(rows)
}

/// Checks the inputs before measuring.
fn check_sources(
    sources: &Sources,
    options: &EvaluateOptions,
    chosen: &[Task],
) -> Result<(), Error> {
    for method in &options.methods {
        if method.needs_collection() {
            required(sources.collection, method, "a --collection")?;
        }
        if method.needs_bundle() {
            required(sources.generator, method, "a --bundle")?;
        }
        if let Method::Few(_, TuneStart::Adapter(folder)) = method {
            read_adapter(sources, folder)?;
        }
        for task in chosen {
            if let Some(folder) = method.given_adapter(&task.name) {
                read_adapter(sources, &folder)?;
            }
        }
    }
    if let Some(generator) = sources.generator {
        let dimensions = &sources.base.model.config().dimensions;
        check_layout(generator.layout(), "--bundle", dimensions)?;
    }
    Ok(())
}

/// The methods without duplicates. The training adapters that `mean` and `best` combine come
/// before them.
fn plan(methods: &[Method], training: &Training, most: Option<usize>) -> Vec<Method> {
    let mut plan: Vec<Method> = Vec::new();
    for method in methods {
        let before = match method {
            Method::Mean | Method::Best => training.spread(most),
            _ => Vec::new(),
        };
        let before = before.into_iter().map(Method::Training);
        for method in before.chain([method.clone()]) {
            if !plan.contains(&method) {
                plan.push(method);
            }
        }
    }
    plan
}

/// Generates once without timing it. The first generation sets up memory and threads, which
/// would dominate its time.
fn warm_up(sources: &Sources, options: &EvaluateOptions, chosen: &[Task]) -> Result<(), Error> {
    if let (Some(generator), Some(task)) = (sources.generator, chosen.first()) {
        let lines = options.tasks.lines(task, Split::Train)?;
        let prompts: Vec<String> = lines.into_iter().map(|line| line.prompt).collect();
        generator.generate_blocking(&prompts, options.seed)?;
    }
    Ok(())
}

/// Combines rows of training adapters into `mean` or `best`. There must be at least one.
fn combine(method: &Method, of_training: &[&Row], inputs: String) -> Row {
    let mut combined = Row::mean_of(of_training);
    combined.note = format!("of {} adapters", of_training.len());
    let task = of_training.first().map(|row| row.task.clone());
    combined.task = task.unwrap_or_default();
    if *method == Method::Best {
        // On ties, the first adapter wins.
        let best = of_training
            .iter()
            .rev()
            .max_by(|a, b| a.exact_match.total_cmp(&b.exact_match));
        if let Some(best) = best {
            combined = (*best).clone();
            combined.note = format!("best of {} is {}", of_training.len(), best.method);
        }
    }
    combined.method = method.to_string();
    combined.asked = of_training.first().map_or(Asked::Full, |row| row.asked);
    combined.inputs = inputs;
    combined
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::test_data::row;

    #[test]
    fn mean_and_best_come_from_the_training_adapters() {
        let rows = [
            row("a", "training:x", &[0.0, 1.0]),
            row("a", "training:y", &[1.0, 1.0]),
            row("a", "training:z", &[1.0, 1.0]),
        ];
        let of_training: Vec<&Row> = rows.iter().collect();
        let mean = combine(&Method::Mean, &of_training, "inputs".to_owned());
        assert_eq!((mean.task.as_str(), mean.method.as_str()), ("a", "mean"));
        assert!((mean.exact_match - 5.0 / 6.0).abs() < 1e-9);
        let best = combine(&Method::Best, &of_training, "inputs".to_owned());
        assert_eq!(best.method, "best");
        assert_eq!(best.exact_match, 1.0);
        assert_eq!(best.note, "best of 3 is training:y");
    }
}
