//! Opens models and bundles from files; native only.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use burn::tensor::Device;
use dnd_adapter::gguf::Gguf;
use dnd_adapter::{BaseDimensions, Bundle, EncoderId};
use dnd_kernels::Bytes;
use futures_lite::future::block_on;
use memmap2::Mmap;
use serde::Deserialize;

use crate::language::{
    Completion, CompletionOptions, LanguageTokenizer, MatmulDtype, PromptCache, TokenizerExtras,
    complete,
};
use crate::{
    AdapterGenerator, EncoderFiles, Error, Generation, LanguageModel, LanguageModelConfig, Lora,
    Stage, TextEncoder, TextEncoderConfig, Weights, encode_on_device,
};

/// The default base model's name on the Hugging Face Hub, as recorded in adapters.
pub const BASE_MODEL: &str = "HuggingFaceTB/SmolLM2-135M-Instruct";
/// Its layers and hidden size.
pub const BASE_SIZES: (usize, usize) = (30, 576);
/// The default encoder's name on the Hugging Face Hub.
pub const ENCODER: &str = "sentence-transformers/all-MiniLM-L6-v2";

/// The folder of models in the cache; without a home folder, `.cache/dnd/models` in the current
/// folder.
fn models_folder() -> PathBuf {
    let cache = dnd_files::cache_folder().unwrap_or_else(|| PathBuf::from(".cache/dnd"));
    cache.join("models")
}

/// Default path of the base model: a GGUF file, or a folder with `config.json`,
/// `model.safetensors`, `tokenizer.json` and `tokenizer_config.json`.
pub fn default_base() -> PathBuf {
    let folder = models_folder().join("smollm2-135m-instruct");
    let gguf = folder.join("SmolLM2-135M-Instruct.Q4_1.gguf");
    if gguf.exists() { gguf } else { folder }
}

/// Default folder of the encoder, with `config.json`, `model.safetensors` and `tokenizer.json`.
pub fn default_encoder() -> PathBuf {
    models_folder().join("all-minilm-l6-v2")
}

/// Maps a file into memory.
///
/// # Errors
/// [`Error::Files`] when it cannot be opened or mapped.
#[allow(
    unsafe_code,
    reason = "mapping is unsafe because the file may change while it is read; model files are \
              written once, by rename"
)]
pub fn map(path: &Path) -> Result<Mmap, Error> {
    let file = File::open(path).map_err(|e| dnd_files::Error::file(path, "cannot open", e))?;
    // SAFETY: see the reason above.
    let mapped = unsafe { Mmap::map(&file) };
    tracing::debug!(path = %path.display(), "mapped");
    Ok(mapped.map_err(|e| dnd_files::Error::file(path, "cannot map into memory", e))?)
}

/// Checks that `path` exists.
fn check_exists(path: &Path) -> Result<(), Error> {
    if path.exists() {
        return Ok(());
    }
    Err(dnd_files::Error::content(
        path,
        "expected a model, found nothing; `./run` or `cargo xtask setup` fetches the defaults",
    )
    .into())
}

/// Reads the dimensions of a base model, without its weights.
///
/// # Errors
/// When a file is missing, malformed, or of an unsupported kind.
pub fn base_dimensions(path: &Path) -> Result<BaseDimensions, Error> {
    check_exists(path)?;
    if path.is_dir() {
        let config = path.join("config.json");
        let text = dnd_files::read_text(&config)?;
        let name = config.display().to_string();
        return Ok(BaseDimensions::from_config_json(&text, &name)?);
    }
    let bytes = map(path)?;
    let gguf = Gguf::parse(&bytes, &path.display().to_string());
    Ok(BaseDimensions::from_gguf(
        &gguf.map_err(dnd_adapter::Error::from)?,
    )?)
}

/// Reads the configuration of a base model, without its weights: from a folder, its `config.json`
/// alone, or a GGUF file.
///
/// # Errors
/// When a file is missing, malformed, or of an unsupported kind.
pub fn base_config(path: &Path) -> Result<LanguageModelConfig, Error> {
    check_exists(path)?;
    let inside = path.join("config.json");
    let config = if path.is_dir() { &inside } else { path };
    let name = config.display().to_string();
    if config
        .extension()
        .is_some_and(|extension| extension == "json")
    {
        return LanguageModelConfig::from_json(&dnd_files::read_text(config)?, &name);
    }
    let bytes = map(config)?;
    let gguf = Gguf::parse(&bytes, &name).map_err(dnd_adapter::Error::from)?;
    LanguageModelConfig::from_gguf(&gguf, &name)
}

