//! Data parallelism across CPU cores.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use burn::tensor::Device;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// One thread per core, each with a part of the batch.
///
/// In a language model of this size, much of the CPU time goes to small tensors, which are
/// computed on one core. Data parallelism keeps all cores busy then too; parallel matrix
/// products do not. On any other device there is one part.
pub struct Workers {
    /// Single-threaded pools, so that matrix products inside them stay on one thread.
    pools: Vec<ThreadPool>,
}

impl Workers {
    /// As many workers as rayon has threads (`RAYON_NUM_THREADS`) on a CPU device, else one.
    pub fn new(device: &Device) -> Self {
        let count = if *device == Device::flex() {
            rayon::current_num_threads()
        } else {
            1
        };
        if count == 1 {
            return Self { pools: Vec::new() };
        }
        let pools = (0..count).map_while(|_| ThreadPoolBuilder::new().num_threads(1).build().ok());
        Self {
            pools: pools.collect(),
        }
    }

    /// The number of parts processed in parallel.
    pub fn count(&self) -> usize {
        self.pools.len().max(1)
    }

    /// Splits `items` among the workers and returns the results in worker order. Each worker
    /// gets every n-th item, which balances items sorted by size.
    pub fn map<T, R>(&self, items: &[T], work: impl Fn(&[T]) -> R + Sync) -> Vec<R>
    where
        T: Copy + Send + Sync,
        R: Send,
    {
        let count = self.pools.len().min(items.len());
        if count < 2 {
            return vec![work(items)];
        }
        let work = &work;
        thread::scope(|scope| {
            let running: Vec<_> = self.pools[..count]
                .iter()
                .enumerate()
                .map(|(number, pool)| {
                    let share: Vec<T> = items.iter().copied().skip(number).step_by(count).collect();
                    scope.spawn(move || pool.install(|| work(&share)))
                })
                .collect();
            running
                .into_iter()
                .map(|worker| match worker.join() {
                    Ok(result) => result,
                    Err(panic) => std::panic::resume_unwind(panic),
                })
                .collect()
        })
    }
}

impl Workers {
    /// `work` of each item, in the order of the items. A worker that is free takes the next item,
    /// so that all finish at about the same time when the largest items come first.
    pub fn each<T, R>(&self, items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R>
    where
        T: Sync,
        R: Send,
    {
        let next = AtomicUsize::new(0);
        let shares: Vec<usize> = (0..self.count()).collect();
        let results = self.map(&shares, |_| {
            let mut done = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(item) = items.get(index) else {
                    return done;
                };
                done.push((index, work(item)));
            }
        });
        let mut results: Vec<(usize, R)> = results.into_iter().flatten().collect();
        results.sort_by_key(|(index, _)| *index);
        results.into_iter().map(|(_, result)| result).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_worked_on_once() {
        let workers = Workers {
            pools: (0..3)
                .map(|_| ThreadPoolBuilder::new().num_threads(1).build().unwrap())
                .collect(),
        };
        for count in [0, 1, 2, 3, 10] {
            let items: Vec<usize> = (0..count).collect();
            let mut shares = workers.map(&items, <[usize]>::to_vec).concat();
            shares.sort_unstable();
            assert_eq!(shares, items);
            assert_eq!(workers.each(&items, |item| *item), items);
        }
    }
}
