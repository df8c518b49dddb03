use super::*;

fn file(header: &str, data: &[u8]) -> Vec<u8> {
    let length = (header.len() as u64).to_le_bytes();
    [&length, header.as_bytes(), data].concat()
}

fn message(bytes: &[u8]) -> String {
    TensorFile::new(bytes, "some.safetensors")
        .unwrap_err()
        .to_string()
}

#[test]
fn reads_what_it_writes() {
    let shape: &[usize] = &[2, 1];
    let values: &[f32] = &[1.5, -2.0];
    let tensors = [
        ("b", Precision::Bf16),
        ("a", Precision::F16),
        ("c", Precision::F32),
    ]
    .map(|(name, precision)| (name.to_owned(), shape, values, precision));
    let bytes = write("out", tensors, ("key", "text".to_owned())).unwrap();
    let file = TensorFile::new(&bytes, "in").unwrap();
    assert_eq!(file.names(), ["a", "b", "c"]);
    assert_eq!((file.text("key"), file.text("other")), (Some("text"), None));
    for name in file.names() {
        let tensor = file.tensor(&name).unwrap();
        assert_eq!(
            (tensor.shape.as_slice(), tensor.data.as_slice()),
            (shape, values)
        );
    }
    assert!(
        file.tensor("d")
            .unwrap_err()
            .to_string()
            .starts_with("in: tensor d")
    );
}

#[test]
fn numbers_that_cannot_be_stored_are_refused() {
    for (value, precision) in [(f32::NAN, Precision::F32), (7e4, Precision::F16)] {
        let tensor = (
            "name".to_owned(),
            &[1_usize] as &[usize],
            &[value] as &[f32],
            precision,
        );
        let error = write("out", [tensor], ("", String::new()))
            .unwrap_err()
            .to_string();
        assert!(error.contains("out: tensor name"), "{error}");
    }
    let header = r#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
    let bytes = file(header, &f32::INFINITY.to_le_bytes());
    assert!(TensorFile::new(&bytes, "in").unwrap().tensor("x").is_err());
}

#[test]
fn other_types_are_refused() {
    let header = r#"{"x":{"dtype":"I32","shape":[1],"data_offsets":[0,4]}}"#;
    let bytes = file(header, &[0; 4]);
    let error = TensorFile::new(&bytes, "in")
        .unwrap()
        .tensor("x")
        .unwrap_err()
        .to_string();
    assert!(error.contains("found type I32"), "{error}");
}

#[test]
fn lying_headers_are_refused() {
    let good = r#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
    assert!(message(&file(good, &[0; 3])).contains("some.safetensors"));
    message(&file(good, &[0; 5]));
    message(&file(&good.replace("[1]", "[2]"), &[0; 4]));
    message(&file(
        &good.replace("[1]", "[4294967296,4294967296,4294967296]"),
        &[0; 4],
    ));
    message(&file(&good.replace("[0,4]", "[4,0]"), &[0; 4]));
    message(&file(&good.replace("[0,4]", "[1,5]"), &[0; 5]));
    message(&file(&good.replace("F32", "F31"), &[0; 4]));
    message(&[0xff; 64]);
    message(&[0; 7]);
}

#[test]
fn lengths_that_add_up_to_more_than_memory_are_refused() {
    // Eight tensors of 2^61 - 1 bytes: each is within range for the safetensors crate, and with the
    // header their sum is small again modulo 2^64.
    let size = (1_u64 << 61) - 1;
    let tensors: Vec<String> = (0..8)
        .map(|index| {
            let (start, end) = (index * size, (index + 1) * size);
            format!(r#""{index}":{{"dtype":"U8","shape":[{size}],"data_offsets":[{start},{end}]}}"#)
        })
        .collect();
    message(&file(&format!("{{{}}}", tensors.join(",")), &[0; 4]));
}
