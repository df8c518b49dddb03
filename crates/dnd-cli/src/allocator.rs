//! The memory allocator.
//!
//! Training constantly allocates and frees large tensors. The system allocator returns their memory
//! to the kernel, which zeroes it again on reuse. mimalloc keeps it for a while.

use libmimalloc_sys::{mi_option_get, mi_option_set};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `mi_option_purge_delay` in `mimalloc.h`, versions 2 and 3.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;
/// What mimalloc waits for by default, in ms.
const USUAL_DELAYS: [i64; 2] = [10, 1000];
/// A training step takes seconds, and needs the memory of the one before again.
const DELAY: i64 = 1000;

/// Keeps freed memory for a second: with 10 ms, a fine-tuning step on the shapes of Qwen2.5-0.5B
/// spent a seventh of its time on zeroing pages. The environment variable `MIMALLOC_PURGE_DELAY`
/// (in ms, -1 for ever) comes first.
#[allow(unsafe_code, reason = "options of mimalloc have no safe wrapper")]
pub fn keep_memory() {
    if std::env::var_os("MIMALLOC_PURGE_DELAY").is_some() {
        return;
    }
    // SAFETY: both functions take any option and any value, on any thread.
    unsafe {
        // Another value stands for another option: the enumeration has changed.
        if USUAL_DELAYS.contains(&mi_option_get(PURGE_DELAY)) {
            mi_option_set(PURGE_DELAY, DELAY);
        }
    }
}
