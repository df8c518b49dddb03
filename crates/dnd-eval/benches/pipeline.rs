//! Speed and memory on the real models, as quoted in README and the model card.
//!
//! Run it with `cargo xtask bench`, which fetches the models and builds `dnd` first. With
//! `--peer PYTHON`, every fine-tuning step alternates with one of transformers and peft on the same
//! token ids, so that other load slows both equally: quote the ratio.
//!
//! Both sides of the fine-tuning comparison run in their own process, because peak memory is per
//! process. They are controlled over pipes: one line with a [`Job`], answered once the model is
//! loaded, then an empty line per step, answered with the loss.

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use clap::Parser;
use dnd_adapter::{Layout, Projection};
use dnd_model::device::device;
use dnd_model::language::MatmulDtype;

use dnd_model::files::{BASE_MODEL, Base, default_base};
use dnd_tasks::Line;
use dnd_train::Example;
use dnd_train::collect::{TuneSettings, Tuner, initial_adapter};
use serde::{Deserialize, Serialize};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Threads of both sides.
const THREADS: usize = 2;
/// Runs of `dnd generate`.
const RUNS: usize = 5;
/// Fine-tuning steps: untimed warm-up steps, then timed steps.
const WARM_UP: usize = 3;
const STEPS: usize = 10;
/// Fine-tuning batches: (examples, tokens per example).
const SHAPES: [(usize, usize); 2] = [(10, 35), (8, 96)];
const BUNDLE: &str = "assets/smollm2-135m.safetensors";
const PROMPTS: &str = "assets/prompts/antonyms.txt";
/// Words of one token each, to build prompts of any length.
const WORDS: &str = "water light house paper green small music river stone bread chair glass \
                     round table world story";

/// Benchmarks `dnd` against transformers with peft. Paths are relative to the root of the
/// repository.
#[derive(Parser)]
struct Arguments {
    /// Bundle that `dnd generate` reads
    #[arg(long, value_name = "FILE", default_value = BUNDLE)]
    bundle: PathBuf,
    /// Python with torch, transformers, peft and gguf to compare with
    #[arg(long, value_name = "PYTHON")]
    peer: Option<PathBuf>,
    /// Write the results as JSON, with the time of each step
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Run as the worker process for fine-tuning steps
    #[arg(long, hide = true)]
    worker: bool,
    /// Cargo passes this flag to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

/// All results, as written to disk.
#[derive(Serialize)]
struct Report {
    generate: Figure,
    collect: Vec<Comparison>,
}

/// Times of one workload, with peak memory if the system reports it.
#[derive(Serialize)]
struct Figure {
    seconds: Vec<f64>,
    median: f64,
    peak_bytes: Option<u64>,
}

/// Results of both sides for one fine-tuning batch.
#[derive(Serialize)]
struct Comparison {
    examples: usize,
    tokens: usize,
    /// Length of the common prefix of all examples: the template's system message.
    shared_tokens: usize,
    dnd: Figure,
    peer: Option<Figure>,
}

/// A worker's fine-tuning job; tests/peft/peer.py reads it as well.
#[derive(Serialize, Deserialize)]
struct Job {
    model: PathBuf,
    threads: usize,
    rank: usize,
    alpha: f32,
    settings: TuneSettings,
    /// Tokens of each example and the start of its answer; tokens before it have no loss.
    examples: Vec<(Vec<u32>, usize)>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    // Cargo starts benchmarks in the folder of their crate.
    std::env::set_current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))?;
    if arguments.worker {
        return work();
    }
    let generate = generate(&arguments.bundle)?;
    let collect = SHAPES
        .iter()
        .map(|&(examples, tokens)| compare(examples, tokens, arguments.peer.as_deref()))
        .collect::<Result<_>>()?;
    let report = Report { generate, collect };
    print(&report);
    if let Some(path) = &arguments.json {
        dnd_files::write_json(path, &report)?;
    }
    Ok(())
}

