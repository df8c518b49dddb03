//! Tensors for tiny models, and safetensors files with corrupted headers.

use std::collections::BTreeMap;
use std::path::Path;

use dnd_adapter::tensor_file::TensorFile;
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde_json::Value;

/// Seeded uniform numbers from -1 to 1, the same on every machine.
struct Numbers(u64);

impl Numbers {
    /// One step of Marsaglia's xorshift.
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 40) as f32 / (1u32 << 23) as f32 - 1.0
    }
}

/// A shape and its values, row-major.
pub type Tensor = (Vec<usize>, Vec<f32>);

/// Builder for the named tensors of a model.
pub struct Weights {
    numbers: Numbers,
    pub tensors: BTreeMap<String, Tensor>,
}

impl Weights {
    /// Starts without tensors; `seed` is for the random ones.
    pub fn new(seed: u64) -> Self {
        Self {
            numbers: Numbers(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) | 1),
            tensors: BTreeMap::new(),
        }
    }

    /// Adds a tensor filled with one value.
    pub fn filled(&mut self, name: &str, shape: &[usize], value: f32) {
        let count = shape.iter().product();
        self.tensors
            .insert(name.to_owned(), (shape.to_vec(), vec![value; count]));
    }

    /// Adds a random tensor with values from -`limit` to `limit`.
    pub fn random(&mut self, name: &str, shape: &[usize], limit: f32) {
        let count = shape.iter().product();
        let values = (0..count).map(|_| self.numbers.next() * limit).collect();
        self.tensors
            .insert(name.to_owned(), (shape.to_vec(), values));
    }

    /// Writes them in bfloat16, cut off.
    pub fn save_bf16(&self, path: &Path) {
        let halves = |values: &[f32]| -> Vec<u8> {
            let bytes = values.iter().map(|value| value.to_le_bytes());
            bytes.flat_map(|[_, _, low, high]| [low, high]).collect()
        };
        self.save_as(path, Dtype::BF16, halves);
    }

    /// Writes them in f32.
    pub fn save(&self, path: &Path) {
        self.save_as(path, Dtype::F32, floats);
    }

    fn save_as(&self, path: &Path, dtype: Dtype, bytes: impl Fn(&[f32]) -> Vec<u8>) {
        let bytes: Vec<Vec<u8>> = self.tensors.values().map(|(_, v)| bytes(v)).collect();
        let views = self
            .tensors
            .iter()
            .zip(&bytes)
            .map(|((name, (shape, _)), bytes)| {
                let view = TensorView::new(dtype, shape.clone(), bytes).unwrap();
                (name, view)
            });
        std::fs::write(path, safetensors::serialize(views, None).unwrap()).unwrap();
    }
}

/// Values as little-endian bytes.
pub fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// A parsed safetensors file, whose header can be changed without validation.
#[derive(Clone)]
pub struct Container {
    pub header: Value,
    pub data: Vec<u8>,
}

impl Container {
    pub fn open(path: &Path) -> Self {
        let bytes = std::fs::read(path).unwrap();
        let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        Self {
            header: serde_json::from_slice(&bytes[8..8 + length]).unwrap(),
            data: bytes[8 + length..].to_vec(),
        }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let header = serde_json::to_vec(&self.header).unwrap();
        let length = (header.len() as u64).to_le_bytes();
        [&length[..], &header, &self.data].concat()
    }

    /// The file with one tensor's entry changed.
    pub fn with_tensor(&self, name: &str, change: impl Fn(&mut Value)) -> Vec<u8> {
        let mut container = self.clone();
        change(&mut container.header[name]);
        container.bytes()
    }

    /// The bundle with its own header changed, which is JSON inside the JSON.
    pub fn with_bundle_header(&self, change: impl Fn(&mut Value)) -> Vec<u8> {
        let mut container = self.clone();
        let text = &mut container.header["__metadata__"]["dnd"];
        let mut header: Value = serde_json::from_str(text.as_str().unwrap()).unwrap();
        change(&mut header);
        *text = Value::from(header.to_string());
        container.bytes()
    }
}

/// Damaged copies that any safetensors reader must reject, each with a name. `tensor` is the name
/// of a tensor in the file.
pub fn damages(path: &Path, tensor: &str) -> Vec<(String, Vec<u8>)> {
    let whole = std::fs::read(path).unwrap();
    let container = Container::open(path);
    let header_end = whole.len() - container.data.len();
    let mut damages: Vec<(String, Vec<u8>)> = [
        0,
        7,
        8,
        header_end / 2,
        header_end,
        header_end + 1,
        whole.len() - 1,
    ]
    .map(|length| (format!("cut to {length}"), whole[..length].to_vec()))
    .into();
    let mut add = |name: &str, bytes: Vec<u8>| damages.push((name.to_owned(), bytes));
    add("a byte too many", [&whole[..], b"x"].concat());
    for length in [u64::MAX, 1 << 62, whole.len() as u64, 1] {
        let name = format!("header of {length} bytes");
        add(&name, [&length.to_le_bytes(), &whole[8..]].concat());
    }
    let large = u64::MAX / 8;
    for (name, field, value) in [
        ("end beyond the file", "data_offsets", vec![0, large]),
        ("offsets far away", "data_offsets", vec![large, large + 4]),
        ("end before start", "data_offsets", vec![4, 0]),
        ("a shape too large", "shape", vec![1 << 20, 1 << 20]),
        ("a shape that overflows", "shape", vec![1 << 40, 1 << 40]),
        (
            "a shape that overflows to zero",
            "shape",
            vec![1 << 32, 1 << 32],
        ),
    ] {
        let change = |entry: &mut Value| entry[field] = Value::from(value.clone());
        add(name, container.with_tensor(tensor, change));
    }
    add(
        "an unknown type",
        container.with_tensor(tensor, |entry| entry["dtype"] = Value::from("F99")),
    );
    damages
}

/// Asserts that two safetensors files have the same tensors: the root mean square of all
/// differences is at most `tolerance` of that of the values.
pub fn agree(found: &Path, expected: &Path, tolerance: f64) {
    let bytes = [found, expected].map(|path| std::fs::read(path).unwrap());
    let files = bytes
        .each_ref()
        .map(|bytes| TensorFile::new(bytes, "file").unwrap());
    assert_eq!(files[0].names(), files[1].names());
    let (mut differences, mut squares) = (0.0, 0.0);
    for name in files[0].names() {
        let [found, expected] = files.each_ref().map(|file| file.tensor(&name).unwrap());
        assert_eq!(found.shape, expected.shape, "{name}");
        for (a, b) in found.data.iter().zip(&expected.data) {
            differences += f64::from(a - b).powi(2);
            squares += f64::from(*b).powi(2);
        }
    }
    let error = (differences / squares).sqrt();
    println!("{}: {error:.1e}", found.display());
    assert!(error <= tolerance, "{}: {error:e}", found.display());
}
