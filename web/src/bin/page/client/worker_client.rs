//! The state of the worker and its pending tasks.

use std::sync::Arc;

use gloo::file::ObjectUrl;

use crate::app::data::Example;
use dnd_web::connection::Connection;
use dnd_web::protocol::DeviceReport;

/// State of the worker.
#[derive(Default)]
pub(super) enum WorkerState {
    /// Not running.
    #[default]
    Closed,
    /// The start request has not been answered yet.
    Starting(Connection),
    /// Started; it serves these requests one at a time.
    Ready {
        connection: Connection,
        requests: Vec<(u32, Task)>,
    },
}

/// The task of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Task {
    Start,
    /// Loading models ahead of time.
    Prepare,
    Generate,
    Delete,
    /// None, or a task that is finished.
    Nothing,
}

impl Task {
    /// Whether the task computes on the device.
    pub(super) fn computes(self) -> bool {
        matches!(self, Self::Prepare | Self::Generate)
    }
}

/// The worker and the page's pending work.
#[derive(Default)]
pub(super) struct WorkerClient {
    pub(super) worker: WorkerState,
    /// Id of the last request. Ids are never reused, so late answers are recognized.
    pub(super) last: u32,
    /// The pending generation.
    pub(super) generation: Option<Generation>,
    /// Whether the deletion of the stored models is pending.
    pub(super) deleting: bool,
    /// Whether the GPU was lost. Models are then no longer loaded ahead of time, because an
    /// unstable GPU would cause endless restarts of the worker.
    pub(super) gpu_was_lost: bool,
    /// Whether the GPU has produced an adapter.
    pub(super) gpu_has_worked: bool,
    /// The GPU that failed, with the reason as its note; from then on the CPU computes.
    pub(super) failed_gpu: Option<DeviceReport>,
    /// Whether models were loaded ahead of time since the page was opened.
    pub(super) was_prepared: bool,
    /// Whether persistent storage was requested.
    pub(super) requested_persistence: bool,
    /// Object URLs of the last result's files; dropping them frees the files.
    pub(super) urls: Vec<ObjectUrl>,
}

/// A generation, kept in case it has to wait or be repeated.
pub(super) struct Generation {
    pub(super) prompts: Arc<Vec<String>>,
    pub(super) seed: u64,
    /// The example that the prompts are of.
    pub(super) example: Option<&'static Example>,
    /// Whether it was repeated after the GPU was lost.
    pub(super) repeated: bool,
}

impl WorkerClient {
    /// Whether a worker runs.
    pub(super) fn is_running(&self) -> bool {
        !matches!(self.worker, WorkerState::Closed)
    }

    /// Whether the worker accepts requests.
    pub(super) fn is_ready(&self) -> bool {
        matches!(self.worker, WorkerState::Ready { .. })
    }

    /// Marks the worker as started.
    pub(super) fn started(&mut self) {
        self.worker = match std::mem::take(&mut self.worker) {
            WorkerState::Starting(connection) => WorkerState::Ready {
                connection,
                requests: Vec::new(),
            },
            other => other,
        };
    }

    /// Marks the worker as closed and returns its connection, which has to be ended.
    pub(super) fn close(&mut self) -> Option<Connection> {
        match std::mem::take(&mut self.worker) {
            WorkerState::Closed => None,
            WorkerState::Starting(connection) | WorkerState::Ready { connection, .. } => {
                Some(connection)
            }
        }
    }

    /// Registers a request for a task; returns its id and the connection to send it over.
    pub(super) fn next(&mut self, task: Task) -> (u32, Option<&Connection>) {
        self.last += 1;
        let connection = match &mut self.worker {
            WorkerState::Closed => None,
            WorkerState::Starting(connection) => Some(&*connection),
            WorkerState::Ready {
                connection,
                requests,
            } => {
                requests.push((self.last, task));
                Some(&*connection)
            }
        };
        (self.last, connection)
    }

    /// Removes the requests for a task.
    pub(super) fn finish(&mut self, task: Task) {
        if let WorkerState::Ready { requests, .. } = &mut self.worker {
            requests.retain(|(_, other)| *other != task);
        }
    }

    /// The task of request `id`; the awaited task for id zero.
    pub(super) fn task(&self, id: u32) -> Task {
        match &self.worker {
            WorkerState::Ready { requests, .. } if id != 0 => requests
                .iter()
                .find(|(number, _)| *number == id)
                .map_or(Task::Nothing, |(_, task)| *task),
            _ => self.awaited(),
        }
    }

    /// The most important pending task.
    pub(super) fn awaited(&self) -> Task {
        let WorkerState::Ready { requests, .. } = &self.worker else {
            return Task::Start;
        };
        if self.generation.is_some() {
            Task::Generate
        } else if requests.iter().any(|(_, task)| *task == Task::Prepare) {
            Task::Prepare
        } else if self.deleting {
            Task::Delete
        } else {
            Task::Nothing
        }
    }
}