/// Times complete runs of `dnd generate`.
fn generate(bundle: &Path) -> Result<Figure> {
    // This program is target/release/deps/pipeline-HASH.
    let mut dnd = std::env::current_exe()?;
    dnd.pop();
    dnd.set_file_name(format!("dnd{}", std::env::consts::EXE_SUFFIX));
    let folder = tempfile::tempdir()?;
    let mut seconds = Vec::new();
    let mut peak = None;
    for _ in 0..RUNS {
        let started = Instant::now();
        let mut child = Command::new(&dnd)
            .args(["generate", "--device", "cpu", "--prompts", PROMPTS])
            .arg("--bundle")
            .arg(bundle)
            .arg("--out")
            .arg(folder.path().join("adapter"))
            .env("RAYON_NUM_THREADS", THREADS.to_string())
            .stdout(Stdio::null())
            .spawn()
            .map_err(|e| format!("{}: {e}; `cargo xtask bench` builds it", dnd.display()))?;
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            peak = peak.max(peak_memory(&child));
            std::thread::sleep(Duration::from_millis(2));
        };
        seconds.push(started.elapsed().as_secs_f64());
        if !status.success() {
            return Err(format!("dnd generate: {status}").into());
        }
    }
    Ok(Figure::new(seconds, peak))
}

/// Alternates between `dnd` and the peer on the same batch.
fn compare(examples: usize, tokens: usize, peer: Option<&Path>) -> Result<Comparison> {
    let job = job(examples, tokens)?;
    let mut ours = Worker::start(&std::env::current_exe()?, "--worker", &job)?;
    let mut peer = peer
        .map(|python| Worker::start(python, "tests/peft/peer.py", &job))
        .transpose()?;
    for step in 0..WARM_UP + STEPS {
        let loss = ours.step()?;
        let theirs = peer.as_mut().map_or(Ok(loss), Worker::step)?;
        // A new adapter has no effect, so the first loss is the base model's on both sides.
        if step == 0 && (loss - theirs).abs() > 0.02 {
            return Err(format!("first losses differ: {loss} and {theirs}").into());
        }
    }
    let rows = || job.examples.iter().map(|(row, _)| row);
    let is_shared = |&place: &usize| rows().all(|row| row[place] == job.examples[0].0[place]);
    Ok(Comparison {
        examples,
        tokens,
        shared_tokens: (0..tokens).take_while(is_shared).count(),
        dnd: ours.finish()?,
        peer: peer.map(Worker::finish).transpose()?,
    })
}

fn job(examples: usize, tokens: usize) -> Result<Job> {
    let model = default_base();
    let base = Base::open(&model, MatmulDtype::F32, &device("cpu")?.0)?;
    let settings = TuneSettings {
        batch: examples,
        ..TuneSettings::default()
    };
    Ok(Job {
        model,
        threads: THREADS,
        rank: 8,
        alpha: 16.0,
        settings,
        examples: (0..examples)
            .map(|number| example(&base, number, tokens))
            .collect::<Result<_>>()?,
    })
}

/// An example of exactly `tokens` tokens, with an answer of one to three words.
fn example(base: &Base, number: usize, tokens: usize) -> Result<(Vec<u32>, usize)> {
    let words = WORDS.split(' ').cycle().skip(number);
    let text = |count| words.clone().take(count).collect::<Vec<_>>().join(" ");
    // A word is a token, so some word count matches unless the template is too long.
    for count in 1..tokens {
        let line = Line {
            prompt: text(count),
            response: text(1 + number % 3),
            ..Line::default()
        };
        let example = Example::new(base, &line)?;
        if example.tokens.len() == tokens {
            return Ok((example.tokens, example.answer_start));
        }
    }
    Err(format!("cannot build an example of {tokens} tokens").into())
}

/// A process that runs fine-tuning steps on request.
struct Worker {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    seconds: Vec<f64>,
}

