use super::*;
use crate::test_data::{smollm2, with_source};

const CONFIG: &str = r#"{
    "model_type": "llama", "num_hidden_layers": 30, "hidden_size": 576, "intermediate_size": 1536,
    "num_attention_heads": 9, "num_key_value_heads": 3, "vocab_size": 49152
}"#;

/// A GGUF file (version 3) with the architecture and some 32-bit numbers.
fn gguf_bytes(architecture: &str, numbers: &[(&str, u32)]) -> Vec<u8> {
    fn push_text(bytes: &mut Vec<u8>, text: &str) {
        bytes.extend((text.len() as u64).to_le_bytes());
        bytes.extend(text.as_bytes());
    }
    let mut bytes = b"GGUF".to_vec();
    bytes.extend(3_u32.to_le_bytes());
    bytes.extend(0_u64.to_le_bytes());
    bytes.extend((numbers.len() as u64 + 1).to_le_bytes());
    push_text(&mut bytes, "general.architecture");
    bytes.extend(8_u32.to_le_bytes());
    push_text(&mut bytes, architecture);
    for (name, number) in numbers {
        push_text(&mut bytes, &format!("{architecture}.{name}"));
        bytes.extend(4_u32.to_le_bytes());
        bytes.extend(number.to_le_bytes());
    }
    bytes
}

const GGUF_SIZES: [(&str, u32); 5] = [
    ("block_count", 30),
    ("embedding_length", 576),
    ("feed_forward_length", 1536),
    ("attention.head_count", 9),
    ("attention.head_count_kv", 3),
];

#[test]
fn config_gives_sizes_and_shapes() {
    let dimensions = BaseDimensions::from_config_json(CONFIG, "config.json").unwrap();
    assert_eq!(dimensions, smollm2());
    assert_eq!(dimensions.projection_shape(Projection::Query), (576, 576));
    assert_eq!(dimensions.projection_shape(Projection::Value), (576, 192));
    assert_eq!(dimensions.projection_shape(Projection::Up), (576, 1536));
    assert_eq!(dimensions.projection_shape(Projection::Down), (1536, 576));
}

#[test]
fn head_dimension_may_differ_from_hidden_size_by_heads() {
    let text = CONFIG.replace("\"vocab_size\"", "\"head_dim\": 32, \"vocab_size\"");
    let dimensions = BaseDimensions::from_config_json(&text, "config.json").unwrap();
    assert_eq!(dimensions.projection_shape(Projection::Query), (576, 288));
    assert_eq!(dimensions.projection_shape(Projection::Output), (288, 576));
}

#[test]
fn optional_sizes_have_defaults() {
    let text = CONFIG.replace("\"num_key_value_heads\": 3", "\"head_dim\": null");
    let dimensions = BaseDimensions::from_config_json(&text, "config.json").unwrap();
    assert_eq!(
        (dimensions.num_key_value_heads, dimensions.head_dim),
        (9, 64)
    );
}

#[test]
fn wrong_configs_are_refused_with_file_and_field() {
    for (from, to, words) in [
        ("\"llama\"", "\"gpt2\"", "model_type"),
        ("\"hidden_size\": 576,", "", "hidden_size"),
        ("576", "575", "hidden size"),
        ("576", "0", "hidden size"),
        ("576", "1000000000000", "hidden size"),
        (
            "\"num_hidden_layers\": 30",
            "\"num_hidden_layers\": 4000000",
            "layers",
        ),
        (
            "\"num_key_value_heads\": 3",
            "\"num_key_value_heads\": 4",
            "key and value heads",
        ),
        ("}", "", "EOF"),
    ] {
        let text = CONFIG.replace(from, to);
        let error = BaseDimensions::from_config_json(&text, "some/config.json").unwrap_err();
        let message = with_source(&error);
        assert!(
            message.contains(words) && message.contains("some/config.json"),
            "{message}"
        );
    }
}

#[test]
fn gguf_gives_the_same_as_config() {
    let bytes = gguf_bytes("llama", &GGUF_SIZES);
    let gguf = Gguf::parse(&bytes, "model.gguf").unwrap();
    assert_eq!(BaseDimensions::from_gguf(&gguf).unwrap(), smollm2());

    let mut sizes = GGUF_SIZES.to_vec();
    sizes.push(("attention.key_length", 32));
    let bytes = gguf_bytes("qwen2", &sizes);
    let gguf = Gguf::parse(&bytes, "model.gguf").unwrap();
    assert_eq!(BaseDimensions::from_gguf(&gguf).unwrap().head_dim, 32);
}

#[test]
fn gguf_of_another_architecture_or_without_a_size_is_refused() {
    for (architecture, sizes) in [("gemma", &GGUF_SIZES[..]), ("llama", &GGUF_SIZES[1..])] {
        let bytes = gguf_bytes(architecture, sizes);
        let gguf = Gguf::parse(&bytes, "model.gguf").unwrap();
        assert!(BaseDimensions::from_gguf(&gguf).is_err());
    }
}
