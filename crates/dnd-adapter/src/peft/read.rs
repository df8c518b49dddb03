//! Reads PEFT files.

use std::collections::BTreeMap;

use super::config::Config;
use super::{Factor, PREFIX};
use crate::adapter::{Adapter, Factors};
use crate::error::Error;
use crate::layout::{Layout, Module};
use crate::projection::Projection;
use crate::tensor_file::{StoredTensor, TensorFile};

/// Reads an adapter that PEFT saved: `config_json` is `adapter_config.json`, `model` is
/// `adapter_model.safetensors` in f32, f16 or bf16. `config_source` and `model_source` name
/// them in errors.
///
/// The tensors determine the covered modules and their shapes, the configuration determines
/// rank and alpha.
///
/// Fails when a file is damaged, when the adapter is not plain LoRA on the seven projections of
/// a Llama or Qwen2 model, when a factor is missing, or when a shape does not match the rank.
pub fn read(
    config_json: &[u8],
    config_source: &str,
    model: &[u8],
    model_source: &str,
) -> Result<Adapter, Error> {
    let config = Config::read(config_json, config_source)?;
    let file = TensorFile::new(model, model_source)?;
    let mut found: BTreeMap<(usize, Projection), Pair> = BTreeMap::new();
    for name in file.names() {
        let (layer, projection, factor) = parse_name(&name).ok_or_else(|| {
            let expected =
                "a name like base_model.model.model.layers.N.self_attn.q_proj.lora_A.weight";
            Error::tensor(model_source, &name, expected, "an unknown name")
        })?;
        let tensor = file.tensor(&name)?;
        let pair = found.entry((layer, projection)).or_default();
        let place = match factor {
            Factor::A => &mut pair.a,
            Factor::B => &mut pair.b,
        };
        if place.replace(tensor).is_some() {
            let expected = "each factor once";
            return Err(Error::tensor(model_source, &name, expected, "a second one"));
        }
    }
    let mut modules = Vec::with_capacity(found.len());
    let mut factors = Vec::with_capacity(found.len());
    for ((layer, projection), pair) in found {
        // Sizes are set below; the path does not depend on them.
        let mut module = Module {
            layer,
            projection,
            in_features: 0,
            out_features: 0,
            rank: 0,
            alpha: 0.0,
        };
        let path = module.path();
        module.rank = config.rank(&path);
        module.alpha = config.alpha(&path);
        let name = |factor: Factor| format!("{PREFIX}{path}{}", factor.suffix());
        let missing =
            |factor| Error::tensor(model_source, name(factor), "a tensor of this name", "none");
        let a = pair.a.ok_or_else(|| missing(Factor::A))?;
        let b = pair.b.ok_or_else(|| missing(Factor::B))?;
        let disagrees = |factor, expected: String, tensor: &StoredTensor| {
            let found = format!("shape {:?}", tensor.shape);
            Error::tensor(model_source, name(factor), expected, found)
        };
        let rank = module.rank;
        module.in_features = match a.shape[..] {
            [rows, columns] if rows == rank => columns,
            _ => return Err(disagrees(Factor::A, format!("shape [r = {rank}, in]"), &a)),
        };
        module.out_features = match b.shape[..] {
            [rows, columns] if columns == rank => rows,
            _ => return Err(disagrees(Factor::B, format!("shape [out, r = {rank}]"), &b)),
        };
        modules.push(module);
        factors.push(Factors {
            a: a.data,
            b: b.data,
        });
    }
    let layout = Layout {
        base_model: config.base_model,
        use_rslora: config.use_rslora,
        modules,
    };
    layout.validate(model_source)?;
    Adapter::new(layout, factors)
}

/// The factors of a module found so far.
#[derive(Default)]
struct Pair {
    a: Option<StoredTensor>,
    b: Option<StoredTensor>,
}

/// Parses `base_model.model.model.layers.{layer}.{block}.{projection}.lora_{A,B}.weight`. The
/// adapter's name may stand before `weight`, as in a model's `state_dict()`.
fn parse_name(name: &str) -> Option<(usize, Projection, Factor)> {
    let rest = name.strip_prefix(PREFIX)?;
    let (path, factor) = [Factor::A, Factor::B].into_iter().find_map(|factor| {
        let (marked, weight) = factor.suffix().rsplit_once('.')?;
        let (path, rest) = rest.split_once(&format!("{marked}."))?;
        let name = rest.strip_suffix(weight)?;
        let is_name = name.is_empty() || name.ends_with('.') && name.len() > 1;
        (is_name && name.matches('.').count() <= 1).then_some((path, factor))
    })?;
    let mut parts = path.strip_prefix("model.layers.")?.split('.');
    let (layer, block, projection) = (parts.next()?, parts.next()?, parts.next()?);
    let projection: Projection = projection.parse().ok()?;
    // Reject `01` and `+1`: two tensors must not name the same factor.
    let number: usize = layer.parse().ok()?;
    let canonical = layer == number.to_string() && block == projection.block();
    (canonical && parts.next().is_none()).then_some((number, projection, factor))
}
