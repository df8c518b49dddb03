use super::*;

fn file_of(header: &str, data: &[u8]) -> Vec<u8> {
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
    .map(|(name, precision)| (name.to_owned(), shape, values, precision.into()));
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
            precision.into(),
        );
        let error = write("out", [tensor], ("", String::new()))
            .unwrap_err()
            .to_string();
        assert!(error.contains("out: tensor name"), "{error}");
    }
    let header = r#"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
    let bytes = file_of(header, &f32::INFINITY.to_le_bytes());
    assert!(TensorFile::new(&bytes, "in").unwrap().tensor("x").is_err());
}

#[test]
fn integers_take_their_scales_along() {
    let values: &[f32] = &[127.0, -1.0, 0.25, -0.5];
    let shape: &[usize] = &[2, 2];
    let tensor = ("x".to_owned(), shape, values, Storage::Int8);
    let bytes = write("out", [tensor], ("", String::new())).unwrap();
    let file = TensorFile::new(&bytes, "in").unwrap();
    assert_eq!(file.names(), ["x"]);
    let read = file.tensor("x").unwrap();
    assert_eq!((&read.shape[..], read.storage), (shape, Storage::Int8));
    for (value, exact) in read.data.iter().zip(values) {
        assert!((value - exact).abs() <= 0.5 / 127.0, "{:?}", read.data);
    }

    let header = r#"{"x":{"dtype":"I8","shape":[1,2],"data_offsets":[4,6]},
        "x.int8_scale":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
    let data = [&2.0_f32.to_le_bytes()[..], &[3, 255]].concat();
    let read = |header: &str| {
        let bytes = file_of(header, &data);
        let file = TensorFile::new(&bytes, "in").unwrap();
        file.tensor("x").map_err(|error| error.to_string())
    };
    assert_eq!(read(header).unwrap().data, [6.0, -2.0]);
    let message = read(&header.replace("[1,2]", "[2,1]")).unwrap_err();
    assert!(
        message.contains("x.int8_scale") && message.contains("shape [2]"),
        "{message}"
    );
    let message = read(&header.replace("x.int8_scale", "y")).unwrap_err();
    assert!(message.contains("tensor x.int8_scale"), "{message}");
}

#[test]
fn other_types_are_refused() {
    let header = r#"{"x":{"dtype":"I32","shape":[1],"data_offsets":[0,4]}}"#;
    let bytes = file_of(header, &[0; 4]);
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
    assert!(message(&file_of(good, &[0; 3])).contains("some.safetensors"));
    message(&file_of(good, &[0; 5]));
    message(&file_of(&good.replace("[1]", "[2]"), &[0; 4]));
    message(&file_of(
        &good.replace("[1]", "[4294967296,4294967296,4294967296]"),
        &[0; 4],
    ));
    message(&file_of(&good.replace("[0,4]", "[4,0]"), &[0; 4]));
    message(&file_of(&good.replace("[0,4]", "[1,5]"), &[0; 5]));
    message(&file_of(&good.replace("F32", "F31"), &[0; 4]));
    message(&[0xff; 64]);
    message(&[0; 7]);
}

#[test]
fn lengths_that_add_up_to_more_than_memory_are_refused() {
    // Eight tensors of 2^61 - 1 bytes. Each is in range for the safetensors crate; their sum
    // with the header wraps to a small number modulo 2^64.
    let size = (1_u64 << 61) - 1;
    let tensors: Vec<String> = (0..8)
        .map(|index| {
            let (start, end) = (index * size, (index + 1) * size);
            format!(r#""{index}":{{"dtype":"U8","shape":[{size}],"data_offsets":[{start},{end}]}}"#)
        })
        .collect();
    message(&file_of(&format!("{{{}}}", tensors.join(",")), &[0; 4]));
}