/// A base model with its tokenizer.
pub struct Base {
    /// The frozen weights.
    pub model: LanguageModel,
    /// Its tokenizer and chat template.
    pub tokenizer: LanguageTokenizer,
    /// How matrix products with its weights are computed.
    pub matmul_dtype: MatmulDtype,
    /// What adapters call it: [`BASE_MODEL`] until it is changed.
    pub name: String,
}

impl Base {
    /// Loads a base model onto `device`; products with its weights use `matmul_dtype`.
    ///
    /// # Errors
    /// When a file is missing, malformed, or of an unsupported kind.
    pub fn open(path: &Path, matmul_dtype: MatmulDtype, device: &Device) -> Result<Self, Error> {
        check_exists(path)?;
        if path.is_dir() {
            return Self::open_folder(path, matmul_dtype, device);
        }
        let bytes = map(path)?;
        let name = path.display().to_string();
        let (model, tokenizer) = LanguageModel::from_gguf(&bytes, &name, matmul_dtype, device)?;
        Ok(Self {
            model,
            tokenizer,
            matmul_dtype,
            name: BASE_MODEL.to_owned(),
        })
    }

    /// Runs [`complete`] to completion.
    ///
    /// # Errors
    /// As `complete`.
    pub fn complete(
        &self,
        prompt: &[u32],
        lora: Option<&Lora>,
        options: CompletionOptions,
        cached: &mut PromptCache,
        mut on_text: impl FnMut(&str) -> bool,
    ) -> Result<Completion, Error> {
        let on_text = async |text: &str| on_text(text);
        let (model, tokenizer) = (&self.model, &self.tokenizer);
        let completion = complete(model, tokenizer, prompt, lora, options, cached, on_text);
        block_on(completion)
    }

    fn open_folder(
        folder: &Path,
        matmul_dtype: MatmulDtype,
        device: &Device,
    ) -> Result<Self, Error> {
        let path = |name: &str| folder.join(name);
        let config = LanguageModelConfig::from_json(
            &dnd_files::read_text(&path("config.json"))?,
            &path("config.json").display().to_string(),
        )?;
        let shards = shards(folder)?;
        let parts: Vec<(&[u8], String)> = shards
            .iter()
            .map(|(path, bytes)| (&bytes[..], path.display().to_string()))
            .collect();
        let kept = shards.iter().map(|(_, bytes)| Arc::clone(bytes) as Bytes);
        let weights = Weights::from_shards(&parts, &path(WEIGHTS).display().to_string())?;
        let weights = weights.keep(kept.collect());
        let (tokenizer, config_path) = (path("tokenizer.json"), path("tokenizer_config.json"));
        let tokenizer = LanguageTokenizer::from_json(
            (
                &dnd_files::read(&tokenizer)?,
                &tokenizer.display().to_string(),
            ),
            (
                &dnd_files::read(&config_path)?,
                &config_path.display().to_string(),
            ),
            extras(folder)?,
        )?;
        let name = path("tokenizer.json").display().to_string();
        tokenizer.check_vocabulary(config.vocab_size, &name)?;
        Ok(Self {
            model: config.load(&weights, matmul_dtype, device)?,
            tokenizer,
            matmul_dtype,
            name: BASE_MODEL.to_owned(),
        })
    }
}

/// File name of a model's weights.
const WEIGHTS: &str = "model.safetensors";

/// The files that a model's weights are in, mapped: one, or those that an index names.
fn shards(folder: &Path) -> Result<Vec<(PathBuf, Arc<Mmap>)>, Error> {
    #[derive(Deserialize)]
    struct Index {
        weight_map: BTreeMap<String, String>,
    }
    let index = folder.join(format!("{WEIGHTS}.index.json"));
    let whole = folder.join(WEIGHTS);
    let paths: BTreeSet<PathBuf> = if whole.exists() || !index.exists() {
        BTreeSet::from([whole])
    } else {
        let index: Index = dnd_files::read_json(&index)?;
        // Names of other folders are not followed.
        let names = index
            .weight_map
            .values()
            .filter_map(|name| Path::new(name).file_name());
        names.map(|name| folder.join(name)).collect()
    };
    let mapped = paths.into_iter().map(|path| {
        let bytes = map(&path)?;
        Ok((path, Arc::new(bytes)))
    });
    mapped.collect()
}

