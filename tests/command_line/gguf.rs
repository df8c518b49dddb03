//! Writing GGUF files, version 3 (ggml, docs/gguf.md).

/// Storage type of a tensor, numbered as in `enum ggml_type`.
#[derive(Clone, Copy)]
pub enum TensorType {
    F32 = 0,
    /// Not supported by `dnd`.
    IQ4XS = 23,
}

/// Tensors start at multiples of this.
const ALIGNMENT: usize = 32;

/// Builder for a GGUF file.
#[derive(Default)]
pub struct GgufFile {
    entries: Vec<u8>,
    entry_count: u64,
    headers: Vec<u8>,
    tensor_count: u64,
    data: Vec<u8>,
}

impl GgufFile {
    pub fn text(&mut self, key: &str, value: &str) {
        self.entry(key, 8, &string(value));
    }

    pub fn number(&mut self, key: &str, value: u32) {
        self.entry(key, 4, &value.to_le_bytes());
    }

    pub fn float(&mut self, key: &str, value: f32) {
        self.entry(key, 6, &value.to_le_bytes());
    }

    pub fn texts(&mut self, key: &str, values: &[String]) {
        let elements: Vec<u8> = values.iter().flat_map(|value| string(value)).collect();
        self.array(key, 8, values.len(), &elements);
    }

    pub fn numbers(&mut self, key: &str, values: &[u32]) {
        let elements: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.array(key, 4, values.len(), &elements);
    }

    fn array(&mut self, key: &str, element_type: u32, count: usize, elements: &[u8]) {
        let count = (count as u64).to_le_bytes();
        self.entry(
            key,
            9,
            &[&element_type.to_le_bytes(), &count[..], elements].concat(),
        );
    }

    fn entry(&mut self, key: &str, value_type: u32, value: &[u8]) {
        self.entry_count += 1;
        self.entries.extend(string(key));
        self.entries.extend(value_type.to_le_bytes());
        self.entries.extend(value);
    }

    /// Adds a tensor with a row-major shape.
    pub fn tensor(&mut self, name: &str, shape: &[usize], kind: TensorType, bytes: &[u8]) {
        pad(&mut self.data);
        self.tensor_count += 1;
        self.headers.extend(string(name));
        self.headers.extend((shape.len() as u32).to_le_bytes());
        // GGUF lists the contiguous axis first.
        for &size in shape.iter().rev() {
            self.headers.extend((size as u64).to_le_bytes());
        }
        self.headers.extend((kind as u32).to_le_bytes());
        self.headers.extend((self.data.len() as u64).to_le_bytes());
        self.data.extend(bytes);
    }

    pub fn bytes(self) -> Vec<u8> {
        let mut bytes = b"GGUF".to_vec();
        bytes.extend(3u32.to_le_bytes());
        bytes.extend(self.tensor_count.to_le_bytes());
        bytes.extend(self.entry_count.to_le_bytes());
        bytes.extend(self.entries);
        bytes.extend(self.headers);
        pad(&mut bytes);
        bytes.extend(self.data);
        bytes
    }
}

fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
}

fn string(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat()
}
