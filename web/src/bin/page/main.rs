//! The page itself; runs on the page's main thread.

// Its modules lie beside this file, as if they were declared here, each for WebAssembly alone.
#[cfg(target_arch = "wasm32")]
#[path = "app.rs"]
mod app;

fn main() {
    #[cfg(target_arch = "wasm32")]
    app::start();
}
