//! Processes started by `mpirun` or by Slurm's `srun`, on one machine or several.

use mpi::Threading;
use mpi::collective::SystemOperation;
use mpi::environment::Universe;
use mpi::traits::{Communicator, CommunicatorCollectives};

use super::Processes;
use crate::Error;

/// Numbers that are added up at once; a larger count does not fit MPI's 32 bits on its own.
const CHUNK: usize = 1 << 22;

/// The processes of MPI's world. Only the thread that starts them may call them.
pub struct Mpi {
    universe: Universe,
}

impl Mpi {
    /// Joins the processes that were started together with this one.
    ///
    /// # Errors
    /// When MPI was started before.
    pub fn start() -> Result<Self, Error> {
        let started = mpi::initialize_with_threading(Threading::Funneled);
        let (universe, _) = started
            .ok_or_else(|| Error::argument("MPI", "to be started once", "a second start"))?;
        Ok(Self { universe })
    }
}

impl Processes for Mpi {
    fn number(&self) -> usize {
        self.universe.world().rank() as usize
    }

    fn count(&self) -> usize {
        self.universe.world().size() as usize
    }

    fn sum(&self, values: &mut [f32]) {
        let world = self.universe.world();
        let mut own = Vec::with_capacity(CHUNK.min(values.len()));
        for chunk in values.chunks_mut(CHUNK) {
            own.clear();
            own.extend_from_slice(chunk);
            world.all_reduce_into(&own[..], chunk, SystemOperation::sum());
        }
    }

    fn abort(&self) {
        self.universe.world().abort(1);
    }
}
