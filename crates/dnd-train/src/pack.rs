//! A trained generator as a bundle.

use dnd_adapter::{
    Adapter, BaseDimensions, Bundle, BundleHeader, EncoderId, Layout, Precision, Statistics,
    Storage, bundle, tokens,
};
use dnd_model::{Generator, GeneratorConfig};
use serde_json::{Map, Value, json};

use crate::Error;
use crate::curve::CurvePoint;
use crate::recipe::GeneratorRecipe;

/// What a bundle is made of.
pub(crate) struct Parts<'a> {
    pub(crate) generator: &'a Generator,
    pub(crate) config: &'a GeneratorConfig,
    pub(crate) recipe: &'a GeneratorRecipe,
    pub(crate) layout: &'a Layout,
    /// Where the base model is at hand.
    pub(crate) base: Option<&'a BaseDimensions>,
    pub(crate) encoder: &'a EncoderId,
    pub(crate) statistics: &'a Statistics,
    /// How the statistics are stored.
    pub(crate) storage: Storage,
    /// Name and mean prompt embedding of each training task.
    pub(crate) task_embeddings: Vec<(String, Vec<f32>)>,
    /// Whether weights trained on these tasks may be given away.
    pub(crate) ships: bool,
}

/// The bundle of the weights as they are at `point` of the curve; `provenance` gets its figures.
///
/// # Errors
/// When values cannot be read back from the device, or are too large for f16.
pub(crate) fn pack(
    parts: Parts,
    mut provenance: Map<String, Value>,
    point: &CurvePoint,
) -> Result<Bundle, Error> {
    for (key, value) in [
        (
            "made_by",
            json!(format!("dnd {}", env!("CARGO_PKG_VERSION"))),
        ),
        ("all_tasks_ship", json!(parts.ships)),
        ("step", json!(point.step)),
        ("loss", json!(point.loss)),
        ("mean_loss", json!(point.mean_loss)),
        ("generated_loss", json!(point.generated_loss)),
        ("shuffled_loss", json!(point.shuffled_loss)),
        ("bare_mean_loss", json!(point.bare_mean_loss)),
        ("bare_generated_loss", json!(point.bare_generated_loss)),
        ("bare_shuffled_loss", json!(point.bare_shuffled_loss)),
    ] {
        provenance.insert(key.to_owned(), value);
    }
    let header = BundleHeader {
        format: bundle::FORMAT,
        generator: serde_json::to_value(parts.config)
            .map_err(|e| Error::argument("generator", "a JSON value", e))?,
        layout: parts.layout.clone(),
        base: parts.base.cloned(),
        encoder: parts.encoder.clone(),
        prompts: parts.recipe.prompts,
        tokens_per_prompt: parts.recipe.tokens_per_prompt,
        tasks: Vec::new(),
        provenance: provenance.into(),
    };
    let mut bundle = Bundle {
        header,
        tensors: parts.generator.to_tensors(Precision::F16)?,
    };
    bundle.set_statistics(parts.statistics, parts.storage)?;
    bundle.set_task_embeddings(parts.task_embeddings, Precision::F16)?;
    Ok(bundle)
}

/// A bundle's mean adapter: the multi-task adapter that generated differences are added to.
///
/// # Errors
/// When the bundle's statistics are missing or do not fit its layout.
pub fn mean_adapter(bundle: &Bundle) -> Result<Adapter, Error> {
    let statistics = bundle.statistics()?;
    Ok(tokens::to_adapter(&bundle.header.layout, &statistics.mean)?)
}
