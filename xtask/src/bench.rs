//! `cargo xtask bench`: the figures that README, the model card and docs/benchmarks quote.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::cache::Cache;
use crate::{browser, command, files, node, page, setup, tools};

/// Arguments of `cargo xtask bench`.
#[derive(clap::Args)]
pub struct Args {
    /// Only these parts [default: all]
    #[arg(long, value_delimiter = ',', value_name = "PART")]
    only: Vec<Part>,
    /// The encoder as ONNX, for onnxruntime to compute beside; without it there is no peer
    #[arg(
        long,
        value_name = "FILE",
        default_value = "../shared/bench/minilm_l6.onnx"
    )]
    onnx: PathBuf,
    /// Folder for figures, table and plot
    #[arg(long, value_name = "DIR", default_value = "docs/benchmarks")]
    out: PathBuf,
    /// Prompts and tokens that the browser's encoders encode
    #[arg(long, value_name = "NxL", default_value = "32x32")]
    shape: String,
    /// Passed on to the part `pipeline`; `--only pipeline -- --help` lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// A part of the benchmark.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// `dnd generate` and fine-tuning steps, as a user runs them
    Pipeline,
    /// Encoder and generator, natively: CPU and GPU, beside onnxruntime and burn's own operations
    Native,
    /// Encoder and generator of the page in Chromium, beside onnxruntime-web and burn's own operations
    Browser,
}

/// A line of the JSON that the parts write.
#[derive(Deserialize)]
struct Row {
    work: String,
    contestant: String,
    median: f64,
    rate: Option<f64>,
    unit: Option<String>,
}

/// Measures, and writes what was measured.
pub fn run(cache: &Cache, args: &Args) -> Result<()> {
    setup::run(cache, &setup::Args::default())?;
    let wanted = |part| args.only.is_empty() || args.only.contains(&part);
    let root = command::root();
    let out = root.join(&args.out);
    files::create_folder(&out)?;
    let onnx = root.join(&args.onnx);
    let onnx = onnx.exists().then_some(onnx);
    if onnx.is_none() {
        println!("skipped: {} is absent: no onnxruntime", args.onnx.display());
    }
    if wanted(Part::Pipeline) {
        pipeline(&args.arguments)?;
    }
    if wanted(Part::Native) {
        native(cache, onnx.as_deref(), &out.join("native.json"))?;
    }
    if wanted(Part::Browser) {
        in_browser(
            cache,
            onnx.as_deref(),
            &args.shape,
            &out.join("browser.json"),
        )?;
    }
    write_table(&out)
}

fn pipeline(arguments: &[String]) -> Result<()> {
    // The benchmark measures the program itself, which cargo does not build for it.
    command::run(command::cargo("build --release --workspace"))?;
    let mut bench = command::cargo("bench --workspace --bench pipeline --");
    bench.args(arguments);
    command::run(bench)
}

fn native(cache: &Cache, onnx: Option<&Path>, json: &Path) -> Result<()> {
    let mut bench =
        command::cargo("bench --workspace --features dnd-cli/wgpu --bench speed -- --json");
    bench.arg(json).env("RAYON_NUM_THREADS", "2");
    if let Some(onnx) = onnx {
        let python = tools::onnxruntime(cache)?;
        bench.arg("--onnx").arg(onnx).arg("--python").arg(python);
    }
    command::run(bench)
}

fn in_browser(cache: &Cache, onnx: Option<&Path>, shape: &str, json: &Path) -> Result<()> {
    let chromium = match browser::ready() {
        Ok(chromium) => chromium,
        Err(reason) => {
            println!("skipped: {reason}");
            return Ok(());
        }
    };
    let page = page::build(cache)?;
    let mut packages = node::PACKAGES.to_vec();
    if onnx.is_some() {
        packages.push(node::ONNXRUNTIME_WEB);
    }
    let modules = node::provide(cache, &packages)?;
    let mut bench = command::new("node");
    bench
        .arg("tests/bench/browser.mjs")
        .env("NODE_PATH", &modules)
        .env("DND_PAGE", page)
        .env("DND_CHROMIUM", chromium)
        .env("BENCH_SHAPE", shape)
        .env("BENCH_JSON", json);
    if let Some(onnx) = onnx {
        bench
            .env("BENCH_ORT", modules.join("onnxruntime-web/dist"))
            .env("BENCH_ONNX", onnx);
    }
    command::run(bench)
}

