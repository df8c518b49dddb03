//! `cargo xtask bench`: measures the numbers in README, the model card and docs/benchmarks.

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
    /// Run only these parts [default: all]
    #[arg(long, value_delimiter = ',', value_name = "PART")]
    only: Vec<Part>,
    /// Encoder as ONNX, for the onnxruntime baseline; skipped if the file is missing
    #[arg(
        long,
        value_name = "FILE",
        default_value = "../shared/bench/minilm_l6.onnx"
    )]
    onnx: PathBuf,
    /// Folder to write the results to
    #[arg(long, value_name = "DIR", default_value = "docs/benchmarks")]
    out: PathBuf,
    /// Prompts and tokens for the encoder benchmark in the browser
    #[arg(long, value_name = "NxL", default_value = "32x32")]
    shape: String,
    /// Arguments for the part `pipeline`; `--only pipeline -- --help` lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// A part of the benchmark.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// `dnd generate` and fine-tuning steps, as a user runs them
    Pipeline,
    /// Encoder and generator on the native CPU and GPU, against onnxruntime and plain burn
    Native,
    /// Encoder and generator of the page in Chromium, against onnxruntime-web and plain burn
    Browser,
    /// Answers of the base model in Chromium against wllama, and natively against llama.cpp
    Decode,
    /// Fine-tuning on the shapes of Qwen2.5-0.5B against transformers and peft; PYTHON names a
    /// Python that has them
    LoraStep,
}

/// A row of the JSON that the parts write.
#[derive(Deserialize)]
struct Row {
    work: String,
    contestant: String,
    median: f64,
    rate: Option<f64>,
    unit: Option<String>,
}

/// Runs the benchmarks and writes the results.
pub fn run(context: &Context, args: &Args) -> Result<()> {
    models::setup(context, &models::Args::default())?;
    let wanted = |part| args.only.is_empty() || args.only.contains(&part);
    let out = context.root(&args.out);
    create_folder(&out)?;
    let onnx = Some(context.root(&args.onnx)).filter(|onnx| onnx.exists());
    if onnx.is_none() {
        println!(
            "skipped: {} not found, no onnxruntime baseline",
            args.onnx.display()
        );
    }
    if wanted(Part::Pipeline) {
        // The benchmark runs the `dnd` program, which `cargo bench` does not build.
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
    if wanted(Part::Decode) {
        decode(context, &out.join("decode.json"))?;
    }
    if wanted(Part::LoraStep) {
        lora_step(context, &out.join("lora-step.md"))?;
    }
    write_table(&out)
}

fn lora_step(context: &Context, out: &Path) -> Result<()> {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let (dnd, folder) = (context.dnd()?, context.cache("bench/lora-step"));
    let sh = &context.sh;
    let text = cmd!(sh, "{python} tests/bench/lora_step.py {dnd} {folder}").read()?;
    println!("{text}");
    if text.starts_with("skipped") {
        return Ok(());
    }
    let heading = "# Fine-tuning on the shapes of Qwen2.5-0.5B\n\n\
        Random weights (494 million parameters, bfloat16), steps of 8 lines of 64 tokens,\n\
        16 of them the answer; written by `cargo xtask bench --only lora-step`.";
    Ok(dnd_files::write(
        out,
        format!("{heading}\n\n{text}\n").as_bytes(),
    )?)
}

fn decode(context: &Context, json: &Path) -> Result<()> {
    let Some(chromium) = browser::chromium(context) else {
        return Ok(());
    };
    let page = page::build(context, page::Size::Shipped)?;
    let dnd = context.dnd()?;
    let adapter = context.root("out/bench-adapter");
    let sh = &context.sh;
    cmd!(
        sh,
        "{dnd} generate --prompts assets/prompts/antonyms.txt --out {adapter} --yes"
    )
    .run()?;
    let mut packages = node::PACKAGES.to_vec();
    packages.push(node::WLLAMA);
    packages.extend(node::LLAMA);
    let modules = node::provide(context, &packages)?;
    Ok(cmd!(sh, "node tests/bench/decode.mjs")
        .env("RAYON_NUM_THREADS", "2")
        .env("NODE_PATH", &modules)
        .env("DND", dnd)
        .env("DND_PAGE", page)
        .env("DND_CHROMIUM", chromium)
        .env("BENCH_ADAPTER", adapter)
        .env("BENCH_WLLAMA", modules.join("@wllama/wllama/esm"))
        .env("BENCH_LLAMA", modules.join("node-llama-cpp/dist/index.js"))
        .env("BENCH_JSON", json)
        .run()?)
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
    let Some(chromium) = browser::chromium(context) else {
        return Ok(());
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

/// Writes README.md with all results in the folder.
fn write_table(folder: &Path) -> Result<()> {
    let mut rows: Vec<Row> = Vec::new();
    for name in ["native.json", "browser.json", "decode.json"] {
        let path = folder.join(name);
        if path.exists() {
            rows.extend(dnd_files::read_json::<Vec<Row>>(&path)?);
        }
    }
    let mut text = String::from(
        "# Benchmarks\n\nWritten by `cargo xtask bench`. Implementations alternate within one run: \
         compare ratios, not\nabsolute times.\n\n\
         | workload | implementation | median | speed | relative time |\n|---|---|---|---|---|\n",
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
    println!("results: {}", path.display());
    Ok(())
}