impl Worker {
    /// Starts a worker and waits until its model is loaded.
    fn start(program: &Path, argument: &str, job: &Job) -> Result<Self> {
        let mut child = Command::new(program)
            .arg(argument)
            .env("RAYON_NUM_THREADS", THREADS.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| format!("{}: {e}", program.display()))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("a worker has no pipes".into());
        };
        let mut worker = Self {
            child,
            input,
            output: BufReader::new(output),
            seconds: Vec::new(),
        };
        match worker.ask(&serde_json::to_string(job)?)?.as_str() {
            "ready" => Ok(worker),
            reply => Err(format!("{} {argument}: {reply:?}", program.display()).into()),
        }
    }

    fn ask(&mut self, line: &str) -> Result<String> {
        writeln!(self.input, "{line}")?;
        let mut reply = String::new();
        self.output.read_line(&mut reply)?;
        Ok(reply.trim_end().to_owned())
    }

    /// Runs one step, records its time and returns its loss.
    fn step(&mut self) -> Result<f64> {
        let started = Instant::now();
        let reply = self.ask("")?;
        self.seconds.push(started.elapsed().as_secs_f64());
        Ok(reply.parse().map_err(|_| format!("no loss: `{reply}`"))?)
    }

    fn finish(mut self) -> Result<Figure> {
        let peak = peak_memory(&self.child);
        drop(self.input);
        self.child.wait()?;
        Ok(Figure::new(self.seconds.split_off(WARM_UP), peak))
    }
}

/// The worker process of `dnd`, controlled by a [`Worker`].
fn work() -> Result<()> {
    let mut lines = std::io::stdin().lines();
    let job: Job = serde_json::from_str(&lines.next().ok_or("no job on standard input")??)?;
    let base = Base::open(&job.model, MatmulDtype::F32, &device("cpu")?.0)?;
    let dimensions = &base.model.config().dimensions;
    let targets = &Projection::ALL;
    let layout = Layout::new(BASE_MODEL, dimensions, job.rank, job.alpha, targets)?;
    let initial = initial_adapter(&layout, job.settings.seed);
    let examples = job.examples.into_iter();
    let examples: Vec<Example> = examples
        .map(|(tokens, answer_start)| Example {
            tokens,
            answer_start,
        })
        .collect();
    let mut tuner = Tuner::new(&base.model, &initial, &examples, &job.settings);
    println!("ready");
    for line in lines {
        line?;
        println!("{}", tuner.step()?.loss);
    }
    Ok(())
}

/// Peak resident memory of a running process. The kernel tracks it (Linux only), so polling misses
/// only growth right before the process exits.
fn peak_memory(process: &Child) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}

impl Figure {
    fn new(seconds: Vec<f64>, peak_bytes: Option<u64>) -> Self {
        let mut sorted = seconds.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        let median = (sorted[middle] + sorted[(sorted.len() - 1) / 2]) / 2.0;
        Self {
            seconds,
            median,
            peak_bytes,
        }
    }

    fn peak(&self) -> String {
        let gigabytes = |bytes| format!("{:.2} GB", bytes as f64 / 1e9);
        self.peak_bytes.map_or("peak unknown".to_owned(), gigabytes)
    }
}

impl Comparison {
    /// Tokens per second, counting all tokens of all examples.
    fn speed(&self, figure: &Figure) -> f64 {
        (self.examples * self.tokens) as f64 / figure.median
    }

    /// A row of the table.
    fn row(&self) -> String {
        let cell = |figure| format!("{:.0} tokens/s, {}", self.speed(figure), figure.peak());
        let (theirs, ratio) = match &self.peer {
            Some(peer) => (
                cell(peer),
                format!("{:.2}", self.speed(&self.dnd) / self.speed(peer)),
            ),
            None => ("not measured".to_owned(), String::new()),
        };
        let (examples, tokens, ours) = (self.examples, self.tokens, cell(&self.dnd));
        format!("| collect, {examples} x {tokens} tokens | {ours} | {theirs} | {ratio} |")
    }
}

fn print(report: &Report) {
    let (generate, collect) = (&report.generate, &report.collect);
    println!("| {THREADS} threads | dnd | transformers + peft | ratio |");
    println!("|---|---|---|---|");
    let (median, peak) = (generate.median, generate.peak());
    println!("| generate, 32 prompts | {median:.2} s, {peak} | | |");
    for comparison in collect {
        println!("{}", comparison.row());
    }
    let shared = collect[0].shared_tokens;
    println!(
        "\nSpeeds count all tokens of all examples. The first {shared} tokens of each example are \
         the chat template's; dnd computes them once per core."
    );
}
