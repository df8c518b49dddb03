//! `cargo xtask bench`: the figures that README, the model card and docs/benchmarks quote.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::Deserialize;
use xshell::cmd;

use crate::context::{Context, create_folder};
use crate::{browser, models, node, page, tools};

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
    /// Folder for figures and table
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
    /// Encoder and generator of the page in Chromium, beside onnxruntime-web and burn's operations
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
pub fn run(context: &Context, args: &Args) -> Result<()> {
    models::setup(context, &models::Args::default())?;
    let wanted = |part| args.only.is_empty() || args.only.contains(&part);
    let out = context.root(&args.out);
    create_folder(&out)?;
    let onnx = Some(context.root(&args.onnx)).filter(|onnx| onnx.exists());
    if onnx.is_none() {
        println!("skipped: {} is absent: no onnxruntime", args.onnx.display());
    }
    if wanted(Part::Pipeline) {
        // The benchmark measures the program itself, which cargo does not build for it.
        context.dnd()?;
        let arguments = &args.arguments;
        cmd!(
            context.sh,
            "cargo bench --workspace --bench pipeline -- {arguments...}"
        )
        .run()?;
    }
    if wanted(Part::Native) {
        native(context, onnx.as_deref(), &out.join("native.json"))?;
    }
    if wanted(Part::Browser) {
        in_browser(context, onnx.as_deref(), args, &out.join("browser.json"))?;
    }
    write_table(&out)
}

fn native(context: &Context, onnx: Option<&Path>, json: &Path) -> Result<()> {
    let features = ["--workspace", "--features", "dnd-cli/wgpu"];
    let mut bench = cmd!(
        context.sh,
        "cargo bench {features...} --bench speed -- --json {json}"
    )
    .env("RAYON_NUM_THREADS", "2");
    if let Some(onnx) = onnx {
        let python = tools::onnxruntime(context)?;
        bench = bench.arg("--onnx").arg(onnx).arg("--python").arg(python);
    }
    Ok(bench.run()?)
}

fn in_browser(context: &Context, onnx: Option<&Path>, args: &Args, json: &Path) -> Result<()> {
    let chromium = match browser::ready(context) {
        Ok(chromium) => chromium,
        Err(reason) => {
            println!("skipped: {reason}");
            return Ok(());
        }
    };
    let page = page::build(context, page::Size::Shipped)?;
    let mut packages = node::PACKAGES.to_vec();
    if onnx.is_some() {
        packages.push(node::ONNXRUNTIME_WEB);
    }
    let modules = node::provide(context, &packages)?;
    let mut bench = cmd!(context.sh, "node tests/bench/browser.mjs")
        .env("NODE_PATH", &modules)
        .env("DND_PAGE", page)
        .env("DND_CHROMIUM", chromium)
        .env("BENCH_SHAPE", &args.shape)
        .env("BENCH_JSON", json);
    if let Some(onnx) = onnx {
        bench = bench
            .env("BENCH_ORT", modules.join("onnxruntime-web/dist"))
            .env("BENCH_ONNX", onnx);
    }
    Ok(bench.run()?)
}

/// README.md with all figures of the folder.
fn write_table(folder: &Path) -> Result<()> {
    let mut rows: Vec<Row> = Vec::new();
    for name in ["native.json", "browser.json"] {
        let path = folder.join(name);
        if path.exists() {
            rows.extend(dnd_files::read_json::<Vec<Row>>(&path)?);
        }
    }
    let mut text = String::from(
        "# Benchmarks\n\nWritten by `cargo xtask bench`. Contestants of a kind of work took turns \
         in one run; quote the ratios.\n\n\
         | work | by | median | speed | times the first |\n|---|---|---|---|---|\n",
    );
    for row in &rows {
        let speed = row.rate.zip(row.unit.as_ref());
        let speed = speed.map_or(String::new(), |(rate, unit)| format!("{rate:.1} {unit}/s"));
        let first = rows.iter().find(|first| first.work == row.work);
        let ratio = row.median / first.map_or(f64::NAN, |first| first.median);
        let (work, contestant, median) = (&row.work, &row.contestant, row.median);
        writeln!(
            text,
            "| {work} | {contestant} | {median:.4} s | {speed} | {ratio:.2} |"
        )?;
    }
    let path = folder.join("README.md");
    dnd_files::write(&path, text.as_bytes())?;
    println!("figures: {}", path.display());
    Ok(())
}
