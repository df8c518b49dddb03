//! A base model and an adapter as one GGUF file, for programs that load no adapters.

use half::f16;

use super::{BlockType, Gguf, GgufWriter, lora, permute_rows};
use crate::adapter::Adapter;
use crate::dimensions::BaseDimensions;
use crate::error::Error;

/// Key of the number that says how most tensors are packed; optional, so it is left out.
const FILE_TYPE: &str = "general.file_type";
/// Key of the model's name.
const NAME: &str = "general.name";
/// Values of a block of Q8_0.
const BLOCK: usize = 32;

/// How adapted weights are stored; others stay as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MergedType {
    /// 32 values of 8 bits with one scale.
    Q8_0,
    /// 16-bit floats.
    F16,
}

/// Adds the adapter's `scaling B A` to the weights of `base` and returns the new GGUF file.
///
/// # Errors
/// When the adapter does not fit the base model, a weight cannot be read, or a sum is too large
/// for its type.
pub fn merge(base: &Gguf, adapter: &Adapter, stored: MergedType) -> Result<Vec<u8>, Error> {
    adapter.validate()?;
    let dimensions = BaseDimensions::from_gguf(base)?;
    let layout = &adapter.layout;
    lora::check_base(layout, &dimensions)?;
    let mut file = GgufWriter::default();
    let name = base.metadata().get(NAME).and_then(super::Value::as_str);
    for (key, entry) in base.entries() {
        match (*key, name) {
            (NAME, Some(name)) => file.string(NAME, &format!("{name} with an adapter")),
            // The writer aligns to the default.
            (FILE_TYPE | "general.alignment", _) => {}
            _ => file.copied(entry),
        }
    }
    let names: Vec<String> = layout.modules.iter().map(lora::tensor_name).collect();
    for tensor in base.tensors() {
        let Some(index) = names.iter().position(|name| *name == tensor.name) else {
            let block_type = tensor.block_type().ok_or_else(|| {
                let expected = "a supported type";
                Error::tensor(base.source(), &tensor.name, expected, tensor.type_name())
            })?;
            file.tensor(&tensor.name, &tensor.shape, block_type, base.bytes(tensor)?);
            continue;
        };
        let module = &layout.modules[index];
        let factors = &adapter.factors[index];
        let (rows, columns, rank) = (module.out_features, module.in_features, module.rank);
        if tensor.shape != [rows, columns] {
            let expected = format!("shape {:?}", [rows, columns]);
            let found = format!("shape {:?}", tensor.shape);
            return Err(Error::tensor(base.source(), &tensor.name, expected, found));
        }
        let b = match lora::interleaved_heads(module, &dimensions) {
            None => None,
            Some(heads) => permute_rows(&factors.b, rows, rank, heads),
        };
        let b = b.as_ref().unwrap_or(&factors.b);
        let scaling = module.scaling(layout.use_rslora);
        let mut weight = base.dequantize(&tensor.name)?;
        for (row, b) in weight.chunks_exact_mut(columns).zip(b.chunks_exact(rank)) {
            for (b, a) in b.iter().zip(factors.a.chunks_exact(columns)) {
                let factor = scaling * b;
                for (value, a) in row.iter_mut().zip(a) {
                    *value += factor * a;
                }
            }
        }
        let largest = weight
            .iter()
            .fold(0.0_f32, |most, value| most.max(value.abs()));
        if !f16::from_f32(largest).is_finite() {
            let expected = "sums in the range of f16";
            return Err(Error::tensor(
                base.source(),
                &tensor.name,
                expected,
                largest,
            ));
        }
        // Rows of other lengths do not split into blocks.
        let (block_type, bytes) = if stored == MergedType::Q8_0 && columns.is_multiple_of(BLOCK) {
            (BlockType::Q8_0, quantize(&weight))
        } else {
            let halves = weight
                .iter()
                .flat_map(|&value| f16::from_f32(value).to_le_bytes());
            (BlockType::F16, halves.collect())
        };
        file.tensor(&tensor.name, &tensor.shape, block_type, &bytes);
    }
    if let Some(missing) = names.iter().find(|name| base.tensor(name).is_err()) {
        let expected = "a tensor of this name";
        return Err(Error::tensor(base.source(), missing, expected, "none"));
    }
    Ok(file.finish())
}

