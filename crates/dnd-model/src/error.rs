//! What can go wrong when a model is read or used.

/// What another library reported.
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// An error of this crate. Every message names the file and what disagrees in it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A tensor that the model needs is not in the file.
    #[error("{source_name}: no tensor `{tensor}`")]
    MissingTensor {
        /// The file that was read.
        source_name: String,
        /// The tensor that was looked for.
        tensor: String,
    },
    /// A tensor has another shape than the configuration says.
    #[error("{source_name}: tensor `{tensor}`: expected shape {expected:?}, found {found:?}")]
    Shape {
        /// The file that was read.
        source_name: String,
        /// The tensor that disagrees.
        tensor: String,
        /// The shape that the configuration asks for.
        expected: Vec<usize>,
        /// The shape in the file.
        found: Vec<usize>,
    },
    /// A field of a configuration is missing or has a value that is not supported.
    #[error("{source_name}: field `{field}`: expected {expected}, found {found}")]
    Field {
        /// The file that was read.
        source_name: String,
        /// The field that disagrees.
        field: String,
        /// What is supported.
        expected: String,
        /// What the file says.
        found: String,
    },
    /// A file is not in the format that it should be in.
    #[error("{source_name}: cannot be read")]
    Format {
        /// The file that was read.
        source_name: String,
        /// What the reader of the format reported.
        source: Cause,
    },
    /// There is no prompt to encode.
    #[error("no prompts: expected at least one, found none")]
    NoPrompts,
    /// An adapter and a base model do not belong together.
    #[error("{source_name}: adapter for `{base_model}` does not fit the base model: {message}")]
    AdapterMismatch {
        /// Where the adapter came from.
        source_name: String,
        /// The base model that the adapter names.
        base_model: String,
        /// What disagrees.
        message: String,
    },
    /// The chat template of a tokenizer cannot be rendered.
    #[error("chat template")]
    ChatTemplate(#[source] Cause),
    /// Values could not be read back from a device.
    #[error("reading a tensor back from the device")]
    Device(#[source] Cause),
    /// A device was asked for that this build does not contain.
    #[error("device `{name}` is not in this build: it has {available}")]
    UnknownDevice {
        /// The device that was asked for.
        name: String,
        /// The devices of this build.
        available: String,
    },
    /// MatmulDtype in bfloat16 were asked for where there are none.
    #[error(
        "products in bfloat16: expected the CPU device, on Linux with Intel AMX, found {found}"
    )]
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
    /// A [`Error::Format`] for `source_name`, because of `source`.
    pub fn format(source_name: &str, source: impl Into<Cause>) -> Self {
        Self::Format {
            source_name: source_name.to_owned(),
            source: source.into(),
        }
    }

    /// A [`Error::Device`], because of `source`.
    pub fn device(source: impl Into<Cause>) -> Self {
        Self::Device(source.into())
    }

    /// A [`Error::Field`] for `field` of `source_name`.
    pub fn field(source_name: &str, field: &str, expected: &str, found: impl ToString) -> Self {
        Self::Field {
            source_name: source_name.to_owned(),
            field: field.to_owned(),
            expected: expected.to_owned(),
            found: found.to_string(),
        }
    }
}
