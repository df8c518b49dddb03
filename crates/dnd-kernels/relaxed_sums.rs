//! The block kernel of `src/blocked/vectors.rs`, 4 rows by 2 vectors, in relaxed SIMD. It is a
//! separate module that imports its memory.
#![no_std]

use core::arch::wasm32::{
    f32x4_relaxed_madd, f32x4_splat, unreachable, v128, v128_load, v128_load32_splat, v128_store,
};

/// Columns per panel.
const PANEL: usize = 32;

/// Writes the sums of a block over `steps` steps of the depth: rows at `left`, `depth` values
/// apart, times the panel at `right`.
///
/// # Safety
/// All addresses that are read or written must be in bounds.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sums(
    steps: usize,
    right: *const f32,
    left: *const f32,
    depth: usize,
    output: *mut f32,
) {
    // SAFETY: guaranteed by the caller.
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
