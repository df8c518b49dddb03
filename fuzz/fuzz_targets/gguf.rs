//! Header, metadata and tensors of a GGUF file, as a model and as an adapter.

#![no_main]

use dnd_adapter::BaseDimensions;
use dnd_adapter::gguf::{Gguf, lora};
use dnd_model::Weights;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(gguf) = Gguf::parse(bytes, "file") else {
        return;
    };
    for info in gguf.tensors() {
        let _ = gguf.dequantize(&info.name);
    }
    if let Ok(base) = BaseDimensions::from_gguf(&gguf) {
        let _ = lora::read(bytes, "file", &base);
    }
    let _ = Weights::from_gguf(gguf, "file");
});
