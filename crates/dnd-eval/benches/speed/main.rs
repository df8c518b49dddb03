//! Speed of encoder, generator and base model on each device of this build, against alternatives.
//! Implementations alternate within one run, so that other load slows all equally: quote the
//! ratios.
//!
//! Run it with `cargo xtask bench`.

mod base;

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use burn::tensor::{Device, Int, Tensor, TensorData};
use clap::Parser;
use dnd_adapter::Bundle;
use dnd_model::files::{BASE_MODEL, Encoder, default_encoder};
use dnd_model::{AdapterGenerator, TextEncoder};
use serde::Serialize;

/// The same allocator as in `dnd`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Must match tests/bench/onnx.py.
const VOCABULARY: usize = 20_000;
const THREADS: usize = 2;
/// Pause between runs.
const REST: Duration = Duration::from_millis(100);
/// (prompts, tokens) of the CPU encoder benchmark.
const SHAPES: [(usize, usize); 2] = [(32, 32), (128, 64)];
/// (prompts, tokens) of the GPU encoder benchmark, small because a software GPU takes seconds.
#[cfg(feature = "wgpu")]
const GPU_SHAPES: [(usize, usize); 2] = [(8, 32), (32, 32)];

/// Benchmarks the encoder, the generator and the base model.
#[derive(Parser)]
struct Arguments {
    /// Bundle whose generator is measured
    #[arg(
        long,
        value_name = "FILE",
        default_value = "assets/smollm2-135m.safetensors"
    )]
    bundle: PathBuf,
    /// Encoder as ONNX, for the onnxruntime baseline
    #[arg(long, value_name = "FILE", requires = "python")]
    onnx: Option<PathBuf>,
    /// Python with onnxruntime
    #[arg(long, value_name = "PYTHON")]
    python: Option<PathBuf>,
    /// Timed runs of each implementation, after one warm-up run
    #[arg(long, value_name = "N", default_value = "7")]
    rounds: NonZero<usize>,
    /// Write the results as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Run only workloads whose name contains this
    #[arg(long, value_name = "TEXT", default_value = "")]
    only: String,
    /// Cargo passes this flag to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

/// Results of one implementation on one workload.
#[derive(Serialize)]
struct Row {
    work: String,
    contestant: String,
    /// Seconds of each timed run.
    seconds: Vec<f64>,
    median: f64,
    /// Amount of work per second.
    rate: Option<f64>,
    /// Unit of the work.
    unit: Option<&'static str>,
}

/// Amount of work and its unit.
type Amount = (f64, &'static str);

/// Floating-point operations, in GFLOP.
fn flops(count: f64) -> Option<Amount> {
    Some((count / 1e9, "GFLOP"))
}

type Contestant<'a> = (String, Box<dyn FnMut() -> Result<f64> + 'a>);

struct Bench {
    rounds: usize,
    only: String,
    rows: Vec<Row>,
}

impl Bench {
    /// Whether the workload of this name is selected.
    fn wants(&self, work: &str) -> bool {
        work.contains(&self.only)
    }

    /// Alternates between implementations of a workload; each run returns its seconds.
    fn run(
        &mut self,
        work: &str,
        amount: Option<Amount>,
        contestants: &mut [Contestant],
    ) -> Result<()> {
        if !self.wants(work) {
            return Ok(());
        }
        let mut seconds = vec![Vec::new(); contestants.len()];
        for round in 0..=self.rounds {
            for ((_, contestant), seconds) in contestants.iter_mut().zip(&mut seconds) {
                // Let the spinning threads of the previous implementation go to sleep.
                std::thread::sleep(REST);
                let taken = contestant()?;
                if round > 0 {
                    seconds.push(taken);
                }
            }
        }
        for ((name, _), seconds) in contestants.iter().zip(seconds) {
            let mut sorted = seconds.clone();
            sorted.sort_by(f64::total_cmp);
            let median = sorted[sorted.len() / 2];
            let row = Row {
                work: work.to_owned(),
                contestant: name.clone(),
                seconds,
                median,
                rate: amount.map(|(amount, _)| amount / median),
                unit: amount.map(|(_, unit)| unit),
            };
            let first = self.rows.iter().find(|other| other.work == work);
            let ratio = first.map_or(1.0, |first| row.median / first.median);
            let speed = row.rate.zip(row.unit);
            let speed = speed.map_or(String::new(), |(rate, unit)| format!("{rate:.1} {unit}/s"));
            println!("| {work} | {name} | {median:.4} s | {speed} | {ratio:.2} |");
            self.rows.push(row);
        }
        Ok(())
    }
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    // Cargo starts benchmarks in the folder of their crate.
    std::env::set_current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))?;
    let mut bench = Bench {
        rounds: arguments.rounds.get(),
        only: arguments.only.clone(),
        rows: Vec::new(),
    };
    println!(
        "| workload | implementation | median | speed | relative time |\n|---|---|---|---|---|"
    );
    cpu(&mut bench, &arguments)?;
    #[cfg(feature = "wgpu")]
    gpu(&mut bench, &arguments)?;
    if let Some(path) = &arguments.json {
        dnd_files::write_json(path, &bench.rows)?;
    }
    Ok(())
}

