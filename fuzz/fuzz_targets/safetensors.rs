//! Tensors of a safetensors file.

#![no_main]

use dnd_adapter::tensor_file::TensorFile;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(file) = TensorFile::new(bytes, "file") {
        for name in file.names() {
            let _ = file.tensor(&name);
        }
    }
});
