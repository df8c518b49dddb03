//! Errors of reading and using models.

/// An error of another library.
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// An error of this crate. Messages name the file and the tensor or field at fault.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A tensor that the model needs is not in the file.
    #[error("{source_name}: no tensor `{tensor}`")]
    MissingTensor {
        /// The file that was read.
        source_name: String,
        /// The name of the tensor.
        tensor: String,
    },
    /// A tensor does not have the shape that the configuration requires.
    #[error("{source_name}: tensor `{tensor}`: expected shape {expected:?}, found {found:?}")]
    Shape {
        /// The file that was read.
        source_name: String,
        /// The name of the tensor.
        tensor: String,
        /// The shape that the configuration requires.
        expected: Vec<usize>,
        /// The shape in the file.
        found: Vec<usize>,
    },
    /// A field of a configuration is missing or has a value that is not supported.
    #[error("{source_name}: field `{field}`: expected {expected}, found {found}")]
    Field {
        /// The file that was read.
        source_name: String,
        /// The name of the field.
        field: String,
        /// What is supported.
        expected: String,
        /// What the file says.
        found: String,
    },
    /// A file is malformed.
    #[error("{source_name}: cannot be read")]
    Format {
        /// The file that was read.
        source_name: String,
        /// The parser's error.
        source: Cause,
    },
    /// There is no prompt to encode.
    #[error("no prompts: expected at least one, found none")]
    NoPrompts,
    /// An adapter does not match the base model.
    #[error("{source_name}: adapter for `{base_model}` does not fit the base model: {message}")]
    AdapterMismatch {
        /// Where the adapter came from.
        source_name: String,
        /// The base model that the adapter names.
        base_model: String,
        /// The mismatch.
        message: String,
    },
    /// The chat template of a tokenizer cannot be rendered.
    #[error("chat template")]
    ChatTemplate(#[source] Cause),
    /// Values could not be read back from a device.
    #[error("reading a tensor back from the device")]
    Device(#[source] Cause),
    /// The requested device is not in this build.
    #[error("device `{name}` is not in this build: it has {available}")]
    UnknownDevice {
        /// The requested device.
        name: String,
        /// The devices of this build.
        available: String,
    },
    /// bfloat16 matrix products were requested but are not available.
    #[error("matmul dtype bf16: expected the CPU device, on Linux with Intel AMX, found {found}")]
    NoBf16 {
        /// What is there instead.
        found: &'static str,
    },
    /// A file or an argument cannot be used.
    #[cfg(not(target_arch = "wasm32"))]
    #[error(transparent)]
    Files(#[from] dnd_files::Error),
    /// An error of the adapter crate: layouts, bundles, GGUF files.
    #[error(transparent)]
    Adapter(#[from] dnd_adapter::Error),
}

impl Error {
    /// An [`Error::Format`] for `source_name`, caused by `source`.
    pub fn format(source_name: &str, source: impl Into<Cause>) -> Self {
        Self::Format {
            source_name: source_name.to_owned(),
            source: source.into(),
        }
    }

    /// An [`Error::Device`], caused by `source`.
    pub fn device(source: impl Into<Cause>) -> Self {
        Self::Device(source.into())
    }

    /// An [`Error::Field`] for `field` of `source_name`.
    pub fn field(source_name: &str, field: &str, expected: &str, found: impl ToString) -> Self {
        Self::Field {
            source_name: source_name.to_owned(),
            field: field.to_owned(),
            expected: expected.to_owned(),
            found: found.to_string(),
        }
    }
}
