//! The sums of a block of 4 rows and 2 vectors in relaxed SIMD, as `src/blocked/vectors.rs` has them for other vectors: a module
//! of its own, with no memory but the one it is given.
#![no_std]

use core::arch::wasm32::{
    f32x4_relaxed_madd, f32x4_splat, unreachable, v128, v128_load, v128_load32_splat, v128_store,
};

/// Columns of a panel.
const PANEL: usize = 32;

/// Writes what so many steps of a panel, from `right`, and of rows that are `depth` apart, from `left`, sum up to.
///
/// # Safety
/// All of it must be in memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sums(
    steps: usize,
    right: *const f32,
    left: *const f32,
    depth: usize,
    output: *mut f32,
) {
    // SAFETY: as the caller says.
    unsafe {
        let mut sums = [[f32x4_splat(0.0); 2]; 4];
        for step in 0..steps {
            let columns: [v128; 2] = core::array::from_fn(|vector| {
                v128_load(right.add(step * PANEL + vector * 4).cast())
            });
            for (row, sums) in sums.iter_mut().enumerate() {
                let number = v128_load32_splat(left.add(row * depth + step).cast());
                for (sum, column) in sums.iter_mut().zip(columns) {
                    *sum = f32x4_relaxed_madd(number, column, *sum);
                }
            }
        }
        for (row, sums) in sums.iter().enumerate() {
            for (vector, sum) in sums.iter().enumerate() {
                v128_store(output.add((row * 2 + vector) * 4).cast(), *sum);
            }
        }
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    unreachable()
}