/// Packs values as Q8_0, as `quantize_row_q8_0_ref` of ggml does.
fn quantize(values: &[f32]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(values.len() / BLOCK * (BLOCK + 2));
    for block in values.chunks_exact(BLOCK) {
        let largest = block
            .iter()
            .fold(0.0_f32, |most, value| most.max(value.abs()));
        let scale = largest / 127.0;
        let inverse = if scale == 0.0 { 0.0 } else { 1.0 / scale };
        bytes.extend(f16::from_f32(scale).to_le_bytes());
        let integers = block.iter().map(|value| (value * inverse).round() as i8);
        bytes.extend(integers.map(|integer| integer as u8));
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gguf::Value;
    use crate::test_data::{adapter, numbers};
    use crate::{Layout, Projection};

    const FILE: &str = "base.gguf";

    fn dimensions() -> BaseDimensions {
        BaseDimensions {
            architecture: "llama".to_owned(),
            num_layers: 1,
            hidden_size: 64,
            intermediate_size: 96,
            num_attention_heads: 2,
            num_key_value_heads: 1,
            head_dim: 32,
        }
    }

    /// A model of one layer, its weights in f32.
    fn base(layout: &Layout) -> Vec<u8> {
        let mut file = GgufWriter::default();
        file.string("general.architecture", "llama");
        file.unsigned(FILE_TYPE, 0);
        for (name, value) in [
            ("block_count", 1),
            ("embedding_length", 64),
            ("feed_forward_length", 96),
            ("attention.head_count", 2),
            ("attention.head_count_kv", 1),
        ] {
            file.unsigned(&format!("llama.{name}"), value);
        }
        let norm: Vec<u8> = numbers(64, 1)
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect();
        file.tensor("output_norm.weight", &[64], BlockType::F32, &norm);
        for (seed, module) in layout.modules.iter().enumerate() {
            let shape = [module.out_features, module.in_features];
            let values = numbers(shape[0] * shape[1], seed as u64);
            let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
            file.tensor(&lora::tensor_name(module), &shape, BlockType::F32, &bytes);
        }
        file.finish()
    }

    /// Against the sum in the order of Hugging Face.
    #[test]
    fn weights_are_the_sums() {
        let layout = Layout::new("base", &dimensions(), 4, 8.0, &Projection::ALL).unwrap();
        let adapter = adapter(layout.clone(), 5);
        let bytes = base(&layout);
        let before = Gguf::parse(&bytes, FILE).unwrap();
        for (stored, tolerance) in [(MergedType::F16, 0.01), (MergedType::Q8_0, 0.05)] {
            let merged = merge(&before, &adapter, stored).unwrap();
            let after = Gguf::parse(&merged, FILE).unwrap();
            assert_eq!(after.tensors().len(), before.tensors().len());
            assert!(!after.metadata().contains_key(FILE_TYPE));
            let heads = after.metadata().get("llama.attention.head_count");
            assert_eq!(heads, Some(&Value::Unsigned(2)));
            let norm = "output_norm.weight";
            assert_eq!(
                after.dequantize(norm).unwrap(),
                before.dequantize(norm).unwrap()
            );
            for (module, factors) in layout.modules.iter().zip(&adapter.factors) {
                let name = lora::tensor_name(module);
                let read = |file: &Gguf| match module.projection {
                    Projection::Query => file.dequantize_unpermuted(&name, 2).unwrap(),
                    Projection::Key => file.dequantize_unpermuted(&name, 1).unwrap(),
                    _ => file.dequantize(&name).unwrap(),
                };
                let (old, new) = (read(&before), read(&after));
                for (place, (old, new)) in old.iter().zip(&new).enumerate() {
                    let (row, column) = (place / module.in_features, place % module.in_features);
                    let product: f32 = (0..4)
                        .map(|r| {
                            factors.b[row * 4 + r] * factors.a[r * module.in_features + column]
                        })
                        .sum();
                    let expected = old + 2.0 * product;
                    assert!(
                        (new - expected).abs() < tolerance,
                        "{name} {new} {expected}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let layout = Layout::new("base", &dimensions(), 4, 8.0, &Projection::ALL).unwrap();
        let bytes = base(&layout);
        let file = Gguf::parse(&bytes, FILE).unwrap();
        let mut large = adapter(layout.clone(), 5);
        large.factors[2].b.fill(1e6);
        let message = merge(&file, &large, MergedType::F16).unwrap_err();
        assert!(message.to_string().contains("attn_v"), "{message}");
        let other = BaseDimensions {
            num_layers: 2,
            ..dimensions()
        };
        let other = Layout::new("base", &other, 4, 8.0, &Projection::ALL).unwrap();
        let message = merge(&file, &adapter(other, 5), MergedType::F16).unwrap_err();
        assert!(message.to_string().contains("1 layers"), "{message}");
    }

    #[test]
    fn blocks_are_those_of_ggml() {
        let values: Vec<f32> = (0..32).map(|value| value as f32 - 16.0).collect();
        let bytes = quantize(&values);
        assert_eq!(bytes.len(), 34);
        let scale = f16::from_le_bytes([bytes[0], bytes[1]]);
        assert_eq!(scale, f16::from_f32(16.0 / 127.0));
        assert_eq!(bytes[2] as i8, -127);
        assert_eq!(bytes[2 + 16] as i8, 0);
        assert_eq!(bytes[2 + 24] as i8, 64);
        assert_eq!(quantize(&[0.0; 32]), [0; 34]);
    }
}
