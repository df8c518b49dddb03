//! Writes GGUF files of version 3.

use super::{BlockType, DEFAULT_ALIGNMENT, MAGIC};

/// Version of the format that is written.
const VERSION: u32 = 3;
/// Numbers of metadata types in `enum gguf_type`.
const UINT32: u32 = 4;
const FLOAT32: u32 = 6;
const STRING: u32 = 8;

/// A GGUF file that is being put together: metadata, then tensors, in the order in which they are
/// added.
#[derive(Default)]
pub struct GgufWriter {
    entries: u64,
    metadata: Vec<u8>,
    tensors: u64,
    list: Vec<u8>,
    data: Vec<u8>,
}

impl GgufWriter {
    /// Adds a string to the metadata.
    pub fn string(&mut self, key: &str, value: &str) {
        self.entry(key, STRING);
        push_text(&mut self.metadata, value);
    }

    /// Adds an integer (`uint32`) to the metadata.
    pub fn unsigned(&mut self, key: &str, value: u32) {
        self.entry(key, UINT32);
        self.metadata.extend(value.to_le_bytes());
    }

    /// Adds a number (`float32`) to the metadata.
    pub fn float(&mut self, key: &str, value: f32) {
        self.entry(key, FLOAT32);
        self.metadata.extend(value.to_le_bytes());
    }

    /// Adds an entry of another file, with its key, as [`Gguf::entries`](super::Gguf::entries)
    /// gives it.
    pub fn copied(&mut self, entry: &[u8]) {
        self.entries += 1;
        self.metadata.extend_from_slice(entry);
    }

    /// Adds a tensor of this row-major shape, packed as `block_type`.
    pub fn tensor(&mut self, name: &str, shape: &[usize], block_type: BlockType, bytes: &[u8]) {
        self.tensors += 1;
        push_text(&mut self.list, name);
        self.list.extend((shape.len() as u32).to_le_bytes());
        // GGUF lists the contiguous axis first.
        for &size in shape.iter().rev() {
            self.list.extend((size as u64).to_le_bytes());
        }
        self.list.extend(block_type.type_id().to_le_bytes());
        self.list.extend((self.data.len() as u64).to_le_bytes());
        self.data.extend_from_slice(bytes);
        pad(&mut self.data);
    }

    /// The bytes of the file.
    pub fn finish(self) -> Vec<u8> {
        let mut file = MAGIC.to_vec();
        file.extend(VERSION.to_le_bytes());
        file.extend(self.tensors.to_le_bytes());
        file.extend(self.entries.to_le_bytes());
        file.extend(self.metadata);
        file.extend(self.list);
        pad(&mut file);
        file.extend(self.data);
        file
    }

    fn entry(&mut self, key: &str, kind: u32) {
        self.entries += 1;
        push_text(&mut self.metadata, key);
        self.metadata.extend(kind.to_le_bytes());
    }
}

/// A text with its length in front.
fn push_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend((text.len() as u64).to_le_bytes());
    bytes.extend(text.as_bytes());
}

fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(DEFAULT_ALIGNMENT as usize), 0);
}
