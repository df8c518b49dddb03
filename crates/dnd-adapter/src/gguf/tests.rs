#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

const FILE: &str = "small.gguf";

/// Builds a GGUF file. Fields can be set to inconsistent values.
struct Writer {
    version: u32,
    tensor_count: u64,
    entry_count: u64,
    entries: Vec<u8>,
    infos: Vec<u8>,
    data: Vec<u8>,
    alignment: usize,
}

impl Writer {
    fn new() -> Self {
        Writer {
            version: 3,
            tensor_count: 0,
            entry_count: 0,
            entries: Vec::new(),
            infos: Vec::new(),
            data: Vec::new(),
            alignment: 32,
        }
    }

    /// Adds metadata; `value` holds the bytes after the type id.
    fn entry(mut self, key: &str, type_id: u32, value: &[u8]) -> Self {
        self.entry_count += 1;
        self.entries.extend(text(key));
        self.entries.extend(type_id.to_le_bytes());
        self.entries.extend(value);
        self
    }

    /// Adds a tensor; `dimensions` are in file order, contiguous first.
    fn tensor(mut self, name: &str, dimensions: &[u64], type_id: u32, data: &[u8]) -> Self {
        pad(&mut self.data, self.alignment);
        let offset = self.data.len() as u64;
        self.data.extend(data);
        self.info(name, dimensions, type_id, offset)
    }

    fn info(mut self, name: &str, dimensions: &[u64], type_id: u32, offset: u64) -> Self {
        self.tensor_count += 1;
        self.infos.extend(text(name));
        self.infos.extend((dimensions.len() as u32).to_le_bytes());
        self.infos
            .extend(dimensions.iter().flat_map(|size| size.to_le_bytes()));
        self.infos.extend(type_id.to_le_bytes());
        self.infos.extend(offset.to_le_bytes());
        self
    }

    fn finish(self) -> Vec<u8> {
        let mut bytes = b"GGUF".to_vec();
        bytes.extend(self.version.to_le_bytes());
        bytes.extend(self.tensor_count.to_le_bytes());
        bytes.extend(self.entry_count.to_le_bytes());
        bytes.extend(self.entries);
        bytes.extend(self.infos);
        pad(&mut bytes, self.alignment);
        bytes.extend(self.data);
        bytes
    }
}

fn pad(bytes: &mut Vec<u8>, alignment: usize) {
    bytes.resize(bytes.len().next_multiple_of(alignment), 0);
}

fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat()
}

fn array(type_id: u32, count: u64, elements: &[u8]) -> Vec<u8> {
    [&type_id.to_le_bytes()[..], &count.to_le_bytes(), elements].concat()
}

