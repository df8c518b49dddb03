//! LoRA adapters as GGUF files, which llama.cpp and Ollama load beside their base model.
//!
//! Follows llama.cpp's `convert_lora_to_gguf.py`, which writes them, and
//! `llama_adapter_lora_init_impl` of `llama-adapter.cpp`, which reads them: one alpha for all
//! modules, and the scaling alpha / rank.

use super::{Gguf, GgufError, GgufWriter, permute_rows, unpermute_rows};
use crate::adapter::{Adapter, Factors};
use crate::dimensions::BaseDimensions;
use crate::error::Error;
use crate::gguf::BlockType;
use crate::layout::{Layout, Module};
use crate::precision::Precision;
use crate::projection::Projection;

/// File name of an adapter.
pub const FILE: &str = "adapter.gguf";
/// Metadata keys that an adapter has and a model has not.
const TYPE: &str = "general.type";
const KIND: &str = "adapter.type";
const ALPHA: &str = "adapter.lora.alpha";
const BASE_COUNT: &str = "general.base_model.count";
const BASE_NAME: &str = "general.base_model.0.name";
const ARCHITECTURE: &str = "general.architecture";
/// Suffixes of the factors' names.
const FACTOR_A: &str = ".lora_a";
const FACTOR_B: &str = ".lora_b";

/// Writes an adapter for a base model of these dimensions. The output is deterministic.
///
/// # Errors
/// [`Error::Field`] when a module does not fit the base model, [`Error::Tensor`] when a factor has
/// the wrong length, or a value that is not finite or too large for the precision.
pub fn write(
    adapter: &Adapter,
    base: &BaseDimensions,
    precision: Precision,
) -> Result<Vec<u8>, Error> {
    adapter.validate()?;
    let layout = &adapter.layout;
    check_base(layout, base)?;
    // llama.cpp divides by the rank; here that of rank-stabilized LoRA is folded in.
    let alpha = |module: &Module| module.scaling(layout.use_rslora) * module.rank as f32;
    let common = layout.modules.iter().map(alpha).find(|&alpha| alpha != 0.0);
    let common = common.unwrap_or_default();
    let (block_type, file_type) = match precision {
        Precision::F32 => (BlockType::F32, 0),
        Precision::F16 => (BlockType::F16, 1),
        Precision::Bf16 => (BlockType::BF16, 32),
    };
    let mut file = GgufWriter::default();
    file.string(ARCHITECTURE, &base.architecture);
    file.string(TYPE, "adapter");
    file.unsigned("general.file_type", file_type);
    file.unsigned(BASE_COUNT, 1);
    file.string(BASE_NAME, &layout.base_model);
    file.string(KIND, "lora");
    file.float(ALPHA, common);
    for (module, factors) in layout.modules.iter().zip(&adapter.factors) {
        let mut b = factors.b.clone();
        let own = alpha(module);
        if own != common {
            let ratio = own / common;
            b.iter_mut().for_each(|value| *value *= ratio);
        }
        if let Some(heads) = interleaved_heads(module, base) {
            b = permute_rows(&b, module.out_features, module.rank, heads).ok_or_else(|| {
                let expected = format!("rows for heads of {}", base.head_dim);
                Error::tensor(FILE, module.path(), expected, module.out_features)
            })?;
        }
        let name = tensor_name(module);
        for (suffix, shape, values) in [
            (FACTOR_A, [module.rank, module.in_features], &factors.a),
            (FACTOR_B, [module.out_features, module.rank], &b),
        ] {
            let name = format!("{name}{suffix}");
            let encoded = precision.encode(values);
            let is_finite = |value: &f32| value.is_finite();
            if !precision.decode(&encoded).iter().all(is_finite) {
                let expected = format!("finite values in the range of {precision}");
                return Err(Error::tensor(FILE, name, expected, "others"));
            }
            file.tensor(&name, &shape, block_type, &encoded);
        }
    }
    Ok(file.finish())
}