/// What a model's folder says besides its tokenizer's own files.
fn extras(folder: &Path) -> Result<TokenizerExtras, Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Ends {
        One(u32),
        Several(Vec<u32>),
    }
    #[derive(Deserialize)]
    struct Generation {
        eos_token_id: Option<Ends>,
    }
    let template = folder.join("chat_template.jinja");
    let template = match template.exists() {
        true => Some((
            template.display().to_string(),
            dnd_files::read_text(&template)?,
        )),
        false => None,
    };
    let generation = folder.join("generation_config.json");
    let ends = match generation.exists() {
        true => dnd_files::read_json::<Generation>(&generation)?.eos_token_id,
        false => None,
    };
    let ends = match ends {
        None => Vec::new(),
        Some(Ends::One(id)) => vec![id],
        Some(Ends::Several(ids)) => ids,
    };
    Ok(TokenizerExtras { template, ends })
}

/// A text encoder with its tokenizer's bytes.
pub struct Encoder {
    /// The frozen weights.
    pub model: TextEncoder,
    /// Its `tokenizer.json`.
    pub tokenizer_json: Vec<u8>,
    folder: PathBuf,
}

impl Encoder {
    /// Loads an encoder's folder onto `device`.
    ///
    /// # Errors
    /// When a file is missing or malformed.
    pub fn open(folder: &Path, device: &Device) -> Result<Self, Error> {
        check_exists(folder)?;
        let config = folder.join("config.json");
        let config = TextEncoderConfig::from_json(
            &dnd_files::read_text(&config)?,
            &config.display().to_string(),
        )?;
        let path = folder.join("model.safetensors");
        let bytes = map(&path)?;
        let weights = Weights::from_safetensors(&bytes, &path.display().to_string())?;
        Ok(Self {
            model: config.load(&weights, device)?,
            tokenizer_json: dnd_files::read(&folder.join("tokenizer.json"))?,
            folder: folder.to_owned(),
        })
    }

    /// The encoder's name and the SHA-256 of its weights, which a bundle records.
    ///
    /// # Errors
    /// When the weights cannot be read.
    pub fn id(&self) -> Result<EncoderId, Error> {
        let bytes = map(&self.folder.join("model.safetensors"))?;
        Ok(EncoderId {
            name: ENCODER.to_owned(),
            sha256: dnd_files::sha256(&bytes),
        })
    }
}

impl AdapterGenerator {
    /// Loads a bundle's generator onto `device`; `source_name` names the bundle in errors.
    ///
    /// # Errors
    /// When the bundle is for another base model or encoder, or its generator is malformed.
    pub fn open(
        bundle: &Bundle,
        source_name: &str,
        base_model: &str,
        encoder: &Encoder,
        device: &Device,
    ) -> Result<Self, Error> {
        let found = &bundle.header.layout.base_model;
        if found != base_model {
            return Err(Error::field(source_name, "base model", base_model, found));
        }
        let files = EncoderFiles {
            model: &encoder.model,
            tokenizer_json: &encoder.tokenizer_json,
            id: &encoder.id()?,
        };
        Self::new(bundle, source_name, &files, device)
    }

    /// Runs [`generate`](Self::generate) to completion and times its stages.
    ///
    /// # Errors
    /// As `generate`.
    pub fn generate_blocking(
        &self,
        prompts: &[String],
        seed: u64,
    ) -> Result<(Generation, Timing), Error> {
        let started = Instant::now();
        let mut encode = 0.0;
        let mut report = |stage, done, _| {
            if stage == Stage::Decode && done == 0 {
                encode = started.elapsed().as_secs_f64();
            }
        };
        let generation = block_on(self.generate(prompts, seed, encode_on_device, &mut report))?;
        let decode = started.elapsed().as_secs_f64() - encode;
        Ok((generation, Timing { encode, decode }))
    }
}

/// Seconds of each stage of the pipeline.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// Prompts to condition.
    pub encode: f64,
    /// Condition to adapter.
    pub decode: f64,
}