fn floats(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

/// A file with every kind of metadata value and several tensors.
fn small_file() -> Vec<u8> {
    let nested = [array(0, 2, &[1, 2]), array(8, 1, &text("x"))].concat();
    Writer::new()
        .entry("general.architecture", 8, &text("llama"))
        .entry("u8", 0, &[200])
        .entry("i8", 1, &[0xfe])
        .entry("u16", 2, &60_000u16.to_le_bytes())
        .entry("i16", 3, &(-3i16).to_le_bytes())
        .entry("u32", 4, &4_000_000_000u32.to_le_bytes())
        .entry("i32", 5, &7i32.to_le_bytes())
        .entry("f32", 6, &1e-5f32.to_le_bytes())
        .entry("bool", 7, &[1])
        .entry("u64", 10, &u64::MAX.to_le_bytes())
        .entry("i64", 11, &i64::MIN.to_le_bytes())
        .entry("f64", 12, &0.1f64.to_le_bytes())
        .entry(
            "tokens",
            9,
            &array(8, 2, &[text("a"), text("\u{120}b")].concat()),
        )
        .entry("sizes", 9, &array(2, 3, &[1, 0, 2, 0, 0, 1]))
        .entry("nested", 9, &array(9, 2, &nested))
        .tensor(
            "weight",
            &[3, 2],
            0,
            &floats(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
        )
        .tensor("odd", &[256, 1], 23, &[0; 136])
        .tensor("scalar", &[], 1, &[0x00, 0x3c])
        .finish()
}

fn error_of(bytes: &[u8]) -> String {
    Gguf::parse(bytes, FILE).unwrap_err().to_string()
}

/// Reads everything in a file, to check that nothing panics.
fn read_all(bytes: &[u8]) -> Result<(), GgufError> {
    let gguf = Gguf::parse(bytes, FILE)?;
    for (key, value) in gguf.metadata() {
        let _ = (value.to_string(), gguf.strings(key), gguf.unsigneds(key));
    }
    for tensor in gguf.tensors() {
        let _ = (
            gguf.bytes(tensor),
            gguf.dequantize_unpermuted(&tensor.name, 2),
        );
    }
    Ok(())
}

#[test]
fn reads_metadata() {
    let bytes = small_file();
    let gguf = Gguf::parse(&bytes, FILE).unwrap();
    assert_eq!((gguf.version(), gguf.alignment()), (3, 32));
    assert_eq!(gguf.metadata().len(), 15);
    assert_eq!(gguf.string("general.architecture"), Ok("llama"));
    assert_eq!(gguf.unsigned("u8"), Ok(200));
    assert_eq!(gguf.metadata()["i8"], Value::Signed(-2));
    assert_eq!(gguf.unsigned("u16"), Ok(60_000));
    assert_eq!(gguf.metadata()["i16"], Value::Signed(-3));
    assert_eq!(gguf.unsigned("u32"), Ok(4_000_000_000));
    assert_eq!(gguf.unsigned("i32"), Ok(7));
    assert_eq!(gguf.float("f32"), Ok(f64::from(1e-5f32)));
    assert_eq!(gguf.metadata()["bool"].as_bool(), Some(true));
    assert_eq!(gguf.unsigned("u64"), Ok(u64::MAX));
    assert_eq!(gguf.metadata()["i64"], Value::Signed(i64::MIN));
    assert_eq!(gguf.float("f64"), Ok(0.1));
    assert_eq!(gguf.strings("tokens").unwrap(), ["a", "\u{120}b"]);
    assert_eq!(gguf.unsigneds("sizes").unwrap(), [1, 2, 256]);
    let nested = gguf.metadata()["nested"].as_array().unwrap();
    assert_eq!(
        nested[0],
        Value::Array(vec![Value::Unsigned(1), Value::Unsigned(2)])
    );
    assert_eq!(nested[1], Value::Array(vec![Value::String("x")]));
}

#[test]
fn shows_values() {
    let bytes = small_file();
    let gguf = Gguf::parse(&bytes, FILE).unwrap();
    assert_eq!(gguf.metadata()["f32"].to_string(), "1e-5");
    assert_eq!(gguf.metadata()["nested"].to_string(), "[[1, 2], [\"x\"]]");
    let long = Value::Array(vec![Value::Bool(false); 9]);
    assert_eq!(
        long.to_string(),
        "[false, false, false, false, ... 9 in all]"
    );
    assert_eq!(Value::String("\u{1b}[2J").to_string(), "\"\\u{1b}[2J\"");
}

#[test]
fn typed_getters_name_file_key_and_types() {
    let bytes = small_file();
    let gguf = Gguf::parse(&bytes, FILE).unwrap();
    assert_eq!(
        gguf.unsigned("general.architecture")
            .unwrap_err()
            .to_string(),
        "small.gguf: metadata \"general.architecture\": expected a non-negative integer, \
         found a string"
    );
    assert_eq!(
        gguf.unsigned("i16").unwrap_err().to_string(),
        "small.gguf: metadata \"i16\": expected a non-negative integer, found a negative integer"
    );
    assert_eq!(
        gguf.string("llama.block_count").unwrap_err().to_string(),
        "small.gguf: no metadata \"llama.block_count\": expected a string, found no such key"
    );
    assert_eq!(
        gguf.strings("sizes").unwrap_err().to_string(),
        "small.gguf: metadata \"sizes\": expected an array of strings, \
         found an unsigned integer at position 0"
    );
    assert!(gguf.unsigneds("u8").is_err());
    assert!(gguf.float("u8").is_err());
}

#[test]
fn reads_tensors() {
    let bytes = small_file();
    let gguf = Gguf::parse(&bytes, FILE).unwrap();
    let names: Vec<_> = gguf
        .tensors()
        .iter()
        .map(|tensor| tensor.name.as_str())
        .collect();
    assert_eq!(names, ["weight", "odd", "scalar"]);
    let weight = gguf.tensor("weight").unwrap();
    assert_eq!(weight.shape, [2, 3]);
    assert_eq!(weight.block_type(), Some(BlockType::F32));
    assert_eq!((weight.byte_len, weight.element_count()), (Some(24), 6));
    assert_eq!(weight.offset % 32, 0);
    assert_eq!(
        gguf.bytes(weight).unwrap(),
        floats(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    );
    assert_eq!(
        gguf.dequantize("weight").unwrap(),
        [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    );
    assert_eq!(gguf.dequantize("scalar").unwrap(), [1.0]);
    assert_eq!(
        gguf.dequantize("output").unwrap_err().to_string(),
        "small.gguf: no tensor \"output\" among the 3 tensors of the file"
    );
}

#[test]
fn unsupported_block_types_are_listed_but_not_read() {
    let bytes = small_file();
    let gguf = Gguf::parse(&bytes, FILE).unwrap();
    let odd = gguf.tensor("odd").unwrap();
    assert_eq!(
        (odd.block_type(), odd.byte_len, odd.type_name()),
        (None, None, "IQ4_XS")
    );
    let message = "small.gguf: tensor \"odd\": expected one of the block types F32, F16, BF16, \
                   Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, IQ4_NL, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, \
                   found type 23 (IQ4_XS)";
    assert_eq!(gguf.dequantize("odd").unwrap_err().to_string(), message);
    assert_eq!(gguf.bytes(odd).unwrap_err().to_string(), message);
}

#[test]
fn a_tensor_of_another_file_does_not_panic() {
    let bytes = small_file();
    let gguf = Gguf::parse(&bytes, FILE).unwrap();
    let mut foreign = gguf.tensor("weight").unwrap().clone();
    foreign.byte_len = Some(usize::MAX);
    assert!(matches!(
        gguf.bytes(&foreign),
        Err(GgufError::Truncated { .. })
    ));
    foreign.offset = usize::MAX;
    assert!(matches!(
        gguf.bytes(&foreign),
        Err(GgufError::Truncated { .. })
    ));
}

#[test]
fn every_truncation_is_an_error() {
    let bytes = small_file();
    assert_eq!(read_all(&bytes), Ok(()));
    for length in 0..bytes.len() {
        assert!(read_all(&bytes[..length]).is_err(), "cut to {length} bytes");
    }
}

#[test]
fn every_damaged_byte_is_survived() {
    let bytes = small_file();
    for index in 0..bytes.len() {
        for damage in [0x00, 0x01, 0x7f, 0x80, 0xff] {
            let mut damaged = bytes.clone();
            damaged[index] = damage;
            let _ = read_all(&damaged);
        }
    }
}

#[test]
fn magic_and_version() {
    assert_eq!(
        error_of(b"PK\x03\x04 and more"),
        "small.gguf: not a GGUF file: expected the bytes \"GGUF\" at the start, \
         found \"PK\\x03\\x04\""
    );
    assert!(error_of(b"").ends_with("found \"\""));
    let mut writer = Writer::new();
    writer.version = 2;
    assert_eq!(Gguf::parse(&writer.finish(), FILE).unwrap().version(), 2);
    for (version, found) in [(1, "1"), (4, "4"), (3 << 24, "version 3 in big endian")] {
        let mut writer = Writer::new();
        writer.version = version;
        let expected =
            format!("small.gguf: version: expected 2 or 3 in little endian, found {found}");
        assert_eq!(error_of(&writer.finish()), expected);
    }
}

#[test]
fn lying_counts_reserve_nothing() {
    for lie in [1000, 1 << 33, u64::MAX / 24, u64::MAX] {
        let mut writer = Writer::new().entry("a", 0, &[1]);
        writer.tensor_count = lie;
        assert!(error_of(&writer.finish()).starts_with("small.gguf: tensor count: expected"));
        let mut writer = Writer::new().entry("a", 0, &[1]);
        writer.entry_count = lie;
        assert!(error_of(&writer.finish()).contains(" bytes at offset "));
        for type_id in [0, 3, 6, 8, 9, 12] {
            let bytes = Writer::new()
                .entry("a", 9, &array(type_id, lie, &[0]))
                .finish();
            assert!(error_of(&bytes).starts_with("small.gguf: metadata \"a\": expected"));
        }
        let length = lie.to_le_bytes();
        let bytes = Writer::new().entry("a", 8, &length).finish();
        assert!(error_of(&bytes).starts_with("small.gguf: metadata \"a\": expected"));
    }
}

#[test]
fn too_many_metadata_values() {
    let elements = vec![0; 3 << 20];
    let one = array(0, 3 << 20, &elements);
    let writer = Writer::new().entry("a", 9, &one);
    assert!(Gguf::parse(&writer.finish(), FILE).is_ok());
    let writer = Writer::new().entry("a", 9, &one).entry("b", 9, &one);
    assert_eq!(
        error_of(&writer.finish()),
        "small.gguf: metadata \"b\": expected at most 4194304 metadata values in the file, \
         found an array of 3145728 more"
    );
}

#[test]
fn deep_arrays() {
    let nested = |depth: usize| {
        let mut value = array(0, 1, &[1]);
        for _ in 1..depth {
            value = array(9, 1, &value);
        }
        Writer::new().entry("deep", 9, &value).finish()
    };
    assert!(Gguf::parse(&nested(8), FILE).is_ok());
    for depth in [9, 10_000] {
        assert_eq!(
            error_of(&nested(depth)),
            "small.gguf: metadata \"deep\": expected arrays nested at most 8 deep, \
             found deeper nesting"
        );
    }
}

#[test]
fn bad_metadata() {
    let bytes = Writer::new().entry("a", 13, &[0; 8]).finish();
    assert!(
        error_of(&bytes).ends_with("metadata \"a\": expected a value type from 0 to 12, found 13")
    );
    let bytes = Writer::new().entry("a", 9, &array(13, 0, &[])).finish();
    assert!(error_of(&bytes).ends_with("expected an element type from 0 to 12, found 13"));
    let bytes = Writer::new().entry("a", 7, &[2]).finish();
    assert!(error_of(&bytes).ends_with("expected a bool of 0 or 1, found 2"));
    let bytes = Writer::new()
        .entry("a", 8, &[1, 0, 0, 0, 0, 0, 0, 0, 0xff])
        .finish();
    assert!(error_of(&bytes).contains("metadata \"a\": expected UTF-8 text, found"));
    let bytes = Writer::new()
        .entry("a", 0, &[1])
        .entry("a", 0, &[2])
        .finish();
    assert!(
        error_of(&bytes)
            .ends_with("metadata \"a\": expected a unique key, found a second entry with this key")
    );
    let bytes = Writer::new().entry(&"k".repeat(65_536), 0, &[1]).finish();
    assert!(
        error_of(&bytes)
            .ends_with("expected a name of at most 65535 bytes, found a length of 65536 bytes")
    );
}

#[test]
fn alignment() {
    let mut writer = Writer::new().entry("general.alignment", 4, &64u32.to_le_bytes());
    writer.alignment = 64;
    let bytes = writer
        .tensor("first", &[1], 0, &floats(&[1.0]))
        .tensor("second", &[1], 0, &floats(&[2.0]))
        .finish();
    let gguf = Gguf::parse(&bytes, FILE).unwrap();
    assert_eq!(gguf.alignment(), 64);
    assert_eq!(gguf.dequantize("first").unwrap(), [1.0]);
    assert_eq!(gguf.dequantize("second").unwrap(), [2.0]);
    assert_eq!(gguf.tensor("second").unwrap().offset % 64, 0);

    for value in [0u64, 24, u64::MAX] {
        let bytes = Writer::new()
            .entry("general.alignment", 10, &value.to_le_bytes())
            .finish();
        let expected = format!(
            "small.gguf: metadata \"general.alignment\": expected a power of two, found {value}"
        );
        assert_eq!(error_of(&bytes), expected);
    }
    // The aligned start of the tensor data is past the end of the file.
    let bytes = Writer::new()
        .entry("general.alignment", 10, &(1u64 << 63).to_le_bytes())
        .tensor("a", &[1], 0, &[0; 4])
        .finish();
    assert!(matches!(
        Gguf::parse(&bytes, FILE),
        Err(GgufError::Truncated { .. })
    ));
}

#[test]
fn bad_tensors() {
    let tensor = |dimensions: &[u64], type_id, offset| {
        error_of(
            &Writer::new()
                .info("a", dimensions, type_id, offset)
                .finish(),
        )
    };
    assert!(
        tensor(&[1; 5], 0, 0).ends_with("tensor \"a\": expected at most 4 dimensions, found 5")
    );
    assert!(tensor(&[u64::MAX, 2], 0, 0).contains("tensor \"a\": expected"));
    assert!(tensor(&[1 << 32, 1 << 31], 0, 0).contains("tensor \"a\": expected"));
    assert!(tensor(&[1], 0, u64::MAX - 31).contains("tensor \"a\": expected 4 bytes at offset"));
    assert!(tensor(&[1], 13, 1 << 40).contains("tensor \"a\": expected"));
    assert!(
        tensor(&[1], 0, 1)
            .ends_with("tensor \"a\": expected an offset that is a multiple of 32, found 1")
    );
    assert!(tensor(&[48, 2], 2, 0).ends_with(
        "tensor \"a\": expected rows of a multiple of 32 values for Q4_0, found shape [2, 48]"
    ));
    let twice = Writer::new()
        .info("a", &[0], 0, 0)
        .info("a", &[0], 0, 0)
        .finish();
    assert!(
        error_of(&twice).ends_with("expected a unique name, found a second tensor of this name")
    );
}

#[test]
fn empty_tensors_are_read_at_once() {
    let bytes = Writer::new().info("a", &[0, 1 << 30], 0, 0).finish();
    let gguf = Gguf::parse(&bytes, FILE).unwrap();
    assert_eq!(gguf.dequantize("a").unwrap(), [0.0_f32; 0]);
    assert_eq!(gguf.dequantize_unpermuted("a", 2).unwrap(), [0.0_f32; 0]);
    assert_eq!(unpermute_rows::<f32>(&[], 0, 4, usize::MAX), Some(vec![]));
}

/// `LlamaModel.permute` of llama.cpp's converter, for values in row-major order:
/// `reshape(heads, 2, rows / heads / 2, columns).swapaxes(1, 2).reshape(rows, columns)`.
fn permute_rows(weight: &[f32], rows: usize, columns: usize, heads: usize) -> Vec<f32> {
    let pairs = rows / heads / 2;
    let mut permuted = Vec::new();
    for head in 0..heads {
        for pair in 0..pairs {
            for half in 0..2 {
                let row = (head * 2 + half) * pairs + pair;
                permuted.extend(&weight[row * columns..(row + 1) * columns]);
            }
        }
    }
    permuted
}

#[test]
fn unpermute_takes_neighbours_apart() {
    // One head of six channels: the file interleaves the channels of the two halves.
    let stored = [0, 3, 1, 4, 2, 5];
    assert_eq!(
        unpermute_rows(&stored, 6, 1, 1).unwrap(),
        [0, 1, 2, 3, 4, 5]
    );
    // Heads are not mixed, and the values of a row stay together.
    let stored = [0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15];
    let sorted: Vec<i32> = (0..16).collect();
    assert_eq!(unpermute_rows(&stored, 8, 2, 2).unwrap(), sorted);
}

#[test]
fn unpermute_undoes_permute_and_not_the_other_way() {
    let weight: Vec<f32> = (0..24 * 5).map(|index| index as f32).collect();
    for heads in [1, 2, 3, 4, 6, 12] {
        let permuted = permute_rows(&weight, 24, 5, heads);
        assert_eq!(unpermute_rows(&permuted, 24, 5, heads).unwrap(), weight);
    }
    // With eight channels per head, permuting twice is not the identity, so the check above
    // would fail if the directions were swapped.
    let permuted = permute_rows(&weight, 24, 5, 3);
    assert_ne!(permute_rows(&permuted, 24, 5, 3), weight);
}

/// Rotating rows in each library's own pairing gives the same attention scores only if the rows
/// were permuted.
#[test]
fn rotary_scores_agree_between_the_two_orders() {
    let angles = [0.3f32, 1.1, 0.05];
    let rotate = |values: &[f32], position: f32, pair_at: fn(usize) -> (usize, usize)| {
        let mut rotated = values.to_vec();
        for (index, angle) in angles.iter().enumerate() {
            let (first, second) = pair_at(index);
            let (sine, cosine) = (angle * position).sin_cos();
            rotated[first] = values[first] * cosine - values[second] * sine;
            rotated[second] = values[first] * sine + values[second] * cosine;
        }
        rotated
    };
    let halves: fn(usize) -> (usize, usize) = |index| (index, index + 3);
    let neighbours: fn(usize) -> (usize, usize) = |index| (2 * index, 2 * index + 1);
    let dot = |a: Vec<f32>, b: Vec<f32>| a.iter().zip(&b).map(|(a, b)| a * b).sum::<f32>();

    let stored_query = [0.5, -1.0, 2.0, 0.25, -0.75, 1.5];
    let stored_key = [1.0, 0.1, -0.6, 2.0, 0.3, -1.2];
    let query = unpermute_rows(&stored_query, 6, 1, 1).unwrap();
    let key = unpermute_rows(&stored_key, 6, 1, 1).unwrap();
    let in_ggml = dot(
        rotate(&stored_query, 5.0, neighbours),
        rotate(&stored_key, 2.0, neighbours),
    );
    let in_hugging_face = dot(rotate(&query, 5.0, halves), rotate(&key, 2.0, halves));
    assert!((in_ggml - in_hugging_face).abs() < 1e-5);
}

#[test]
fn unpermute_refuses_shapes_that_do_not_fit() {
    let weight = [0.0f32; 24];
    assert_eq!(unpermute_rows(&weight, 6, 4, 0), None);
    assert_eq!(unpermute_rows(&weight, 6, 4, 2), None); // heads of three rows
    assert_eq!(unpermute_rows(&weight, 6, 4, 5), None);
    assert_eq!(unpermute_rows(&weight, 4, 4, 1), None);
    assert_eq!(unpermute_rows(&weight, usize::MAX, 2, 1), None);

    let bytes = small_file();
    let gguf = Gguf::parse(&bytes, FILE).unwrap();
    assert_eq!(gguf.dequantize_unpermuted("weight", 1).unwrap().len(), 6);
    assert_eq!(
        gguf.dequantize_unpermuted("weight", 2)
            .unwrap_err()
            .to_string(),
        "small.gguf: tensor \"weight\": expected rows for 2 heads of even size, found 2 rows"
    );
}

#[test]
fn a_whole_block_of_every_type_is_read_through_the_container() {
    for block_type in BlockType::ALL {
        let data: Vec<u8> = (0..2 * block_type.block_bytes())
            .map(|index| index as u8)
            .collect();
        let row = block_type.block_values() as u64;
        let bytes = Writer::new()
            .tensor("a", &[row, 2], block_type.type_id(), &data)
            .finish();
        let gguf = Gguf::parse(&bytes, FILE).unwrap();
        let tensor = gguf.tensor("a").unwrap();
        assert_eq!(tensor.shape, [2, row as usize]);
        assert_eq!(gguf.bytes(tensor).unwrap(), data);
        let mut expected = vec![0.0; 2 * block_type.block_values()];
        block_type.dequantize_into(&data, &mut expected);
        assert_eq!(
            gguf.dequantize("a").unwrap(),
            expected,
            "{}",
            block_type.name()
        );
    }
}

proptest! {
    #[test]
    fn random_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = read_all(&bytes);
        // The same bytes after a valid start, so that parsing gets further.
        let mut writer = Writer::new();
        (writer.entry_count, writer.tensor_count) = (1, 1);
        writer.entries = [text("a"), bytes].concat();
        let _ = read_all(&writer.finish());
    }

    #[test]
    fn damaged_files_do_not_panic(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = small_file();
        for (index, byte) in damage {
            let index = index.index(bytes.len());
            bytes[index] = byte;
        }
        let _ = read_all(&bytes);
    }
}
