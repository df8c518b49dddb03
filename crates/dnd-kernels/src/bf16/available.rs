//! Whether this process can use Intel AMX.

#![allow(
    unsafe_code,
    reason = "the system call for permission has no safe wrapper"
)]

use std::sync::OnceLock;

/// Whether the CPU has AMX with bfloat16, and the operating system lets this process use it.
pub fn is_available() -> bool {
    static AVAILABLE: OnceLock<bool> = OnceLock::new();
    *AVAILABLE.get_or_init(|| has_tiles() && has_vectors() && ask_system())
}

fn has_tiles() -> bool {
    use std::arch::x86_64::{__cpuid, __cpuid_count};
    const BF16: u32 = 1 << 22;
    const TILES: u32 = 1 << 24;
    let (highest, features) = (__cpuid(0).eax, __cpuid_count(7, 0).edx);
    highest >= 7 && features & (BF16 | TILES) == BF16 | TILES
}

/// Requests permission to use tile registers. Linux saves their 8 KiB of state only for
/// processes that request it.
fn ask_system() -> bool {
    const REQUEST_PERMISSION: libc::c_long = 0x1023;
    const TILE_DATA: libc::c_long = 18;
    // SAFETY: arch_prctl with this request changes nothing but the permission.
    unsafe { libc::syscall(libc::SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0 }
}

/// Whether the CPU can round vectors of 16 to bfloat16.
fn has_vectors() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512bf16")
}
