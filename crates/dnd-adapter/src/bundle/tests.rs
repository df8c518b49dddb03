use serde_json::json;

use super::*;
use crate::test_data::{numbers, tiny_adapter};
use crate::tokens;

fn bundle() -> Bundle {
    let adapter = tiny_adapter();
    let sample = tokens::from_adapter(&adapter).unwrap();
    let layout = adapter.layout;
    let token_len = layout.uniform_rank().unwrap() * layout.tile_width();
    let statistics = Statistics::from_samples([sample.as_slice()].into_iter(), token_len).unwrap();
    let weight = BundleTensor {
        shape: vec![2, 3],
        data: vec![0.5; 6],
        storage: Precision::F16.into(),
    };
    let mut bundle = Bundle {
        header: BundleHeader {
            format: FORMAT,
            generator: json!({ "kernel_size": 3, "features": [[4, 5, 6]] }),
            layout,
            base: None,
            encoder: EncoderId {
                name: "all-MiniLM-L6-v2".to_owned(),
                sha256: "0".repeat(64),
            },
            prompts: 16,
            tokens_per_prompt: 32,
            tasks: Vec::new(),
            provenance: json!({ "seed": 1 }),
        },
        tensors: BTreeMap::from([("generator.weight".to_owned(), weight)]),
    };
    bundle.set_statistics(&statistics, Precision::F32).unwrap();
    bundle
}

/// The error message on reading a bundle that was changed without validation.
fn message(change: impl FnOnce(&mut Bundle)) -> String {
    let mut bundle = bundle();
    change(&mut bundle);
    let header = serde_json::to_string(&bundle.header).unwrap();
    let tensors = bundle.tensors.iter().map(|(name, tensor)| {
        (
            name.clone(),
            tensor.shape.as_slice(),
            tensor.data.as_slice(),
            tensor.storage,
        )
    });
    let bytes = tensor_file::write("x", tensors, ("dnd", header)).unwrap();
    let message = Bundle::read(&bytes, "some.dnd").unwrap_err().to_string();
    assert!(message.starts_with("some.dnd: "), "{message}");
    assert!(bundle.write().is_err());
    message
}

#[test]
fn tasks_come_back_with_their_embeddings() {
    let tasks = vec![
        ("antonym".to_owned(), vec![0.6, 0.8]),
        ("rhyme".to_owned(), vec![1.0, 0.0]),
    ];
    let mut bundle = bundle();
    assert!(bundle.task_embeddings().is_empty());
    bundle
        .set_task_embeddings(tasks.clone(), Precision::F32)
        .unwrap();
    let bytes = bundle.write().unwrap();
    assert_eq!(Bundle::read(&bytes, "x").unwrap().task_embeddings(), tasks);
}

#[test]
fn tasks_and_embeddings_agree_in_number() {
    let text = message(|bundle| bundle.header.tasks = vec!["antonym".to_owned()]);
    assert!(
        text.contains(TASKS) && text.contains("found nothing"),
        "{text}"
    );
    let uneven = vec![
        ("a".to_owned(), vec![1.0]),
        ("b".to_owned(), vec![0.6, 0.8]),
    ];
    assert!(
        bundle()
            .set_task_embeddings(uneven, Precision::F32)
            .is_err()
    );
}

#[test]
fn reads_what_it_writes() {
    let bundle = bundle();
    let bytes = bundle.write().unwrap();
    assert_eq!(bundle.write().unwrap(), bytes);
    let read = Bundle::read(&bytes, "some.dnd").unwrap();
    assert_eq!(read, bundle);
    let statistics = read.statistics().unwrap();
    assert_eq!(
        statistics.mean,
        tokens::from_adapter(&tiny_adapter()).unwrap()
    );
    assert!(statistics.scale.iter().all(|&scale| scale == 1.0));
}

#[test]
fn truncated_bundles_are_refused() {
    let bytes = bundle().write().unwrap();
    for length in (0..bytes.len()).step_by(7) {
        assert!(Bundle::read(&bytes[..length], "some.dnd").is_err());
    }
}

#[test]
fn noise_is_refused() {
    let mut bytes = bundle().write().unwrap();
    for (index, number) in numbers(2_000, 5).into_iter().enumerate() {
        let position = (number.abs() * 1e6) as usize % bytes.len();
        let before = bytes[position];
        bytes[position] = before.wrapping_add(index as u8 | 1);
        let _ = Bundle::read(&bytes, "some.dnd");
        bytes[position] = before;
    }
}

#[test]
fn wrong_bundles_are_refused_with_file_and_field() {
    assert!(message(|bundle| bundle.header.format = 2).contains("format: expected 1, found 2"));
    assert!(message(|bundle| bundle.header.prompts = 0).contains("prompts"));
    assert!(message(|bundle| drop(bundle.tensors.remove(SCALE))).contains(SCALE));
    let wrong = message(|bundle| {
        bundle.tensors.get_mut(MEAN).unwrap().shape.reverse();
    });
    assert!(wrong.contains(MEAN) && wrong.contains("shape"), "{wrong}");
    let wrong = message(|bundle| bundle.tensors.get_mut(SCALE).unwrap().data[3] = 0.0);
    assert!(wrong.contains("positive"), "{wrong}");
    message(|bundle| bundle.header.layout.modules.swap(0, 1));
    message(|bundle| bundle.header.layout.modules[0].in_features = 1 << 23);
}

#[test]
fn other_files_are_refused() {
    let none = std::iter::empty();
    let bytes = tensor_file::write("x", none, ("format", "pt".to_owned())).unwrap();
    let message = Bundle::read(&bytes, "adapter.safetensors")
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("adapter.safetensors: metadata"),
        "{message}"
    );
    let none = std::iter::empty();
    let bytes = tensor_file::write("x", none, ("dnd", r#"{"format": 9}"#.to_owned())).unwrap();
    let message = Bundle::read(&bytes, "x").unwrap_err().to_string();
    assert!(message.contains("format: expected 1, found 9"), "{message}");
}

#[test]
fn statistics_of_another_layout_are_refused() {
    let statistics = Statistics {
        mean: vec![0.0; 4],
        scale: vec![1.0; 2],
    };
    assert!(
        bundle()
            .set_statistics(&statistics, Precision::F16)
            .is_err()
    );
}

#[test]
fn lengths_that_disagree_with_the_shape_are_not_written() {
    let mut bundle = bundle();
    bundle
        .tensors
        .get_mut("generator.weight")
        .unwrap()
        .data
        .pop();
    assert!(bundle.write().is_err());
}
