//! Requests to the server: a line with method and address, then a header a line.

#![no_main]

use std::sync::{Arc, LazyLock};

use axum::body::Body;
use axum::extract::Request;
use dnd_serve::{Site, answer};
use libfuzzer_sys::fuzz_target;
use tokio::runtime::{Builder, Runtime};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_current_thread()
        .build()
        .expect("a runtime starts")
});

/// A folder with an index, a model, a hidden file, and a file beside it that no address may reach.
static SITE: LazyLock<Arc<Site>> = LazyLock::new(|| {
    let outside = std::env::temp_dir().join(format!("dnd-fuzz-{}", std::process::id()));
    let root = outside.join("site");
    std::fs::create_dir_all(root.join("models")).expect("a folder is made");
    for (name, text) in [
        ("index.html", "<p>page"),
        ("models/a.gguf", "0123456789"),
        (".hidden", "SECRET"),
        ("../outside", "SECRET"),
    ] {
        std::fs::write(root.join(name), text).expect("a file is written");
    }
    Arc::new(Site::open(&root).expect("a site is opened"))
});

fuzz_target!(|text: &str| {
    let mut lines = text.lines();
    let (method, address) = lines
        .next()
        .and_then(|line| line.split_once(' '))
        .unwrap_or_default();
    let mut request = Request::builder().method(method).uri(address);
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        request = request.header(name, value.trim());
    }
    let Ok(request) = request.body(Body::empty()) else {
        return;
    };
    let body = RUNTIME.block_on(async {
        let response = answer(Arc::clone(&SITE), request).await;
        axum::body::to_bytes(response.into_body(), 1 << 20).await
    });
    let body = body.expect("the file is read");
    assert!(!body.windows(6).any(|part| part == b"SECRET"));
});
