//! Messages between the page and its worker.
//!
//! A message is a JavaScript array: an [`Envelope`] as JSON, then `Uint8Array`s.
//! [`Event::Done`] comes with the zip archive, `adapter_model.safetensors`,
//! `adapter_config.json` and, where the bundle tells the base model's sizes, the GGUF file;
//! [`Event::Encoded`] comes with the values, and [`Request::Adapt`] with the adapter's two files.
//! There is no request to cancel a generation: the page terminates the worker and starts another.
//!
//! The base model runs in a worker of its own, which the page starts when it is asked for. A worker
//! that computes on the CPU uses the same messages with other workers, its helpers.

use serde::{Deserialize, Serialize};

use crate::manifest::Manifest;

/// A [`Request`] or an [`Event`] with the id of its request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope<T> {
    /// Chosen by the sender of the request, never zero. Events without a request, such as the
    /// loss of the GPU, have zero.
    pub id: u32,
    /// The request or event.
    #[serde(flatten)]
    pub body: T,
}

/// A request to the worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Request {
    /// Choose the device and check the stored files; answered with [`Event::Device`] and
    /// [`Event::Files`]. Downloads only the manifest.
    Start {
        /// The requested device.
        device: DeviceChoice,
        /// Folder of the page, an absolute URL that ends with a slash.
        base: String,
        /// The base model to generate for; else the manifest's first.
        #[serde(default)]
        model: Option<String>,
    },
    /// Load stored models ahead of the next [`Request::Generate`].
    Prepare,
    /// Generate an adapter: download missing files, load the models, compute and pack.
    Generate {
        /// The prompts, none of them blank.
        prompts: Vec<String>,
        /// Seed of the draw of prompts.
        seed: u64,
    },
    /// Load the stored encoder to help another worker; answered with [`Event::Prepared`].
    /// Downloads nothing.
    Help {
        /// The manifest of the other worker.
        manifest: Manifest,
        /// Tokens L per prompt.
        tokens: usize,
    },
    /// Encode a group of prompts for another worker; answered with [`Event::Encoded`].
    Encode {
        /// The prompts of the group.
        prompts: Vec<String>,
    },
    /// Benchmark encoder and generator for `cargo xtask bench`; answered with
    /// [`Event::Measured`]. The page never sends this.
    Measure {
        /// Number of prompts to encode.
        prompts: usize,
        /// Tokens per prompt, without padding.
        tokens: usize,
        /// Whether the GPU runs this project's kernels or burn's own operations. A worker's
        /// first request decides.
        kernels: bool,
        /// Whether helpers encode a part of the prompts. Each prompt then has this many words
        /// and is cut to L tokens.
        helpers: bool,
    },
    /// Download the base model if it is not stored, and load it; answered with
    /// [`Event::Opened`].
    OpenBase {
        /// Folder of the page, as in [`Request::Start`].
        base: String,
        /// The base model, as in [`Request::Start`].
        #[serde(default)]
        model: Option<String>,
        /// The device that answers.
        device: DeviceChoice,
    },
    /// Use this adapter from now on; `adapter_model.safetensors` and `adapter_config.json` follow.
    /// Answered with [`Event::Adapted`].
    Adapt,
    /// Answer a question with the base model; answered with [`Event::Text`], once for each new
    /// piece of text, and [`Event::Answered`].
    Answer {
        /// What the user says.
        prompt: String,
        /// Whether the adapter is used.
        adapted: bool,
        /// How the answer is decoded.
        decoding: Decoding,
    },
    /// Stop the answers requested before. They are answered with what there is of them.
    Stop,
    /// Delete the stored model files; answered with [`Event::Files`].
    Delete,
}

/// How an answer is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Decoding {
    /// Maximum length in tokens.
    pub max_tokens: usize,
    /// Zero for greedy decoding.
    pub temperature: f32,
    /// Sampling takes the most likely tokens that together reach this probability.
    pub top_p: f32,
    /// Seed for sampling.
    pub seed: u64,
}

/// The requested device (`?device=` in the address).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceChoice {
    /// A suitable hardware GPU, else the CPU.
    #[default]
    Auto,
    /// WebAssembly on the CPU.
    Cpu,
    /// WebGPU, even on a software GPU.
    WebGpu,
}

impl DeviceChoice {
    /// Parses a value of `?device=`.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "auto" => Some(Self::Auto),
            "cpu" => Some(Self::Cpu),
            "webgpu" => Some(Self::WebGpu),
            _ => None,
        }
    }

    /// The value of `?device=`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Cpu => "cpu",
            Self::WebGpu => "webgpu",
        }
    }
}

/// An event sent by the worker.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// The device was chosen, or changed because it failed the self-test.
    Device(DeviceReport),
    /// How much of the model files is stored.
    Files(FilesReport),
    /// Progress of a request.
    Progress(Progress),
    /// The result of the self-test.
    SelfTest(SelfTest),
    /// All models are loaded, or the encoder of a helper.
    Prepared,
    /// Hidden states of a group of prompts; the values follow as little-endian f32.
    Encoded {
        /// Prompts, L and C.
        shape: [usize; 3],
    },
    /// The result of a benchmark.
    Measured {
        /// Seconds of the encoder.
        encode: f64,
        /// Seconds of the generator.
        decode: f64,
    },
    /// The adapter was generated; its files follow.
    Done(Box<Report>),
    /// The base model is loaded.
    Opened,
    /// The adapter is in use.
    Adapted,
    /// A new piece of an answer.
    Text {
        /// The text.
        text: String,
    },
    /// An answer is complete.
    Answered(Answered),
    /// The request failed.
    Failed {
        /// What went wrong, as a sentence.
        message: String,
        /// What the page can do about it.
        cause: Cause,
    },
}

