//! `cargo xtask fuzz`: libFuzzer over everything that reads bytes.

use std::fmt::Write as _;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context as _, Result, anyhow, bail};
use xshell::cmd;

use crate::context::{Context, create_folder, walk};

/// What cargo-fuzz passes, without the address sanitizer, which needs a nightly compiler.
const INSTRUMENTATION: &str = "-Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    --cfg fuzzing -Ccodegen-units=1";
/// Largest input in bytes.
const LONGEST: u64 = 1 << 20;
/// Most memory of a target in MB, libFuzzer's own included.
const MOST_MEMORY: u64 = 1024;
/// Most memory of one allocation in MB.
const LARGEST_ALLOCATION: u64 = 200;
/// Seconds that one input may take on a busy machine.
const MOST_SECONDS: u64 = 10;

/// A target and the endings of file names that seed it.
type Target = (&'static str, &'static [&'static str]);

const TARGETS: [Target; 12] = [
    ("safetensors", &[".safetensors"]),
    ("gguf", &[".gguf"]),
    ("peft", &["adapter_config.json"]),
    ("bundle", &["bundle.safetensors"]),
    ("prompts", &[".txt", ".csv", ".ndjson", "prompts.jsonl"]),
    ("task_lines", &["test.jsonl", "train.jsonl"]),
    ("chat_template", &[".jinja"]),
    ("tokenizer", &[".gguf"]),
    ("model_config", &["/config.json", ".gguf"]),
    ("manifest", &["manifest.json"]),
    ("messages", &[".message"]),
    ("requests", &[".request"]),
];

/// Where seeds are looked for.
const SEEDS: [&str; 7] = [
    "fuzz/seeds",
    "assets/prompts",
    "assets/questions",
    "crates/dnd-model/tests/chat_templates",
    "out/small-models",
    "../shared/cases",
    "../shared/fixtures",
];

/// Arguments of the task.
#[derive(clap::Args)]
pub struct Args {
    /// Minutes for all targets together
    #[arg(long, default_value_t = 12.0)]
    minutes: f64,

    /// Targets that run at once
    #[arg(long, value_name = "N", default_value_t = NonZero::<usize>::MIN)]
    jobs: NonZero<usize>,

    /// Only these targets, separated by commas
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
}

/// What one target did.
struct Outcome {
    name: &'static str,
    executions: u64,
    /// Edges of the program that were reached.
    coverage: u64,
    /// Whole seconds of the slowest input.
    slowest: u64,
    /// Largest memory in MB, the corpus and libFuzzer's own included.
    memory: u64,
    findings: Vec<PathBuf>,
}

/// Runs the targets by turns and prints a table; fails if any found something.
pub fn run(context: &Context, args: &Args) -> Result<()> {
    let chosen: Vec<&Target> = TARGETS
        .iter()
        .filter(|(name, _)| args.only.is_empty() || args.only.iter().any(|only| only == name))
        .collect();
    if let Some(unknown) = args
        .only
        .iter()
        .find(|only| !TARGETS.iter().any(|t| t.0 == **only))
    {
        let known: Vec<&str> = TARGETS.iter().map(|target| target.0).collect();
        bail!(
            "--only: expected one of {}, found `{unknown}`",
            known.join(", ")
        );
    }
    let programs = build(context)?;
    let jobs = args.jobs.get().min(chosen.len());
    let turns = chosen.len().div_ceil(jobs);
    let seconds = (args.minutes * 60.0 / turns as f64).ceil() as u64;
    let all: Vec<Job> = chosen
        .iter()
        .map(|target| Job::new(context, &programs, target, seconds.max(1)))
        .collect::<Result<_>>()?;
    let next = AtomicUsize::new(0);
    let work = || -> Result<Vec<(usize, Outcome)>> {
        let mut done = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(job) = all.get(place) else {
                return Ok(done);
            };
            done.push((place, job.run()?));
        }
    };
    let shares: Vec<_> = thread::scope(|scope| {
        let running: Vec<_> = (0..jobs).map(|_| scope.spawn(work)).collect();
        let shares = running.into_iter().map(thread::ScopedJoinHandle::join);
        shares.collect()
    });
    let mut outcomes = Vec::new();
    for share in shares {
        outcomes.extend(share.map_err(|_| anyhow!("a thread of this task panicked"))??);
    }
    outcomes.sort_by_key(|(place, _)| *place);
    let outcomes: Vec<Outcome> = outcomes.into_iter().map(|(_, outcome)| outcome).collect();
    println!("{}", table(&outcomes, seconds));
    if let Some(seconds) = children_seconds() {
        println!(
            "\n{:.1} minutes of processor time, the build's included",
            seconds / 60.0
        );
    }
    let findings: usize = outcomes.iter().map(|outcome| outcome.findings.len()).sum();
    if findings > 0 {
        bail!(
            "{findings} inputs made a target fail; each can be given to its program to repeat it"
        );
    }
    Ok(())
}

/// Processor time of all programs that this one has run, in seconds; Linux alone tells it.
fn children_seconds() -> Option<f64> {
    const TICKS: f64 = 100.0;
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    // After the program's name in brackets: `cutime` and `cstime` are fields 16 and 17 of proc(5).
    let (_, fields) = text.rsplit_once(") ")?;
    let ticks: Vec<f64> = fields
        .split(' ')
        .skip(13)
        .take(2)
        .map(|field| field.parse().ok())
        .collect::<Option<_>>()?;
    Some(ticks.iter().sum::<f64>() / TICKS)
}

/// Builds all targets and returns their folder.
fn build(context: &Context) -> Result<PathBuf> {
    let version = cmd!(context.sh, "rustc -vV").quiet().read()?;
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .context("rustc -vV: expected a line `host: `, found none")?;
    let target = context.cache("fuzz/target");
    let _flags = context.sh.push_env("RUSTFLAGS", INSTRUMENTATION);
    let _target = context.sh.push_env("CARGO_TARGET_DIR", &target);
    // With --target, build scripts are built without the instrumentation.
    cmd!(
        context.sh,
        "cargo build --release --manifest-path fuzz/Cargo.toml --target {host} --bins"
    )
    .run()?;
    Ok(target.join(host).join("release"))
}

/// A target with its corpus, which is kept in the cache folder.
struct Job {
    name: &'static str,
    program: PathBuf,
    corpus: PathBuf,
    artefacts: PathBuf,
    seconds: u64,
}

impl Job {
    /// Makes the folders and copies the seeds.
    fn new(
        context: &Context,
        programs: &Path,
        (name, endings): &Target,
        seconds: u64,
    ) -> Result<Self> {
        let job = Self {
            name,
            program: programs.join(name),
            corpus: context.cache(format!("fuzz/corpus/{name}")),
            artefacts: context.cache(format!("fuzz/findings/{name}")),
            seconds,
        };
        create_folder(&job.corpus)?;
        create_folder(&job.artefacts)?;
        seed(context, &job.corpus, name, endings)?;
        Ok(job)
    }

    fn run(&self) -> Result<Outcome> {
        let (name, seconds) = (self.name, self.seconds);
        println!("fuzz: {name} for {seconds} s");
        let output = Command::new(&self.program)
            .arg(&self.corpus)
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-max_len={LONGEST}"))
            .arg(format!("-rss_limit_mb={MOST_MEMORY}"))
            .arg(format!("-malloc_limit_mb={LARGEST_ALLOCATION}"))
            .arg(format!("-timeout={MOST_SECONDS}"))
            .arg(format!("-artifact_prefix={}/", self.artefacts.display()))
            .arg("-print_final_stats=1")
            .output()
            .with_context(|| format!("cannot run the target {name}"))?;
        let log = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            let lines: Vec<&str> = log.lines().collect();
            let last = lines.len().saturating_sub(40);
            eprintln!("{}", lines[last..].join("\n"));
        }
        let findings = walk(&self.artefacts)?.into_iter();
        Ok(Outcome {
            name,
            executions: number_after(&log, "stat::number_of_executed_units:").unwrap_or_default(),
            coverage: number_after(&log, " cov: ").unwrap_or_default(),
            slowest: number_after(&log, "stat::slowest_unit_time_sec:").unwrap_or_default(),
            memory: number_after(&log, "stat::peak_rss_mb:").unwrap_or_default(),
            findings: findings.map(|file| self.artefacts.join(file)).collect(),
        })
    }
}

