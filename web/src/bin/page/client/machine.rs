//! The state of the worker, and what it still has to do.

use std::sync::Arc;

use gloo::file::ObjectUrl;

use dnd_web::connection::Connection;
use dnd_web::protocol::DeviceReport;

/// Where the worker stands.
#[derive(Default)]
pub(super) enum WorkerState {
    /// None runs.
    #[default]
    Closed,
    /// It was asked to start and has not answered yet.
    Starting(Connection),
    /// It has answered; it serves these requests one after the other.
    Ready {
        connection: Connection,
        requests: Vec<(u32, Task)>,
    },
}

/// What a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Task {
    Start,
    /// Loading models ahead of time.
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

/// The worker and what the page wants of it.
#[derive(Default)]
pub(super) struct Machine {
    pub(super) worker: WorkerState,
    /// Number of the last request; none is used twice, so that late answers are recognised.
    pub(super) last: u32,
    /// The generation that is wanted.
    pub(super) generation: Option<Generation>,
    /// Whether the stored models are to be deleted.
    pub(super) deleting: bool,
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
    /// Whether it was repeated after the GPU was lost.
    pub(super) repeated: bool,
}

impl Machine {
    /// Whether a worker runs.
    pub(super) fn is_running(&self) -> bool {
        !matches!(self.worker, WorkerState::Closed)
    }

    /// Whether the worker takes requests.
    pub(super) fn is_ready(&self) -> bool {
        matches!(self.worker, WorkerState::Ready { .. })
    }

    /// The worker has answered the request to start.
    pub(super) fn started(&mut self) {
        self.worker = match std::mem::take(&mut self.worker) {
            WorkerState::Starting(connection) => WorkerState::Ready {
                connection,
                requests: Vec::new(),
            },
            other => other,
        };
    }

    /// Closes the worker and gives its connection, to be ended.
    pub(super) fn close(&mut self) -> Option<Connection> {
        match std::mem::take(&mut self.worker) {
            WorkerState::Closed => None,
            WorkerState::Starting(connection) | WorkerState::Ready { connection, .. } => {
                Some(connection)
            }
        }
    }

    /// The next request's number, for a task, and the connection to send it over.
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

    /// Requests for a task are over.
    pub(super) fn finish(&mut self, task: Task) {
        if let WorkerState::Ready { requests, .. } = &mut self.worker {
            requests.retain(|(_, other)| *other != task);
        }
    }

    /// The task of the request with this number; zero stands for the one that is awaited.
    pub(super) fn task(&self, id: u32) -> Task {
        match &self.worker {
            WorkerState::Ready { requests, .. } if id != 0 => requests
                .iter()
                .find(|(number, _)| *number == id)
                .map_or(Task::Nothing, |(_, task)| *task),
            _ => self.awaited(),
        }
    }

    /// The most important task that the worker still has to finish.
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
