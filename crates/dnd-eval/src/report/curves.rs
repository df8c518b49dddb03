//! Sections with charts: score against examples, training tasks, prompts and cost, and training
//! loss.

use dnd_charts::{Chart, Point, Series};

use super::page::{Block, Section};
use super::{RenderError, TrainingCurve};
use crate::{Row, Summary, asked_label, summarize};
use dnd_tasks::Asked;

/// The tuning method that generation is compared with.
const FULL: &str = "full:300";
const GENERATED: &str = "generated";
const EXACT_MATCH: &str = "exact match in %";

/// Both ways of asking.
const ASKED: [Asked; 2] = [Asked::Full, Asked::Bare];

/// The summary of a method.
fn find<'a>(summaries: &'a [Summary], method: &str, asked: Asked) -> Option<&'a Summary> {
    let mut found = summaries.iter().filter(|summary| summary.method == method);
    found.find(|summary| summary.asked == asked)
}

/// The score of a method as a point in percent.
fn point(x: f64, summary: &Summary, label: String) -> Point {
    let exact = summary.exact;
    Point {
        x,
        y: exact.mean * 100.0,
        interval: Some((exact.low * 100.0, exact.high * 100.0)),
        label,
    }
}

/// The methods named `prefix`, a number and `suffix`, as points over that number: one series for
/// each way of asking that was measured.
fn numbered(summaries: &[Summary], prefix: &str, suffix: &str, name: &str) -> Vec<Series> {
    let series = ASKED.into_iter().filter_map(|asked| {
        let asked_so = summaries.iter().filter(|summary| summary.asked == asked);
        let points = asked_so.filter_map(|summary| {
            let number = summary.method.strip_prefix(prefix)?.strip_suffix(suffix)?;
            let number: usize = number.parse().ok()?;
            Some(point(number as f64, summary, String::new()))
        });
        let mut points: Vec<Point> = points.collect();
        points.sort_by(|a, b| a.x.total_cmp(&b.x));
        (!points.is_empty()).then(|| Series {
            name: asked_label(name, asked),
            points,
            is_joined: true,
        })
    });
    series.collect()
}

/// The scores of a method, for horizontal lines.
fn levels(summaries: &[Summary], method: &str) -> Vec<(String, f64)> {
    let found = ASKED
        .iter()
        .filter_map(|asked| find(summaries, method, *asked));
    found
        .map(|summary| (summary.label(), summary.exact.mean * 100.0))
        .collect()
}

/// A chart over counts, with a logarithmic axis that has a tick at each count.
fn count_chart(x_title: &str, series: Vec<Series>, levels: Vec<(String, f64)>) -> Chart {
    let points = series.iter().flat_map(|series| &series.points);
    let mut ticks: Vec<f64> = points.map(|point| point.x).collect();
    ticks.sort_by(f64::total_cmp);
    ticks.dedup();
    Chart {
        x_title: x_title.to_owned(),
        y_title: EXACT_MATCH.to_owned(),
        is_logarithmic: true,
        ticks,
        series,
        levels,
    }
}

/// Accuracy against the number of labelled examples.
pub(super) fn examples(summaries: &[Summary]) -> Result<Section, RenderError> {
    let title = "Against labelled examples";
    let series: Vec<Series> = [
        ("few:", "", "tuned on them"),
        ("few:", ":generated", "generated, then tuned on them"),
        ("context:", "", "in context"),
    ]
    .into_iter()
    .flat_map(|(prefix, suffix, name)| numbered(summaries, prefix, suffix, name))
    .collect();
    if series.is_empty() {
        let text = "Neither few-shot tuning nor in-context learning was measured.";
        return Ok(Section::new(title, vec![Block::note(text)]));
    }
    let levels = levels(summaries, GENERATED);
    let mut blocks = Vec::new();
    if levels.is_empty() {
        blocks.push(Block::note(
            "The line of the generated adapter is missing, because it was not measured.",
        ));
    }
    let chart = count_chart("labelled examples", series, levels);
    blocks.push(Block::figure(
        "Exact match against labelled examples",
        chart.draw()?,
    ));
    Ok(Section::new(title, blocks))
}

/// Accuracy against the number of training tasks, from one results file each.
pub(super) fn training_tasks(counted: &[(usize, Vec<Row>)]) -> Result<Section, RenderError> {
    let title = "Against training tasks";
    let mut points: Vec<Point> = counted
        .iter()
        .filter_map(|(count, rows)| {
            let summaries = summarize(rows);
            let generated = find(&summaries, GENERATED, Asked::Full)?;
            Some(point(*count as f64, generated, String::new()))
        })
        .collect();
    points.sort_by(|a, b| a.x.total_cmp(&b.x));
    if points.is_empty() {
        let text = "No results for other numbers of training tasks were given.";
        return Ok(Section::new(title, vec![Block::note(text)]));
    }
    let series = Series {
        name: GENERATED.to_owned(),
        points,
        is_joined: true,
    };
    let chart = count_chart("training tasks", vec![series], Vec::new());
    let caption = "Exact match of the generated adapter against training tasks";
    let figure = Block::figure(caption, chart.draw()?);
    Ok(Section::new(title, vec![figure]))
}