/// Reads an adapter for a base model of these dimensions.
///
/// # Errors
/// When the file is damaged, is not a LoRA adapter of that architecture, or has tensors beside
/// those of the seven projections.
pub fn read(bytes: &[u8], source_name: &str, base: &BaseDimensions) -> Result<Adapter, Error> {
    let file = Gguf::parse(bytes, source_name)?;
    for (key, expected) in [
        (TYPE, "adapter"),
        (KIND, "lora"),
        (ARCHITECTURE, base.architecture.as_str()),
    ] {
        let found = file.string(key)?;
        if found != expected {
            return Err(Error::field(source_name, key, expected, found));
        }
    }
    let alpha = file.float(ALPHA)? as f32;
    let base_model = match file.metadata().get(BASE_NAME) {
        Some(_) => file.string(BASE_NAME)?.to_owned(),
        None => String::new(),
    };
    let mut layout = Layout {
        base_model,
        use_rslora: false,
        modules: Vec::new(),
    };
    let mut factors = Vec::new();
    for layer in 0..base.num_layers {
        for projection in Projection::ALL {
            let (in_features, out_features) = base.projection_shape(projection);
            let mut module = Module {
                layer,
                projection,
                in_features,
                out_features,
                rank: 0,
                alpha,
            };
            let name = |suffix: &str| format!("{}{suffix}", tensor_name(&module));
            let [of_a, of_b] = [name(FACTOR_A), name(FACTOR_B)];
            let (Ok(a), b) = (file.tensor(&of_a), file.tensor(&of_b)) else {
                continue;
            };
            let rank = a.shape.first().copied().unwrap_or_default();
            for (tensor, expected) in [(a, [rank, in_features]), (b?, [out_features, rank])] {
                if tensor.shape != expected {
                    let expected = format!("shape {expected:?}");
                    let found = format!("shape {:?}", tensor.shape);
                    return Err(Error::tensor(source_name, &tensor.name, expected, found));
                }
            }
            module.rank = rank;
            let mut b = file.dequantize(&of_b)?;
            if let Some(heads) = interleaved_heads(&module, base) {
                b = unpermute_rows(&b, out_features, rank, heads).unwrap_or(b);
            }
            let a = file.dequantize(&of_a)?;
            factors.push(Factors { a, b });
            layout.modules.push(module);
        }
    }
    let (found, read) = (file.tensors().len(), 2 * factors.len());
    if found != read {
        let expected = "factors of the seven projections alone, two a module";
        let found = format!("{found} tensors, {read} of them such factors");
        return Err(Error::field(source_name, "tensors", expected, found));
    }
    layout.validate(source_name)?;
    Adapter::new(layout, factors)
}

/// Whether these bytes are a GGUF file with an adapter instead of a model.
///
/// # Errors
/// When the header is damaged.
pub fn is_adapter(bytes: &[u8], source_name: &str) -> Result<bool, GgufError> {
    let file = Gguf::parse(bytes, source_name)?;
    let kind = file.metadata().get(TYPE).and_then(super::Value::as_str);
    Ok(kind == Some("adapter"))
}

/// Name of a module's weight in GGUF files, such as `blk.0.attn_q.weight`.
pub fn tensor_name(module: &Module) -> String {
    let projection = match module.projection {
        Projection::Query => "attn_q",
        Projection::Key => "attn_k",
        Projection::Value => "attn_v",
        Projection::Output => "attn_output",
        Projection::Gate => "ffn_gate",
        Projection::Up => "ffn_up",
        Projection::Down => "ffn_down",
    };
    format!("blk.{}.{projection}.weight", module.layer)
}

/// Heads of a module whose output rows GGUF files interleave: queries and keys of the Llama
/// family.
pub(super) fn interleaved_heads(module: &Module, base: &BaseDimensions) -> Option<usize> {
    let is_rotated = matches!(module.projection, Projection::Query | Projection::Key);
    (is_rotated && base.architecture == "llama").then(|| module.out_features / base.head_dim)
}