/// README.md with all figures of the folder, and a plot of how the contestants compare.
fn write_table(folder: &Path) -> Result<()> {
    let mut rows: Vec<Row> = Vec::new();
    for name in ["native.json", "browser.json"] {
        let path = folder.join(name);
        if path.exists() {
            let text = std::fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            let part: Vec<Row> =
                serde_json::from_str(&text).with_context(|| format!("in {}", path.display()))?;
            rows.extend(part);
        }
    }
    let mut text = String::from(
        "# Benchmarks\n\nWritten by `cargo xtask bench`. Contestants of a kind of work took turns in one run; quote the ratios.\n\n\
         ![How contestants compare](speed.svg)\n\n\
         | work | by | median | speed | times the first |\n|---|---|---|---|---|\n",
    );
    for row in &rows {
        let speed = row.rate.zip(row.unit.as_ref());
        let speed = speed.map_or(String::new(), |(rate, unit)| format!("{rate:.1} {unit}/s"));
        let ratio = row.median / first_of(&rows, &row.work);
        let Row {
            work,
            contestant,
            median,
            ..
        } = row;
        writeln!(
            text,
            "| {work} | {contestant} | {median:.4} s | {speed} | {ratio:.2} |"
        )?;
    }
    files::write(&folder.join("README.md"), text.as_bytes())?;
    files::write(&folder.join("speed.svg"), plot(&rows)?.as_bytes())?;
    println!("figures: {}", folder.join("README.md").display());
    Ok(())
}

/// The median of the first contestant, which is ours.
fn first_of(rows: &[Row], work: &str) -> f64 {
    let first = rows.iter().find(|row| row.work == work);
    first.map_or(f64::NAN, |row| row.median)
}

/// Bars for all work that has more than one contestant: how many times as long as ours each took.
fn plot(rows: &[Row]) -> Result<String> {
    const LINE: usize = 18;
    const SCALE: f64 = 60.0;
    const LONGEST: f64 = 400.0;
    // How time grows is read in the table.
    let compared: Vec<&Row> = rows
        .iter()
        .filter(|row| !row.work.starts_with("growth"))
        .filter(|row| rows.iter().filter(|other| other.work == row.work).count() > 1)
        .collect();
    let height = (compared.len() + 1) * LINE + 10;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"860\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"860\" height=\"{height}\" fill=\"white\"/>\n\
         <text x=\"10\" y=\"16\">Time, as a multiple of what dnd takes (shorter is faster)</text>\n"
    );
    for (place, row) in compared.iter().enumerate() {
        let y = (place + 1) * LINE + 5;
        let ratio = row.median / first_of(rows, &row.work);
        let width = (ratio * SCALE).min(LONGEST);
        let colour = if row.contestant.starts_with("dnd") {
            "#2a6f97"
        } else {
            "#b0b0b0"
        };
        let label = format!("{}: {}", row.work, row.contestant);
        writeln!(
            svg,
            "<text x=\"400\" y=\"{}\" text-anchor=\"end\">{label}</text>\
             <rect x=\"408\" y=\"{y}\" width=\"{width:.1}\" height=\"14\" fill=\"{colour}\"/>\
             <text x=\"{:.1}\" y=\"{}\">{ratio:.2}</text>",
            y + 12,
            414.0 + width,
            y + 12,
        )?;
    }
    svg.push_str("</svg>\n");
    Ok(svg)
}