fn cpu(bench: &mut Bench, arguments: &Arguments) -> Result<()> {
    let device = Device::flex();
    let encoder = Encoder::open(&default_encoder(), &device)?;
    let mut peer = match (&arguments.onnx, &arguments.python) {
        (Some(model), Some(python)) => Some(Peer::start(python, model)?),
        _ => None,
    };
    for (prompts, tokens) in SHAPES {
        let work = format!("encode {prompts} x {tokens}, CPU");
        let mut contestants: Vec<Contestant> = vec![(
            "dnd".to_owned(),
            Box::new(|| encode(&encoder.model, prompts, tokens, &device)),
        )];
        if let Some(peer) = &mut peer {
            let name = peer.name.clone();
            contestants.push((name, Box::new(|| peer.encode(prompts, tokens))));
        }
        bench.run(&work, encoder_flops(prompts, tokens), &mut contestants)?;
    }
    for (prompts, tokens) in growth() {
        let work = format!("growth, encode {prompts} x {tokens}, CPU");
        let run = || encode(&encoder.model, prompts, tokens, &device);
        let flops = encoder_flops(prompts, tokens);
        bench.run(&work, flops, &mut [("dnd".to_owned(), Box::new(run))])?;
    }
    let generator = generator(arguments, &encoder, &device)?;
    bench.run(
        "decode, CPU",
        None,
        &mut [("dnd".to_owned(), Box::new(|| decode(&generator, &device)))],
    )?;
    let text = std::fs::read_to_string("assets/prompts/antonyms.txt")?;
    let prompts: Vec<String> = text.lines().map(str::to_owned).collect();
    let whole = || {
        let started = Instant::now();
        generator.generate_blocking(&prompts, 0)?;
        Ok(started.elapsed().as_secs_f64())
    };
    bench.run(
        "generate from 32 prompts, CPU",
        None,
        &mut [("dnd".to_owned(), Box::new(whole))],
    )?;
    let amount = base::Amount {
        answer: 32,
        step: (10, 35),
    };
    base::measure(bench, &device, "CPU", &amount)
}

/// (prompts, tokens) of the scaling runs.
fn growth() -> impl Iterator<Item = (usize, usize)> {
    let prompts = [4, 16, 64, 128, 256, 512].map(|prompts| (prompts, 32));
    let tokens = [8, 16, 64, 128, 256].map(|tokens| (32, tokens));
    prompts.into_iter().chain(tokens)
}

#[cfg(feature = "wgpu")]
fn gpu(bench: &mut Bench, arguments: &Arguments) -> Result<()> {
    use dnd_kernels::{FrozenMatrix, gpu};

    let Ok(device) = Device::wgpu_options().tasks_max(GPU_TASKS).init() else {
        println!("skipped: burn's wgpu device finds no GPU");
        return Ok(());
    };
    // Load the weights with the kernels disabled, in the layout that plain burn uses.
    gpu::enable(false);
    let plain_encoder = Encoder::open(&default_encoder(), &device)?;
    let plain_generator = generator(arguments, &plain_encoder, &device)?;
    gpu::enable(true);
    let encoder = Encoder::open(&default_encoder(), &device)?;
    let generator = generator(arguments, &encoder, &device)?;
    let plainly = |work: &dyn Fn() -> Result<f64>| {
        gpu::enable(false);
        let seconds = work();
        gpu::enable(true);
        seconds
    };
    let (ours, burn) = ("dnd kernels", "burn");
    for size in [512, 1024] {
        let matrix = |seed: usize| -> Tensor<2> {
            let numbers: Vec<f32> = (0..size * size)
                .map(|i| ((i * seed) % 13) as f32 - 6.0)
                .collect();
            Tensor::from_data(TensorData::new(numbers, [size, size]), &device)
        };
        let (left, right) = (matrix(5), matrix(7));
        let frozen = FrozenMatrix::new(right.clone());
        let bias: Tensor<2> = Tensor::zeros([1, size], &device);
        let time = |product: &dyn Fn() -> Tensor<2>| {
            let started = Instant::now();
            let output = product();
            device.sync()?;
            drop(output);
            Ok(started.elapsed().as_secs_f64())
        };
        let product = || {
            dnd_kernels::linear(
                left.clone(),
                &frozen,
                bias.clone(),
                dnd_kernels::epilogue::LinearEpilogue::Identity,
            )
        };
        bench.run(
            &format!("product of {size} x {size}, GPU"),
            flops(2.0 * (size as f64).powi(3)),
            &mut [
                (ours.to_owned(), Box::new(|| time(&product))),
                (
                    burn.to_owned(),
                    Box::new(|| time(&|| left.clone().matmul(right.clone().transpose()))),
                ),
            ],
        )?;
    }
    for (prompts, tokens) in GPU_SHAPES {
        bench.run(
            &format!("encode {prompts} x {tokens}, GPU"),
            encoder_flops(prompts, tokens),
            &mut [
                (
                    ours.to_owned(),
                    Box::new(|| encode(&encoder.model, prompts, tokens, &device)),
                ),
                (
                    burn.to_owned(),
                    Box::new(|| {
                        plainly(&|| encode(&plain_encoder.model, prompts, tokens, &device))
                    }),
                ),
            ],
        )?;
    }
    bench.run(
        "decode, GPU",
        flops(generator.flops() as f64),
        &mut [
            (ours.to_owned(), Box::new(|| decode(&generator, &device))),
            (
                burn.to_owned(),
                Box::new(|| plainly(&|| decode(&plain_generator, &device))),
            ),
        ],
    )?;
    // Small, because a software GPU takes seconds per step.
    let amount = base::Amount {
        answer: 8,
        step: (2, 16),
    };
    base::measure(bench, &device, "GPU", &amount)
}

