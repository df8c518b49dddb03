//! LoRA adapters as data: the modules of a base model that they cover, their weight tokens, and
//! the files they are stored in.
//!
//! Functions take and return bytes. There is no file system and no tensor library here, so the
//! crate runs natively and in a browser. Input is untrusted: bad input gives an [`Error`],
//! never a panic.

pub mod adapter;
pub mod bundle;
pub mod dimensions;
pub mod error;
pub mod gguf;
pub mod layout;
pub mod peft;
pub mod precision;
pub mod projection;
pub mod prompts;
pub mod published;
pub mod score;
pub mod statistics;
pub mod storage;
pub mod tensor_file;
pub mod tokens;

#[cfg(test)]
mod test_data;

pub use adapter::{Adapter, Factors};
pub use bundle::{Bundle, BundleHeader, BundleTensor, EncoderId};
pub use dimensions::BaseDimensions;
pub use error::Error;
pub use layout::{Layout, Module};
pub use peft::PeftFiles;
pub use precision::Precision;
pub use projection::Projection;
pub use published::PublishedTokens;
pub use statistics::Statistics;
pub use storage::Storage;
