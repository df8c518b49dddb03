//! A fitted generator as a bundle.

use dnd_adapter::{
    Adapter, Bundle, BundleHeader, EncoderId, Precision, Statistics, Storage, bundle, tokens,
};
use serde_json::json;

use super::curve::BehaviourPoint;
use super::data::BehaviourData;
use super::learner::Learner;
use super::plan::Plan;
use crate::Error;

/// The bundle of the weights as they are at `point` of the curve.
///
/// # Errors
/// When values cannot be read back from the device, or are too large for f16.
pub fn pack(
    learner: &Learner,
    plan: &Plan,
    data: &BehaviourData,
    encoder: &EncoderId,
    point: &BehaviourPoint,
) -> Result<Bundle, Error> {
    let ships = plan.choice.all_ship() && plan.beginning.ships;
    let mut provenance = plan.inputs();
    for (key, value) in [
        (
            "made_by",
            json!(format!("dnd {}", env!("CARGO_PKG_VERSION"))),
        ),
        ("all_tasks_ship", json!(ships)),
        ("step", json!(point.step)),
        ("loss", json!(point.loss)),
        ("mean_loss", json!(point.mean_loss)),
        ("generated_loss", json!(point.generated_loss)),
        ("shuffled_loss", json!(point.shuffled_loss)),
    ] {
        provenance.insert(key.to_owned(), value);
    }
    let generator = &plan.recipe.generator;
    let header = BundleHeader {
        format: bundle::FORMAT,
        generator: serde_json::to_value(&plan.config)
            .map_err(|e| Error::argument("generator", "a JSON value", e))?,
        layout: plan.layout.clone(),
        encoder: encoder.clone(),
        prompts: generator.prompts,
        tokens_per_prompt: generator.tokens_per_prompt,
        tasks: Vec::new(),
        provenance: provenance.into(),
    };
    let mut bundle = Bundle {
        header,
        tensors: learner.generator.to_tensors(Precision::F16)?,
    };
    let statistics = Statistics {
        mean: learner.mean.to_vec()?,
        scale: plan.beginning.scale.clone(),
    };
    bundle.set_statistics(&statistics, Storage::Int8)?;
    bundle.set_task_embeddings(data.task_embeddings(), Precision::F16)?;
    Ok(bundle)
}

/// A bundle's mean adapter: what it generates where its prompts say nothing. After a fit without a
/// generator this is the adapter of all tasks.
///
/// # Errors
/// When the bundle's statistics are missing or do not fit its layout.
pub fn mean_adapter(bundle: &Bundle) -> Result<Adapter, Error> {
    let statistics = bundle.statistics()?;
    Ok(tokens::join(&bundle.header.layout, &statistics.mean)?)
}
