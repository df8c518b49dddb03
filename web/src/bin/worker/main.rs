//! All model work; runs in a dedicated worker.

// `path` makes the submodules of `service` files in this folder. Only WebAssembly has them.
#[cfg(target_arch = "wasm32")]
#[path = "service.rs"]
mod service;

fn main() {
    #[cfg(target_arch = "wasm32")]
    {
        register();
        service::start();
    }
}

/// Runs the constructors with which burn's compiler registers its parts, once. Without this
/// call, the linker would run them at every call from JavaScript, thousands of times per
/// generation (documentation of `inventory`, "WebAssembly").
#[cfg(target_arch = "wasm32")]
#[allow(unsafe_code, reason = "the function comes from the linker")]
fn register() {
    unsafe extern "C" {
        fn __wasm_call_ctors();
    }
    // SAFETY: this is the only call, so nothing is registered twice.
    unsafe { __wasm_call_ctors() }
}
