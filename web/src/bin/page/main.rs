//! The page; runs on the main thread.

// `path` makes the submodules of `app` files in this folder. Only WebAssembly has them.
#[cfg(target_arch = "wasm32")]
#[path = "app.rs"]
mod app;

fn main() {
    #[cfg(target_arch = "wasm32")]
    app::start();
}
