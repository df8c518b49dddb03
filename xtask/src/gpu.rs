//! `cargo xtask gpu-check`: everything that runs on a GPU, compared with the CPU.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use clap::builder::PossibleValuesParser;
use dnd_adapter::{Adapter, peft};
use serde_json::Value;
use xshell::cmd;

use crate::context::{Context, create_folder};
use crate::models;

/// Arguments of `cargo xtask gpu-check`.
#[derive(clap::Args)]
pub struct Args {
    /// Device to compare with the CPU
    #[arg(long, value_name = "NAME", default_value = "wgpu", value_parser = devices())]
    device: String,
    /// Only small models with random weights, and no speed; needs no download
    #[arg(long)]
    small: bool,
    /// Training steps on the real models
    #[arg(long, value_name = "N", default_value_t = 10)]
    steps: usize,
}

fn devices() -> PossibleValuesParser {
    PossibleValuesParser::new(["wgpu", "cuda"])
}

/// Where adapters, generators and scores of both devices go.
const FOLDER: &str = "out/gpu-check";
/// The task that is collected and scored; no generator is trained on it.
const TASK: &str = "opposite";
/// Tasks that the generator is trained on.
const TRAINING_TASKS: &str = "24";
const PROMPTS: &str = "What is the opposite of cold?\nWhat is the opposite of early?\n";
/// The recipe of the shipped generator.
const RECIPE: &str = "assets/recipe/generator.toml";
/// Largest difference from the CPU, relative to what the CPU gives; answers may differ in one
/// line, as the most likely token can change where two are about as likely.
const TOLERANCE: f64 = 0.02;
/// Lines that are answered.
const LINES: u32 = 20;

/// Runs the check.
pub fn check(context: &Context, args: &Args) -> Result<()> {
    small(context, &args.device)?;
    if args.small {
        return Ok(());
    }
    models::setup(context, &models::Args::default())?;
    let feature = format!("dnd-cli/{}", args.device);
    let dnd = context.build(&["--bins", "--features", &feature], "dnd")?;
    let folder = context.root(FOLDER);
    create_folder(&folder)?;
    let tasks = folder.join("tasks");
    cmd!(context.sh, "{dnd} tasks --out {tasks}").run()?;
    let run = |device: &str| Run::new(context, &dnd, &folder, device, args.steps);
    let (cpu, gpu) = (run("cpu")?, run(&args.device)?);
    compare(&cpu, &gpu, &args.device)
}

/// Compares every command on small models, and the WGSL kernels with their references.
pub fn small(context: &Context, device: &str) -> Result<()> {
    let feature = format!("dnd-cli/{device}");
    let test = format!("test --release --no-fail-fast --features {feature} -p dnd-cli");
    let test = test.split(' ');
    let commands = cmd!(context.sh, "cargo {test...} --test command_line gpu::");
    commands.env("DND_GPU", device).run()?;
    if device == "wgpu" {
        let test = "test --release --no-fail-fast --features dnd-cli/wgpu -p dnd-cli \
                    -p dnd-kernels -p dnd-eval --test wgsl --test wgsl_models";
        let test = test.split_whitespace();
        cmd!(context.sh, "cargo {test...}").run()?;
    }
    Ok(())
}

/// What one device did on the real models.
struct Run {
    /// Tokens a second and loss of fine-tuning on one task.
    collected: [f64; 2],
    /// The same of training a generator.
    trained: [f64; 2],
    /// Seconds from prompts to adapter.
    generation: f64,
    adapter: Adapter,
    /// Seconds of answering, and the share of right answers.
    answered: [f64; 2],
}

impl Run {
    fn new(
        context: &Context,
        dnd: &Path,
        folder: &Path,
        device: &str,
        steps: usize,
    ) -> Result<Self> {
        println!("=== real models on {device}");
        let sh = &context.sh;
        let (tasks, folder) = (folder.join("tasks"), folder.join(device));
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        create_folder(&folder)?;
        let files = [
            "collection",
            "bundle.safetensors",
            "adapter",
            "scores.json",
            "recipe.toml",
        ];
        let [collection, bundle, adapter, scores, recipe] = files.map(|name| folder.join(name));
        let prompts = folder.join("prompts.txt");
        fs::write(&prompts, PROMPTS)?;
        let shipped = fs::read_to_string(context.root(RECIPE))?;
        fs::write(&recipe, short(&shipped, steps))?;
        let (on, lines, steps) = (["--device", device], LINES.to_string(), steps.to_string());

        let collect = "--only opposite --snapshots 1 --steps".split(' ');
        cmd!(
            sh,
            "{dnd} collect {on...} --tasks {tasks} {collect...} {steps} --out {collection}"
        )
        .run()?;
        let manifest = read_json(&collection.join(TASK).join("manifest.json"))?;
        let train = "train --objective behaviour --holdout opposite --max-tasks".split(' ');
        cmd!(
            sh,
            "{dnd} {train...} {TRAINING_TASKS} {on...} --tasks {tasks} --config {recipe}"
        )
        .arg("--out")
        .arg(&bundle)
        .run()?;
        let curve = bundle.with_extension("csv");
        let generate = cmd!(
            sh,
            "{dnd} generate {on...} --json --prompts {prompts} --out {adapter}"
        );
        let generated: Value = serde_json::from_str(&generate.read()?)?;
        let seconds = &generated["seconds"];
        let eval = "eval --only opposite --methods generated --limit".split(' ');
        cmd!(
            sh,
            "{dnd} {eval...} {lines} {on...} --tasks {tasks} --json {scores}"
        )
        .run()?;
        let rows = read_json(&scores)?;
        Ok(Self {
            collected: [
                number(&manifest, "tokens_per_second")?,
                number(&manifest, "final_loss")?,
            ],
            trained: [last(&curve, "tokens_per_second")?, last(&curve, "loss")?],
            generation: number(seconds, "encode")? + number(seconds, "decode")?,
            adapter: read_adapter(&adapter)?,
            answered: [
                number(&rows[0], "answer_seconds")?,
                number(&rows[0], "exact_match")?,
            ],
        })
    }
}

