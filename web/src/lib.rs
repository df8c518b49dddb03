//! The DnD page: prompts in, adapter out, computed on the visitor's device.
//!
//! The package has two programs. `page` is the Leptos application; it never computes. `worker`
//! runs in a dedicated worker and does all model work. They exchange the messages in
//! [`protocol`].
//!
//! This library is the code that both share; it is tested natively. It does not depend on
//! `dnd-model`: a program that links burn's GPU compiler includes all of it, and the page has
//! to be small.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

pub mod manifest;
pub mod protocol;
pub mod review;
