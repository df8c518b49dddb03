//! Where the base model and the encoder lie, and how they are opened.

use std::fs::File;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use dnd_adapter::EncoderId;
use dnd_adapter::gguf::Gguf;
use dnd_model::language::{LanguageTokenizer, Products};
use dnd_model::{LanguageModel, LanguageModelConfig, TextEncoder, TextEncoderConfig, Weights};
use memmap2::Mmap;
use sha2::{Digest, Sha256};

use crate::{Error, files};

/// The base model's name on the hub, as adapters name it.
pub const BASE_MODEL: &str = "HuggingFaceTB/SmolLM2-135M-Instruct";
/// The encoder's name on the hub.
pub const ENCODER: &str = "sentence-transformers/all-MiniLM-L6-v2";

/// The cache folder: `DND_CACHE`, else the platform's cache directory and `dnd`.
pub fn cache_folder() -> PathBuf {
    let variable = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    if let Some(folder) = variable("DND_CACHE") {
        return folder;
    }
    let home = if cfg!(target_os = "macos") {
        "Library/Caches"
    } else {
        ".cache"
    };
    let platform = if cfg!(windows) {
        variable("LOCALAPPDATA")
    } else {
        variable("XDG_CACHE_HOME").or_else(|| variable("HOME").map(|folder| folder.join(home)))
    };
    platform
        .unwrap_or_else(|| PathBuf::from(".cache"))
        .join("dnd")
}

/// The base model: a GGUF file, or a folder with `config.json`, `model.safetensors`,
/// `tokenizer.json` and `tokenizer_config.json`.
pub fn default_base() -> PathBuf {
    let folder = cache_folder().join("models/smollm2-135m-instruct");
    let gguf = folder.join("SmolLM2-135M-Instruct.Q4_1.gguf");
    if gguf.exists() { gguf } else { folder }
}

/// The encoder's folder: `config.json`, `model.safetensors` and `tokenizer.json`.
pub fn default_encoder() -> PathBuf {
    cache_folder().join("models/all-minilm-l6-v2")
}

/// Maps a file into memory.
///
/// # Errors
/// [`Error::File`] when it cannot be opened or mapped.
#[allow(
    unsafe_code,
    reason = "mapping is unsafe because the file may change while it is read; model files are \
              written once, by rename"
)]
pub fn map(path: &Path) -> Result<Mmap, Error> {
    let file = File::open(path).map_err(|e| Error::file(path, "cannot open", e))?;
    // SAFETY: see the reason above.
    unsafe { Mmap::map(&file) }.map_err(|e| Error::file(path, "cannot map into memory", e))
}

/// Checks that a model is there at all.
fn check_exists(path: &Path) -> Result<(), Error> {
    if path.exists() {
        return Ok(());
    }
    Err(Error::content(
        path,
        "expected a model, found nothing; `./run` and `cargo xtask setup` fetch the default ones",
    ))
}

/// A base model with its tokenizer.
pub struct Base {
    /// The frozen weights.
    pub model: LanguageModel,
    /// Its tokenizer and chat template.
    pub tokenizer: LanguageTokenizer,
    /// How products with its weights are computed.
    pub products: Products,
}

impl Base {
    /// Loads a base model onto `device`, with `products` of its weights.
    ///
    /// # Errors
    /// When a file is missing, malformed, or of an unsupported kind.
    pub fn open(path: &Path, products: Products, device: &Device) -> Result<Self, Error> {
        check_exists(path)?;
        if path.is_dir() {
            return Self::open_folder(path, products, device);
        }
        let bytes = map(path)?;
        let name = path.display().to_string();
        let gguf = Gguf::parse(&bytes, &name).map_err(dnd_adapter::Error::from)?;
        let tokenizer = LanguageTokenizer::from_gguf(&gguf, &name)?;
        let config = LanguageModelConfig::from_gguf(&gguf, &name)?;
        tokenizer.check_vocabulary(config.vocab_size, &name)?;
        let model = config.init(&Weights::from_gguf(gguf, &name)?, products, device)?;
        Ok(Self {
            model,
            tokenizer,
            products,
        })
    }

    fn open_folder(folder: &Path, products: Products, device: &Device) -> Result<Self, Error> {
        let path = |name: &str| folder.join(name);
        let config = LanguageModelConfig::from_json(
            &files::read_text(&path("config.json"))?,
            &path("config.json").display().to_string(),
        )?;
        let bytes = map(&path("model.safetensors"))?;
        let weights =
            Weights::from_safetensors(&bytes, &path("model.safetensors").display().to_string())?;
        let (tokenizer, config_path) = (path("tokenizer.json"), path("tokenizer_config.json"));
        let tokenizer = LanguageTokenizer::from_json(
            (&files::read(&tokenizer)?, &tokenizer.display().to_string()),
            (
                &files::read(&config_path)?,
                &config_path.display().to_string(),
            ),
        )?;
        let name = path("tokenizer.json").display().to_string();
        tokenizer.check_vocabulary(config.vocab_size, &name)?;
        Ok(Self {
            model: config.init(&weights, products, device)?,
            tokenizer,
            products,
        })
    }
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
            &files::read_text(&config)?,
            &config.display().to_string(),
        )?;
        let path = folder.join("model.safetensors");
        let bytes = map(&path)?;
        let weights = Weights::from_safetensors(&bytes, &path.display().to_string())?;
        Ok(Self {
            model: config.init(&weights, device)?,
            tokenizer_json: files::read(&folder.join("tokenizer.json"))?,
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
            sha256: hexadecimal(&Sha256::digest(&bytes)),
        })
    }
}

/// Bytes as lower-case hexadecimal digits.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
