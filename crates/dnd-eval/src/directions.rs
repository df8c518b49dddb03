//! How different the generated adapters of different tasks are, without what they share.

use dnd_adapter::Adapter;
use dnd_files::Observer;
use dnd_model::AdapterGenerator;
use dnd_tasks::{Split, Task, TaskFolder};
use dnd_train::Error;

use crate::generated::from_prompts;

/// The directions in which the generated adapters of some tasks differ from the mean adapter.
pub(crate) struct Directions {
    mean: Adapter,
    /// Sum of the directions, vectors of length one.
    sum: Vec<f32>,
    tasks: usize,
}

impl Directions {
    /// Generates the adapters of `tasks` from all their training prompts.
    ///
    /// # Errors
    /// When a task cannot be read; [`dnd_files::Error::Cancelled`].
    pub(crate) fn new(
        generator: &AdapterGenerator,
        folder: &TaskFolder,
        tasks: &[Task],
        seed: u64,
        observer: &dyn Observer,
    ) -> Result<Self, Error> {
        let mut directions = Self {
            mean: generator.mean_adapter()?,
            sum: Vec::new(),
            tasks: tasks.len(),
        };
        observer.begin("compare generated adapters", tasks.len() as u64);
        for task in tasks {
            observer.check()?;
            let lines = folder.lines(task, Split::Train)?;
            let prompts: Vec<String> = lines.into_iter().map(|line| line.prompt).collect();
            let (adapter, _) = from_prompts(generator, &prompts, seed)?;
            let direction = direction(&adapter, &directions.mean);
            directions.sum.resize(direction.len(), 0.0);
            let sum = directions.sum.iter_mut();
            sum.zip(direction).for_each(|(sum, value)| *sum += value);
            observer.advance(1, &task.name);
        }
        Ok(directions)
    }

    /// Mean cosine between the direction of one of the adapters and those of the other tasks;
    /// `None` where there is no other task.
    pub(crate) fn cosine(&self, adapter: &Adapter) -> Option<f64> {
        let direction = direction(adapter, &self.mean);
        let pairs = direction.iter().zip(&self.sum);
        let with_all: f64 = pairs.map(|(a, b)| f64::from(a * b)).sum();
        (self.tasks > 1).then(|| (with_all - 1.0) / (self.tasks - 1) as f64)
    }
}

/// Difference of an adapter from another, as a vector of length one.
fn direction(adapter: &Adapter, mean: &Adapter) -> Vec<f32> {
    let factors = adapter.factors.iter().zip(&mean.factors);
    let mut values: Vec<f32> = factors
        .flat_map(|(own, mean)| {
            let a = own.a.iter().zip(&mean.a);
            a.chain(own.b.iter().zip(&mean.b))
        })
        .map(|(own, mean)| own - mean)
        .collect();
    let squares: f64 = values.iter().map(|value| f64::from(value * value)).sum();
    let length = squares.sqrt().max(f64::MIN_POSITIVE) as f32;
    values.iter_mut().for_each(|value| *value /= length);
    values
}

#[cfg(test)]
mod tests {
    use dnd_test_support::small_layout;

    use super::*;

    #[test]
    fn the_mean_adapter_is_taken_away() {
        let mean = dnd_train::collect::initial_adapter(&small_layout(), 1);
        let moved = |place: usize, by: f32| {
            let mut adapter = mean.clone();
            adapter.factors[0].b[place] += by;
            adapter
        };
        let adapters = [moved(0, 3.0), moved(1, 0.5), moved(0, -1.0)];
        let mut sum = vec![0.0; mean.layout.parameter_count()];
        for adapter in &adapters {
            let direction = direction(adapter, &mean);
            sum.iter_mut().zip(direction).for_each(|(sum, x)| *sum += x);
        }
        let directions = Directions {
            mean,
            sum,
            tasks: 3,
        };
        // One of the others is at a right angle, the other one points the other way.
        let cosine = directions.cosine(&adapters[0]).unwrap();
        assert!((cosine + 0.5).abs() < 1e-3, "{cosine}");
    }
}
