//! What the client remembers: the worker, and what it still has to do.

use std::sync::Arc;

use gloo::file::ObjectUrl;

use dnd_web::connection::Connection;
use dnd_web::protocol::DeviceReport;

/// The worker and the state of what was asked of it.
#[derive(Default)]
pub(super) struct Inner {
    pub(super) connection: Option<Connection>,
    /// Whether the worker has answered [`Request::Start`](dnd_web::protocol::Request::Start).
    pub(super) started: bool,
    /// Number of the last request; none is used twice, so that what an earlier one brings is known.
    pub(super) last: u32,
    /// Number of the request to load ahead of time that is under way.
    pub(super) preparation: Option<u32>,
    /// The generation under way.
    pub(super) generation: Option<Generation>,
    /// Whether the stored models are to be deleted.
    pub(super) deleting: bool,
    /// Number of the request to delete them, once it is sent.
    pub(super) deletion: Option<u32>,
    /// Whether the GPU was lost. Then nothing is loaded ahead of time, or a GPU that comes and goes
    /// would keep worker after worker busy.
    pub(super) wary: bool,
    /// Whether an adapter has come from the GPU.
    pub(super) proven: bool,
    /// The GPU that failed, with the reason as its note; from then on the CPU computes.
    pub(super) failed_gpu: Option<DeviceReport>,
    /// Whether the browser was asked to keep what is stored.
    pub(super) persisted: bool,
    /// Addresses of the last result's files; dropping them frees the files.
    pub(super) urls: Vec<ObjectUrl>,
}

/// A generation, kept because it may have to wait or to be repeated.
pub(super) struct Generation {
    pub(super) prompts: Arc<Vec<String>>,
    pub(super) seed: u64,
    /// Number of the request, once the worker has it.
    pub(super) sent: Option<u32>,
    /// Whether it was repeated after the GPU was lost.
    pub(super) repeated: bool,
}

/// What the worker is serving, or what a number of a request stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Task {
    Start,
    Prepare,
    Generate,
    Delete,
    /// Nothing, or something that is over.
    Nothing,
}

impl Task {
    /// Whether a device computes.
    pub(super) fn computes(self) -> bool {
        matches!(self, Self::Prepare | Self::Generate)
    }
}

impl Inner {
    /// What the request with this number is about.
    pub(super) fn task(&self, id: u32) -> Task {
        let generation = self.generation.as_ref().and_then(|task| task.sent);
        if !self.started {
            Task::Start
        } else if self.preparation == Some(id) {
            Task::Prepare
        } else if generation == Some(id) {
            Task::Generate
        } else if self.deletion == Some(id) {
            Task::Delete
        } else {
            Task::Nothing
        }
    }

    /// What matters most of what the worker still has to answer.
    pub(super) fn awaited(&self) -> Task {
        if !self.started {
            Task::Start
        } else if self.generation.is_some() {
            Task::Generate
        } else if self.preparation.is_some() {
            Task::Prepare
        } else if self.deleting {
            Task::Delete
        } else {
            Task::Nothing
        }
    }
}
