//! Weights and configuration of an adapter: the configuration, a zero byte, the weights.

#![no_main]

use dnd_adapter::{Precision, peft};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let place = bytes.iter().position(|&byte| byte == 0);
    let (config, weights) = bytes.split_at(place.unwrap_or(bytes.len()));
    let weights = weights.get(1..).unwrap_or_default();
    if let Ok(adapter) = peft::read(config, "config", weights, "weights") {
        let _ = peft::write(&adapter, Precision::F16);
    }
});