/// A recipe with few steps, of which the last is reported.
fn short(recipe: &str, steps: usize) -> String {
    let lines = recipe.lines().map(|line| {
        let name = line.split_once(" = ").map(|(name, _)| name);
        match name {
            Some(name @ ("steps" | "report_every")) => format!("{name} = {steps}\n"),
            _ => format!("{line}\n"),
        }
    });
    lines.collect()
}

/// Prints both runs side by side.
///
/// # Errors
/// When they differ by more than [`TOLERANCE`].
fn compare(cpu: &Run, gpu: &Run, device: &str) -> Result<()> {
    println!(
        "{:<24}{:>12}{device:>12}{:>8}  difference",
        "", "cpu", "ratio"
    );
    let mut largest: f64 = 0.0;
    let mut row = |what: &str, speeds: [f64; 2], is_time: bool, difference: f64| {
        let [cpu, gpu] = speeds;
        let ratio = if is_time { cpu / gpu } else { gpu / cpu };
        let unit = if is_time { "s" } else { "tok/s" };
        println!("{what:<16}{unit:<8}{cpu:>12.2}{gpu:>12.2}{ratio:>8.2}  {difference:.1e}");
        largest = largest.max(difference);
    };
    let relative = |found: f64, expected: f64| (found - expected).abs() / expected.abs();
    for (what, cpu, gpu) in [
        ("collect", cpu.collected, gpu.collected),
        ("train", cpu.trained, gpu.trained),
    ] {
        row(what, [cpu[0], gpu[0]], false, relative(gpu[1], cpu[1]));
    }
    let speeds = [cpu.generation, gpu.generation];
    row(
        "generate",
        speeds,
        true,
        adapter_error(&gpu.adapter, &cpu.adapter)?,
    );
    row("answer", [cpu.answered[0], gpu.answered[0]], true, 0.0);
    let scores = [cpu.answered[1], gpu.answered[1]];
    println!(
        "right answers: {:.0} % and {:.0} %",
        100.0 * scores[0],
        100.0 * scores[1]
    );
    ensure!(
        largest <= TOLERANCE,
        "expected differences of at most {TOLERANCE} from the CPU, found {largest:.1e}"
    );
    let lines = (scores[0] - scores[1]).abs() * f64::from(LINES);
    ensure!(
        lines < 1.5,
        "expected at most one answer to differ from the CPU's, found {lines:.0}"
    );
    Ok(())
}

/// Root mean square of the differences, relative to that of the expected factors.
fn adapter_error(found: &Adapter, expected: &Adapter) -> Result<f64> {
    ensure!(
        found.layout == expected.layout,
        "the adapters have different layouts"
    );
    let (mut differences, mut squares) = (0.0, 0.0);
    for (found, expected) in found.factors.iter().zip(&expected.factors) {
        let found = found.a.iter().chain(&found.b);
        for (a, b) in found.zip(expected.a.iter().chain(&expected.b)) {
            differences += f64::from(a - b).powi(2);
            squares += f64::from(*b).powi(2);
        }
    }
    Ok((differences / squares).sqrt())
}

fn read_adapter(folder: &Path) -> Result<Adapter> {
    let read = |name: &str| dnd_files::read(&folder.join(name));
    let (config, model) = (read(peft::CONFIG_FILE)?, read(peft::MODEL_FILE)?);
    Ok(peft::read(
        &config,
        peft::CONFIG_FILE,
        &model,
        peft::MODEL_FILE,
    )?)
}

fn read_json(path: &Path) -> Result<Value> {
    let bytes = dnd_files::read(path)?;
    serde_json::from_slice(&bytes).with_context(|| path.display().to_string())
}

fn number(value: &Value, field: &str) -> Result<f64> {
    let number = value[field].as_f64();
    number.with_context(|| format!("{field}: expected a number, found {}", value[field]))
}

/// The number in a column of the last row of a CSV file.
fn last(path: &Path, column: &str) -> Result<f64> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let mut lines = text.lines();
    let place = lines
        .next()
        .and_then(|names| names.split(',').position(|name| name == column));
    let found = lines
        .last()
        .zip(place)
        .and_then(|(row, place)| row.split(',').nth(place));
    let number = found.and_then(|found| found.parse().ok());
    number.with_context(|| format!("{}: expected a number in `{column}`", path.display()))
}