/// Checks that the base model has all modules, in these sizes.
pub(super) fn check_base(layout: &Layout, base: &BaseDimensions) -> Result<(), Error> {
    for module in &layout.modules {
        let expected = base.projection_shape(module.projection);
        let found = (module.in_features, module.out_features);
        if module.layer >= base.num_layers || found != expected {
            let expected = format!("{} layers, sizes {expected:?}", base.num_layers);
            let found = format!("layer {}, sizes {found:?}", module.layer);
            return Err(Error::field("adapter", module.path(), expected, found));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_data::{adapter, tiny, tiny_adapter};

    /// The same sizes as [`tiny`], of the family whose rows are interleaved.
    fn llama() -> BaseDimensions {
        BaseDimensions {
            architecture: "llama".to_owned(),
            ..tiny()
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        for base in [tiny(), llama()] {
            let adapter = tiny_adapter();
            let bytes = write(&adapter, &base, Precision::F32).unwrap();
            assert_eq!(read(&bytes, FILE, &base).unwrap(), adapter);
            assert!(is_adapter(&bytes, FILE).unwrap());
        }
    }

    #[test]
    fn names_shapes_and_metadata_are_those_of_llama_cpp() {
        let bytes = write(&tiny_adapter(), &llama(), Precision::F16).unwrap();
        let file = Gguf::parse(&bytes, FILE).unwrap();
        assert_eq!(file.string("general.architecture").unwrap(), "llama");
        assert_eq!(file.string("general.type").unwrap(), "adapter");
        assert_eq!(file.string("adapter.type").unwrap(), "lora");
        assert_eq!(file.float("adapter.lora.alpha").unwrap(), 8.0);
        let tensor = file.tensor("blk.1.ffn_down.weight.lora_b").unwrap();
        assert_eq!(tensor.shape, [16, 4]);
        assert_eq!(tensor.block_type(), Some(BlockType::F16));
        assert_eq!(file.tensors().len(), 2 * 2 * 7);
    }

    /// Row 1 of llama.cpp's order is the first of a head's second half.
    #[test]
    fn rows_of_queries_are_interleaved() {
        let adapter = tiny_adapter();
        let bytes = write(&adapter, &llama(), Precision::F32).unwrap();
        let file = Gguf::parse(&bytes, FILE).unwrap();
        let stored = file.dequantize("blk.0.attn_q.weight.lora_b").unwrap();
        let (rank, half) = (4, 8 / 2);
        let b = &adapter.factors[0].b;
        assert_eq!(stored[rank..2 * rank], b[half * rank..][..rank]);
        let stored = file.dequantize("blk.0.attn_v.weight.lora_b").unwrap();
        assert_eq!(stored, adapter.factors[2].b);
    }

    /// One alpha for all: what differs goes into B.
    #[test]
    fn other_scalings_are_folded_in() {
        let mut layout = tiny_adapter().layout;
        layout.modules[0].alpha = 0.0;
        layout.modules[3].alpha = 2.0;
        for use_rslora in [false, true] {
            layout.use_rslora = use_rslora;
            let adapter = adapter(layout.clone(), 3);
            let bytes = write(&adapter, &tiny(), Precision::F32).unwrap();
            let read = read(&bytes, FILE, &tiny()).unwrap();
            for index in 0..layout.modules.len() {
                let (written, read) = (adapter.update_norm(index), read.update_norm(index));
                assert!((written - read).abs() <= 1e-5 * written, "{written} {read}");
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let narrow = BaseDimensions {
            hidden_size: 8,
            ..tiny()
        };
        let message = write(&tiny_adapter(), &narrow, Precision::F16).unwrap_err();
        assert!(message.to_string().contains("q_proj"), "{message}");
        let mut large = tiny_adapter();
        large.factors[0].a[0] = 1e6;
        let message = write(&large, &tiny(), Precision::F16).unwrap_err();
        assert!(message.to_string().contains("attn_q"), "{message}");
        let bytes = write(&tiny_adapter(), &tiny(), Precision::F16).unwrap();
        let message = read(&bytes, FILE, &llama()).unwrap_err().to_string();
        assert!(message.contains("qwen2"), "{message}");
        let message = read(&bytes, FILE, &narrow).unwrap_err().to_string();
        assert!(message.contains("shape"), "{message}");
    }
}
