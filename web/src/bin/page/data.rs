//! Data types that the views share.

use std::sync::Arc;

use gloo::file::ObjectUrl;
use js_sys::{Array, Reflect, Uint8Array};
use serde::Deserialize;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Blob, BlobPropertyBag};

use super::format;
use super::package::Adapter;
use dnd_web::protocol::{Progress, Report, SelfTest, Stage};

/// Example prompts.
#[derive(Debug, PartialEq)]
pub struct Example {
    /// Label of the button.
    pub name: &'static str,
    /// Name in links.
    pub link: &'static str,
    /// The file in the folder `examples`.
    pub file: &'static str,
    /// New questions of the task, as lines of JSON with `prompt`, `input` and `response`.
    questions: &'static str,
}

/// A question that can be asked with one click.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Question {
    /// The whole prompt.
    pub prompt: String,
    /// The input alone.
    pub input: Option<String>,
}

impl Example {
    /// New questions of the task, which are not among the prompts.
    pub fn questions(&self) -> Vec<Question> {
        let lines = self.questions.lines();
        lines
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }
}

/// All examples.
pub const EXAMPLES: [Example; 5] = [
    Example {
        name: "Antonyms",
        link: "antonyms",
        file: "antonyms.txt",
        questions: include_str!("../../../../assets/questions/antonyms.test.jsonl"),
    },
    Example {
        name: "Capitals",
        link: "capitals",
        file: "capitals.csv",
        questions: include_str!("../../../../assets/questions/capitals.test.jsonl"),
    },
    Example {
        name: "Past tense",
        link: "past-tense",
        file: "past-tense.txt",
        questions: include_str!("../../../../assets/questions/past-tense.test.jsonl"),
    },
    Example {
        name: "Pick the fruit",
        link: "pick-the-fruit",
        file: "pick-the-fruit.jsonl",
        questions: include_str!("../../../../assets/questions/pick-the-fruit.test.jsonl"),
    },
    Example {
        name: "Sentiment",
        link: "sentiment",
        file: "sentiment.txt",
        questions: include_str!("../../../../assets/questions/sentiment.test.jsonl"),
    },
];

/// The largest integer that a number input holds exactly.
pub const LARGEST_SEED: u64 = (1 << 53) - 1;

/// Parses a seed.
///
/// # Errors
/// A sentence, when it is not a whole number or too large.
pub fn read_seed(text: &str) -> Result<u64, String> {
    let text = text.trim();
    match text.parse() {
        Ok(seed) if seed <= LARGEST_SEED => Ok(seed),
        _ => {
            let found = if text.is_empty() { "none" } else { text };
            Err(format!(
                "Seed: expected a whole number from 0 to {LARGEST_SEED}, found {found}."
            ))
        }
    }
}

/// Duration of a stage on the CPU of the machine that the page was measured on, in hundredths of
/// a second; a download takes most of the time where there is one.
fn weight(stage: Stage, fetches: bool) -> f64 {
    match stage {
        Stage::Download if fetches => 800.0,
        Stage::Download => 0.0,
        Stage::Verify => 14.0,
        Stage::Upload => 60.0,
        Stage::Compile => 10.0,
        Stage::Encode => 40.0,
        Stage::Decode => 10.0,
        Stage::Pack => 15.0,
    }
}

/// Progress of a generation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GenerationProgress {
    fetches: bool,
    percent: f64,
    last: Option<Progress>,
}

impl GenerationProgress {
    /// A new generation; `fetches` says whether files have to be downloaded.
    pub fn new(fetches: bool) -> Self {
        Self {
            fetches,
            percent: 0.0,
            last: None,
        }
    }

    /// Applies a progress event. The percentage never decreases.
    pub fn advance(&mut self, progress: Progress) {
        let part = if progress.total == 0 {
            0.0
        } else {
            (progress.done as f64 / progress.total as f64).min(1.0)
        };
        let fetches = self.fetches;
        let sum =
            |stages: &[Stage]| -> f64 { stages.iter().map(|&stage| weight(stage, fetches)).sum() };
        let place = Stage::ALL.iter().position(|&stage| stage == progress.stage);
        let before = sum(&Stage::ALL[..place.unwrap_or_default()]);
        let done = before + part * weight(progress.stage, fetches);
        self.percent = self.percent.max(100.0 * done / sum(&Stage::ALL));
        self.last = Some(progress);
    }