/// The number behind the last occurrence of `words`.
fn number_after(log: &str, words: &str) -> Option<u64> {
    let rest = &log[log.rfind(words)? + words.len()..];
    let mut digits = rest.trim_start().split(|c: char| !c.is_ascii_digit());
    digits.next()?.parse().ok()
}

/// Copies files with these endings into a corpus.
fn seed(context: &Context, corpus: &Path, name: &str, endings: &[&str]) -> Result<()> {
    for folder in SEEDS {
        let folder = context.root(folder);
        if !folder.is_dir() {
            continue;
        }
        for file in walk(&folder)? {
            let path = folder.join(&file);
            let text = path.display().to_string();
            if !endings.iter().any(|ending| text.ends_with(ending)) {
                continue;
            }
            let mut bytes = dnd_files::read(&path)?;
            match name {
                // The extension, and then the text.
                "prompts" => bytes.insert(0, 0),
                "peft" => {
                    bytes.push(0);
                    let weights = path.with_file_name("adapter_model.safetensors");
                    bytes.extend(dnd_files::read(&weights).unwrap_or_default());
                }
                _ => {}
            }
            if bytes.len() as u64 <= LONGEST {
                let hash = dnd_files::sha256(&bytes);
                dnd_files::write(&corpus.join(format!("seed-{}", &hash[..16])), &bytes)?;
            }
        }
    }
    Ok(())
}

/// The outcomes as a table in Markdown.
fn table(outcomes: &[Outcome], seconds: u64) -> String {
    let mut text = format!(
        "\n| target, {seconds} s each | executions | edges | slowest | memory | findings |\n\
         |---|--:|--:|--:|--:|--:|"
    );
    for outcome in outcomes {
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "\n| {} | {} | {} | {} s | {} MB | {} |",
            outcome.name,
            outcome.executions,
            outcome.coverage,
            outcome.slowest,
            outcome.memory,
            outcome.findings.len()
        );
    }
    for finding in outcomes.iter().flat_map(|outcome| &outcome.findings) {
        let _ = write!(text, "\n{}", finding.display());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_from_the_log() {
        let log =
            "#1 INITED cov: 7 ft: 8\n#9 DONE cov: 23 ft: 40\nstat::number_of_executed_units: 99";
        assert_eq!(number_after(log, " cov: "), Some(23));
        assert_eq!(
            number_after(log, "stat::number_of_executed_units:"),
            Some(99)
        );
        assert_eq!(number_after(log, "nothing"), None);
    }
}