/// Accuracy against the number of prompts.
pub(super) fn prompts(summaries: &[Summary]) -> Result<Section, RenderError> {
    let title = "Against prompts";
    let series = numbered(summaries, "generated:N=", "", "generated from N prompts");
    if series.is_empty() {
        let text = "Generation from other numbers of prompts was not measured.";
        return Ok(Section::new(title, vec![Block::note(text)]));
    }
    let levels = levels(summaries, GENERATED);
    let chart = count_chart("prompts", series, levels);
    let caption = "Exact match against prompts given";
    let figure = Block::figure(caption, chart.draw()?);
    Ok(Section::new(title, vec![figure]))
}

/// Accuracy against the seconds to get an adapter.
pub(super) fn cost(summaries: &[Summary]) -> Result<Section, RenderError> {
    let title = "Cost";
    let is_made = |summary: &&Summary| {
        let name = summary.method.as_str();
        name == GENERATED || name.starts_with("few:") || name.starts_with("full:")
    };
    let made = summaries.iter().filter(is_made);
    let points: Vec<Point> = made
        .filter(|summary| summary.adapt_seconds > 0.0)
        .map(|summary| point(summary.adapt_seconds, summary, summary.label()))
        .collect();
    if points.is_empty() {
        let text = "No method that creates an adapter for a task was measured.";
        return Ok(Section::new(title, vec![Block::note(text)]));
    }
    let mut blocks = vec![match (
        find(summaries, GENERATED, Asked::Full),
        find(summaries, FULL, Asked::Full),
    ) {
        (Some(generated), Some(full)) if generated.adapt_seconds > 0.0 => {
            Block::paragraph(format!(
                "Generating an adapter took {:.3} s. Tuning one on all lines for 300 steps took \
                 {:.1} s, {:.0} times as long. These are means over tasks. If the evaluation was \
                 resumed, some rows come from an earlier run, perhaps under another load.",
                generated.adapt_seconds,
                full.adapt_seconds,
                full.adapt_seconds / generated.adapt_seconds
            ))
        }
        _ => Block::note("The speed-up is missing: it needs both generated and full:300."),
    }];
    let seconds = points.iter().map(|point| point.x);
    let (low, high) = seconds.fold((f64::MAX, f64::MIN), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    // Powers of ten around the points. Tick labels have three decimals, so none is smaller.
    let first = (low.log10().floor() as i32).max(-3);
    let last = (high.log10().ceil() as i32).max(first + 1);
    let chart = Chart {
        x_title: "seconds to get an adapter".to_owned(),
        y_title: EXACT_MATCH.to_owned(),
        is_logarithmic: true,
        ticks: (first..=last).map(|power| 10f64.powi(power)).collect(),
        series: vec![Series {
            name: String::new(),
            points,
            is_joined: false,
        }],
        levels: Vec::new(),
    };
    blocks.push(Block::figure(
        "Exact match against seconds to get an adapter",
        chart.draw()?,
    ));
    Ok(Section::new(title, blocks))
}

/// Training losses of generators.
pub(super) fn training(curves: &[TrainingCurve]) -> Result<Section, RenderError> {
    let title = "Training";
    if curves.is_empty() {
        return Ok(Section::new(
            title,
            vec![Block::note("No training curve was given.")],
        ));
    }
    let mut blocks = Vec::new();
    for curve in curves {
        let series: Vec<Series> = curve
            .losses
            .iter()
            .map(|(name, points)| Series {
                name: name.replace('_', " "),
                points: points
                    .iter()
                    .map(|&(x, y)| Point {
                        x,
                        y,
                        interval: None,
                        label: String::new(),
                    })
                    .collect(),
                is_joined: true,
            })
            .collect();
        let steps = series.iter().flat_map(|series| &series.points);
        let last = steps.map(|point| point.x).fold(1.0, f64::max);
        let chart = Chart {
            x_title: "step".to_owned(),
            y_title: "loss".to_owned(),
            is_logarithmic: false,
            ticks: (0..=4)
                .map(|part| (last * f64::from(part) / 4.0).round())
                .collect(),
            series,
            levels: Vec::new(),
        };
        blocks.push(Block::figure(&curve.name, chart.draw()?));
    }
    Ok(Section::new(title, blocks))
}
