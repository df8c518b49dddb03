//! All model work; runs in a dedicated worker.

#[cfg(target_arch = "wasm32")]
mod service;

fn main() {
    #[cfg(target_arch = "wasm32")]
    service::start();
}
