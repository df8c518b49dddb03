//! Runs independent parts of a batch in parallel, one per core.

use burn::tensor::{Device, Tensor};
use rayon::prelude::*;

/// Target maximum of rows per part, so that a layer's activations stay in a core's cache.
const MAX_ROWS: usize = 512;
/// Target minimum of rows per part, so that matmuls work on whole blocks.
const FEWEST_ROWS: usize = 48;

/// Applies `work` to the `rows` (N * L, C) of sequences and their `mask` (N, L), and returns
/// its result (N * L, any). On burn's CPU device, the sequences are split across cores, which
/// then synchronize once instead of at every operation. On other devices, `work` is called
/// once.
///
/// # Panics
/// If the number of rows is not N * L.
pub fn split_across_cores(
    rows: Tensor<2>,
    mask: Tensor<2>,
    work: impl Fn(Tensor<2>, Tensor<2>) -> Tensor<2> + Sync,
) -> Tensor<2> {
    let ([count, _], [sequences, length]) = (rows.dims(), mask.dims());
    crate::cpu::expect("rows", [count], [sequences * length]);
    // WebAssembly has one thread; the constant lets the compiler drop the parallel path.
    let threads = if cfg!(target_arch = "wasm32") {
        1
    } else {
        rayon::current_num_threads()
    };
    let parts = (count.div_ceil(threads * MAX_ROWS) * threads).min(count / FEWEST_ROWS);
    if threads == 1 || parts < 2 || rows.device() != Device::flex() {
        return work(rows, mask);
    }
    let most = sequences.div_ceil(parts);
    let starts: Vec<usize> = (0..sequences).step_by(most).collect();
    let parts = starts.into_par_iter().map(|start| {
        let taken = most.min(sequences - start);
        let rows = rows.clone().narrow(0, start * length, taken * length);
        work(rows, mask.clone().narrow(0, start, taken))
    });
    Tensor::cat(parts.collect(), 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_whole_and_in_order() {
        let device = Device::flex();
        for shape in [[1, 500], [2, 48], [7, 100], [32, 32], [33, 1], [3, 2000]] {
            let count = shape[0] * shape[1];
            let numbers: Vec<f32> = (0..count).map(|number| number as f32).collect();
            let numbers = Tensor::<1>::from_data(numbers.as_slice(), &device);
            let (rows, mask) = (numbers.clone().reshape([count, 1]), numbers.reshape(shape));
            let sums = |rows: Tensor<2>, mask: Tensor<2>| {
                let shape = rows.dims();
                rows + mask.reshape(shape)
            };
            let shared = split_across_cores(rows.clone(), mask, sums);
            assert_eq!(shared.into_data(), (rows * 2.0).into_data(), "{shape:?}");
        }
    }
}