/// Kernel launches to batch before submitting them to the GPU.
#[cfg(feature = "wgpu")]
const GPU_TASKS: usize = 512;

fn generator(
    arguments: &Arguments,
    encoder: &Encoder,
    device: &Device,
) -> Result<AdapterGenerator> {
    let name = arguments.bundle.display().to_string();
    let bundle = Bundle::read(&std::fs::read(&arguments.bundle)?, &name)?;
    Ok(AdapterGenerator::open(
        &bundle, &name, BASE_MODEL, encoder, device,
    )?)
}

fn encode(encoder: &TextEncoder, prompts: usize, tokens: usize, device: &Device) -> Result<f64> {
    let ids = (0..prompts * tokens).map(|place| (1000 + place * 7919 % VOCABULARY) as i32);
    let data = TensorData::new(ids.collect::<Vec<i32>>(), [prompts, tokens]);
    let ids: Tensor<2, Int> = Tensor::from_data(data, device);
    let mask = Tensor::ones([prompts, tokens], device);
    device.sync()?;
    let started = Instant::now();
    let states = encoder.forward(ids, mask);
    device.sync()?;
    drop(states);
    Ok(started.elapsed().as_secs_f64())
}

fn decode(generator: &AdapterGenerator, device: &Device) -> Result<f64> {
    let [prompts, length, width] = generator.condition_shape();
    let numbers = (0..prompts * length * width).map(|i| (i * 37 % 101) as f32 / 101.0 - 0.5);
    let data = TensorData::new(numbers.collect::<Vec<f32>>(), [prompts, length, width]);
    let states: Tensor<3> = Tensor::from_data(data, device);
    device.sync()?;
    let started = Instant::now();
    let numbers = generator.decode(states, &mut |_| ());
    device.sync()?;
    drop(numbers);
    Ok(started.elapsed().as_secs_f64())
}

/// Operations of MiniLM-L6: six layers, hidden size 384, feed-forward size 1536.
fn encoder_flops(prompts: usize, tokens: usize) -> Option<Amount> {
    let products = 4 * 384 * 384 + 2 * 384 * 1536 + 2 * tokens * 384;
    flops((2 * 6 * prompts * tokens * products) as f64)
}

/// A process that encodes with onnxruntime on request.
struct Peer {
    name: String,
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Peer {
    fn start(python: &Path, model: &Path) -> Result<Self> {
        let mut child = Command::new(python)
            .arg("tests/bench/onnx.py")
            .arg(model)
            .arg(THREADS.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| format!("{}: {e}", python.display()))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("cannot open pipes to onnxruntime".into());
        };
        let mut peer = Self {
            name: String::new(),
            child,
            input,
            output: BufReader::new(output),
        };
        peer.name = peer.line()?;
        Ok(peer)
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }

    fn encode(&mut self, prompts: usize, tokens: usize) -> Result<f64> {
        writeln!(self.input, "{prompts} {tokens}")?;
        let reply = self.line()?;
        let seconds = reply.split(' ').next().unwrap_or_default();
        Ok(seconds
            .parse()
            .map_err(|_| format!("onnxruntime: expected seconds, found `{reply}`"))?)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Ignore errors: it may have exited already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
