//! The page's `manifest.json`.

#![no_main]

use dnd_web::manifest::Manifest;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(manifest) = Manifest::from_json(text) {
        let _ = manifest.total();
    }
});
