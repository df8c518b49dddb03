//! All model work; runs in a dedicated worker.

// Its modules lie beside this file, as if they were declared here, each for WebAssembly alone.
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

/// Lets burn's compiler register what it has, once. A program that does not ask for it has the linker do it again at every call
/// from JavaScript, and there are thousands of them in a generation (the documentation of `inventory`, "WebAssembly").
#[cfg(target_arch = "wasm32")]
#[allow(unsafe_code, reason = "the function comes from the linker")]
fn register() {
    unsafe extern "C" {
        fn __wasm_call_ctors();
    }
    // SAFETY: nothing has registered before, as this is the program's only call.
    unsafe { __wasm_call_ctors() }
}