/// Why a request failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The connection broke or the server refused. Downloaded bytes are kept.
    Download,
    /// The server no longer has a file of this page: the page was updated.
    Outdated,
    /// There is no generator for the base model that was asked for.
    NoModel,
    /// A file does not match the manifest.
    Corrupt,
    /// The GPU was lost. A new worker may get it back.
    DeviceLost,
    /// Anything else.
    Other,
}

/// The device that computes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceReport {
    /// True for WebGPU, false for WebAssembly on the CPU.
    pub gpu: bool,
    /// Display name: `GPU (WebGPU, nvidia ampere)` or `CPU (WebAssembly)`.
    pub name: String,
    /// Why it is not a GPU, or what to expect of it; a sentence.
    pub note: Option<String>,
    /// Names and values for the diagnostics.
    pub details: Vec<(String, String)>,
}

/// How an answer came about.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Answered {
    /// Tokens of the answer.
    pub tokens: usize,
    /// Whether the model ended its turn; otherwise the answer is cut.
    pub ended: bool,
    /// Whether [`Request::Stop`] cut it.
    pub stopped: bool,
    /// Seconds from the request to the first text.
    pub first: f64,
    /// Tokens per second after the first text, if there are any.
    pub rate: Option<f64>,
}

/// The model files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilesReport {
    /// The base models that there is a generator for.
    pub models: Vec<String>,
    /// The one that was chosen, if the manifest has names.
    pub model: Option<String>,
    /// Bytes of all model files.
    pub total: u64,
    /// Bytes stored on this device.
    pub stored: u64,
    /// Bytes of the base model, which is fetched only when it is asked for; zero if the page has
    /// none.
    pub base_total: u64,
    /// Bytes of it stored on this device.
    pub base_stored: u64,
    /// Why nothing can be stored; a sentence.
    pub not_stored: Option<String>,
}

/// A stage of a generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Downloading model files; counted in bytes.
    Download,
    /// Checking their hashes; counted in bytes.
    Verify,
    /// Loading the weights onto the device.
    Upload,
    /// Compiling kernels and running the self-test.
    Compile,
    /// Prompts to condition; counted in prompts.
    Encode,
    /// Condition to adapter.
    Decode,
    /// Packing the files for download.
    Pack,
}

impl Stage {
    /// All stages, first to last.
    pub const ALL: [Self; 7] = [
        Self::Download,
        Self::Verify,
        Self::Upload,
        Self::Compile,
        Self::Encode,
        Self::Decode,
        Self::Pack,
    ];

    /// Display name of the stage.
    pub fn name(self) -> &'static str {
        match self {
            Self::Download => "Download",
            Self::Verify => "Verify",
            Self::Upload => "Load models",
            Self::Compile => "Compile",
            Self::Encode => "Encode",
            Self::Decode => "Decode",
            Self::Pack => "Pack",
        }
    }
}

/// Progress of a request.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The stage.
    pub stage: Stage,
    /// Units done.
    pub done: u64,
    /// Total units; zero when unknown.
    pub total: u64,
    /// Bytes per second, while downloading.
    pub speed: Option<f64>,
}

/// The result of a self-test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SelfTest {
    /// Largest difference from the expected output.
    pub largest_difference: f32,
    /// Largest accepted difference.
    pub tolerance: f32,
}

impl SelfTest {
    /// Whether the difference is accepted.
    pub fn passed(&self) -> bool {
        self.largest_difference <= self.tolerance
    }
}

/// A generated adapter, without its files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The base model that the adapter is for.
    pub base_model: String,
    /// Seed of the draw.
    pub seed: u64,
    /// Prompts given.
    pub given: usize,
    /// Prompts N that the generator reads.
    pub read: usize,
    /// Workers assigned to encode them.
    pub workers: usize,
    /// SHA-256 of `adapter_model.safetensors`, as `dnd generate --json` prints it.
    pub sha256: String,
    /// SHA-256 of the zip archive.
    pub zip_sha256: String,
    /// Why the adapter may be of little use, and what to do.
    pub doubt: Option<String>,
    /// Training tasks of the generator, the most similar to the prompts first; empty when the
    /// bundle has no task embeddings.
    pub similar: Vec<SimilarTask>,
    /// Seconds of each stage that ran, in order.
    pub timings: Vec<(Stage, f64)>,
}

/// A training task of the generator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SimilarTask {
    /// Its name.
    pub name: String,
    /// Cosine of the mean prompt embeddings.
    pub similarity: f32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_survive_json() {
        let asked = Envelope {
            id: 7,
            body: Request::Generate {
                prompts: vec!["äöü \u{1f600}".to_owned()],
                seed: u64::from(u32::MAX) + 1,
            },
        };
        let text = serde_json::to_string(&asked).unwrap();
        assert_eq!(
            serde_json::from_str::<Envelope<Request>>(&text).unwrap(),
            asked
        );
        for event in [
            Event::Failed {
                message: "no".to_owned(),
                cause: Cause::DeviceLost,
            },
            Event::Prepared,
            Event::SelfTest(SelfTest {
                largest_difference: 4.8e-7,
                tolerance: 1e-3,
            }),
        ] {
            let told = Envelope { id: 7, body: event };
            let text = serde_json::to_string(&told).unwrap();
            assert_eq!(
                serde_json::from_str::<Envelope<Event>>(&text).unwrap(),
                told
            );
        }
    }

    #[test]
    fn choices_have_names() {
        for choice in [DeviceChoice::Auto, DeviceChoice::Cpu, DeviceChoice::WebGpu] {
            assert_eq!(DeviceChoice::from_name(choice.name()), Some(choice));
        }
        assert_eq!(DeviceChoice::from_name("tpu"), None);
    }
}
