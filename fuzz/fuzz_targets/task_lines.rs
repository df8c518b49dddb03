//! Lines of a task.

#![no_main]

use std::path::Path;

use dnd_tasks::{Asked, parse_lines};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for line in parse_lines(text, Path::new("file")).unwrap_or_default() {
        for asked in [Asked::Full, Asked::Bare] {
            let _ = line.as_asked(asked);
        }
    }
});
