//! A bundle with a generator.

#![no_main]

use dnd_adapter::Bundle;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = Bundle::read(bytes, "file");
});