    /// Whether files are being downloaded.
    pub fn downloads(&self) -> bool {
        self.last.is_some_and(|now| now.stage == Stage::Download)
    }

    /// Whole percent over all stages.
    pub fn percent(&self) -> u32 {
        self.percent.clamp(0.0, 100.0) as u32
    }

    /// Stage and amount as text.
    pub fn text(&self) -> String {
        let Some(now) = self.last else {
            return "Starting".to_owned();
        };
        let name = now.stage.name();
        match now.stage {
            _ if now.total == 0 => name.to_owned(),
            Stage::Download | Stage::Verify => {
                let done = format::megabytes(now.done);
                let total = format::megabytes(now.total);
                let speed = now
                    .speed
                    .map(|speed| format!(", {} MB/s", format::megabytes(speed as u64)))
                    .unwrap_or_default();
                format!("{name} {done} of {total} MB{speed}")
            }
            Stage::Encode => format!("{name} {} of {} prompts", now.done, now.total),
            _ => name.to_owned(),
        }
    }
}

/// An adapter with its files.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    /// The prompts that it was made from.
    pub prompts: Arc<Vec<String>>,
    /// The example that these are, if they are one.
    pub example: Option<&'static Example>,
    /// The worker's report.
    pub report: Report,
    /// The archive with everything.
    pub zip: Download,
    /// The weights alone.
    pub model: Download,
    /// The configuration alone.
    pub config: Download,
    /// The adapter for llama.cpp.
    pub gguf: Option<Download>,
}

impl Finished {
    /// An adapter whose files can be saved as long as the addresses exist; `None` if the browser
    /// cannot make them.
    pub fn new(
        adapter: &Adapter,
        prompts: Arc<Vec<String>>,
        example: Option<&'static Example>,
    ) -> Option<(Self, Vec<ObjectUrl>)> {
        let peft = adapter.peft();
        let file = |name: &str| Reflect::get(&peft, &name.into()).ok();
        let (zip, zip_url) = Download::of(&adapter.zip(), "application/zip")?;
        let weights = file("adapter_model.safetensors")?;
        let (model, model_url) = Download::of(&weights, "application/octet-stream")?;
        let (config, config_url) = Download::of(&file("adapter_config.json")?, "application/json")?;
        // Bundles that do not tell their base model's sizes give none.
        let gguf = adapter.gguf().ok();
        let gguf = gguf.and_then(|gguf| Download::of(&gguf, "application/octet-stream"));
        let (gguf, gguf_url) = gguf.unzip();
        let urls = [zip_url, model_url, config_url].into_iter().chain(gguf_url);
        let finished = Self {
            prompts,
            example,
            report: adapter.report()?,
            zip,
            model,
            config,
            gguf,
        };
        Some((finished, urls.collect()))
    }
}

/// A file that can be saved.
#[derive(Debug, Clone, PartialEq)]
pub struct Download {
    /// Its address within this page.
    pub url: String,
    /// Its size.
    pub bytes: u64,
}

impl Download {
    /// Makes bytes a file, which exists until the [`ObjectUrl`] is dropped.
    pub fn of(bytes: &JsValue, kind: &str) -> Option<(Self, ObjectUrl)> {
        let bytes = bytes.dyn_ref::<Uint8Array>()?;
        let options = BlobPropertyBag::new();
        options.set_type(kind);
        let parts = Array::of1(bytes);
        let blob = Blob::new_with_u8_array_sequence_and_options(&parts, &options).ok()?;
        let url = ObjectUrl::from(blob);
        let download = Self {
            url: url.to_string(),
            bytes: u64::from(bytes.length()),
        };
        Some((download, url))
    }
}

/// The result of the self-test as text.
pub fn self_test(test: SelfTest) -> String {
    let verdict = if test.passed() { "passed" } else { "failed" };
    format!(
        "{verdict}: largest difference {:.1e}, tolerance {:.1e}",
        test.largest_difference, test.tolerance
    )
}
