//! What the page and its worker say to each other.
//!
//! A message is a JavaScript array: first an [`Envelope`] as JSON, then `Uint8Array`s: after [`Event::Done`] the zip archive,
//! `adapter_model.safetensors` and `adapter_config.json`, after [`Event::Encoded`] the numbers. There is no request to cancel: the
//! page ends the worker and starts another.
//!
//! A worker that computes on the CPU asks others, its helpers, in the same way.

use serde::{Deserialize, Serialize};

use crate::manifest::Manifest;

/// A [`Request`] or an [`Event`] with the number of the request that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope<T> {
    /// Chosen by the sender of the request, never zero. An event that belongs to no request, such
    /// as the loss of the GPU, has zero.
    pub id: u32,
    /// The request or event.
    #[serde(flatten)]
    pub body: T,
}

/// What the page asks of the worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Request {
    /// Choose the device and look at the stored files; the worker answers with [`Event::Device`] and
    /// [`Event::Files`]. Nothing is downloaded but the manifest.
    Start {
        /// Which device is wanted.
        device: DeviceChoice,
        /// Folder of the page, an absolute URL that ends with a slash.
        base: String,
    },
    /// Load models that are stored already, so that the next [`Request::Generate`] has less to do.
    Prepare,
    /// Generate an adapter: fetches what is missing, then loads, computes and packs.
    Generate {
        /// The prompts, none of them blank.
        prompts: Vec<String>,
        /// Seed of the draw of prompts.
        seed: u64,
    },
    /// Load the encoder, which is stored already, to help another worker; answered with [`Event::Prepared`]. Nothing is fetched.
    Help {
        /// The files that the other worker has.
        manifest: Manifest,
        /// Tokens L of a prompt.
        tokens: usize,
    },
    /// Encode a group of prompts for another worker; answered with [`Event::Encoded`].
    Encode {
        /// The prompts of the group.
        prompts: Vec<String>,
    },
    /// Measure encoder and generator, for `cargo xtask bench`; the worker answers with [`Event::Measured`]. The page never asks.
    Measure {
        /// Prompts that are encoded.
        prompts: usize,
        /// Tokens of each, all of them real ones.
        tokens: usize,
        /// Whether the GPU runs this project's kernels, or burn's own operations. The first request of a worker decides.
        kernels: bool,
        /// Whether helpers encode a part of them: prompts of so many words then, cut off after L tokens.
        helpers: bool,
    },
    /// Delete the stored model files; the worker answers with [`Event::Files`].
    Delete,
}

/// Which device the visitor wants (`?device=` in the address).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceChoice {
    /// The GPU if it is a real one that fits, else the CPU.
    #[default]
    Auto,
    /// WebAssembly on the CPU.
    Cpu,
    /// WebGPU, a software one too.
    WebGpu,
}

impl DeviceChoice {
    /// The choice that a value of `?device=` stands for.
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

/// What the worker tells the page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// The device was chosen, or changed because it failed the self-test.
    Device(DeviceReport),
    /// What is stored and what a generation would fetch.
    Files(FilesReport),
    /// Where the work stands.
    Progress(Progress),
    /// The device computed a known input.
    SelfTest(SelfTest),
    /// All models are loaded, or the encoder of a helper.
    Prepared,
    /// Hidden states of a group of prompts; their numbers follow, f32 in little-endian order.
    Encoded {
        /// Prompts, L and C.
        shape: [usize; 3],
    },
    /// How long one run took.
    Measured {
        /// Seconds of the encoder.
        encode: f64,
        /// Seconds of the generator.
        decode: f64,
    },
    /// The adapter is there; three byte arrays follow.
    Done(Box<Report>),
    /// The request came to nothing.
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
    /// The connection broke off or the server refused; what has come is kept.
    Download,
    /// A file is not what the manifest says.
    Corrupt,
    /// The GPU was lost: a new worker may find it again.
    DeviceLost,
    /// Anything else.
    Other,
}

/// The device that computes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceReport {
    /// True for WebGPU, false for WebAssembly on the CPU.
    pub gpu: bool,
    /// What it is, for people: `GPU (WebGPU, nvidia ampere)` or `CPU (WebAssembly)`.
    pub name: String,
    /// Why it is not a GPU, or what to expect of it; a sentence.
    pub note: Option<String>,
    /// Names and values for the diagnostics.
    pub details: Vec<(String, String)>,
}

/// The model files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilesReport {
    /// Bytes of all model files.
    pub total: u64,
    /// Bytes of them that are stored on this device.
    pub stored: u64,
    /// Why nothing can be stored; a sentence.
    pub not_stored: Option<String>,
}

/// A stage of a generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Fetching model files; counted in bytes.
    Download,
    /// Comparing them with the manifest's hashes; counted in bytes.
    Verify,
    /// Bringing the weights to the device.
    Upload,
    /// Compiling kernels, with the self-test.
    Compile,
    /// Prompts to condition; counted in prompts.
    Encode,
    /// Condition to adapter.
    Decode,
    /// Writing the files of the download.
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

    /// The stage's name, for people.
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

/// Where the work stands.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The stage.
    pub stage: Stage,
    /// Units done.
    pub done: u64,
    /// Units in all; zero where they are not known.
    pub total: u64,
    /// Bytes a second, while downloading.
    pub speed: Option<f64>,
}

/// How a device computed a known input.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SelfTest {
    /// Largest difference from the known output.
    pub largest_difference: f32,
    /// Largest one that is trusted.
    pub tolerance: f32,
}

impl SelfTest {
    /// Whether the device is trusted.
    pub fn passed(&self) -> bool {
        self.largest_difference <= self.tolerance
    }
}

/// A generated adapter, all but its bytes.
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
    /// Workers that were to encode them.
    pub workers: usize,
    /// SHA-256 of `adapter_model.safetensors`, as `dnd generate --json` prints it.
    pub sha256: String,
    /// SHA-256 of the zip archive.
    pub zip_sha256: String,
    /// Size of the update of each module.
    pub heat_map: HeatMap,
    /// Training tasks of the generator, the most similar to the prompts first; empty when the bundle
    /// does not know.
    pub similar: Vec<SimilarTask>,
    /// Seconds of each stage that took place, in order.
    pub timings: Vec<(Stage, f64)>,
}

/// Frobenius norms of the updates alpha / r * B A.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeatMap {
    /// Names of the columns, such as `q_proj`.
    pub projections: Vec<String>,
    /// A row for each layer; a module that the adapter does not cover has none.
    pub layers: Vec<Vec<Option<f32>>>,
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
