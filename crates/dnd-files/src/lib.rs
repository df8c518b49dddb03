//! File handling for the native crates: whole files, PEFT folders, the cache folder, and
//! progress and cancellation of long work. Nothing here prints.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

mod cache;
mod error;
mod files;
mod hash;
mod observer;

pub use cache::cache_folder;
pub use error::Error;
pub use files::{
    PEFT_CONFIG, PEFT_MODEL, check_output, make_folder, read, read_json, read_peft, read_text,
    text, write, write_json, write_peft,
};
pub use hash::{hex, sha256};
pub use observer::{Observer, Silent};
