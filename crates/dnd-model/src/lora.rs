//! LoRA factors on a device. They are an argument of the base model's forward pass, never
//! merged.

use std::collections::HashMap;

use burn::tensor::{Device, Tensor, TensorData};
use dnd_adapter::{Adapter, Layout, Projection};

use crate::Error;

/// LoRA factors as tensors (Hu et al., arXiv 2106.09685). Gradients flow into tracked factors,
/// so they may be parameters or the output of a generator.
#[derive(Debug, Clone)]
pub struct Lora {
    factors: HashMap<(usize, Projection), LoraFactors>,
}

/// The factors of one module.
#[derive(Debug, Clone)]
pub struct LoraFactors {
    /// (rank, input).
    pub a: Tensor<2>,
    /// (output, rank).
    pub b: Tensor<2>,
    /// Scaling of the update: alpha / rank, or alpha / sqrt(rank) for rsLoRA.
    pub scaling: f32,
}

impl Lora {
    /// The adapter's factors as constants on `device`.
    pub fn from_adapter(adapter: &Adapter, device: &Device) -> Self {
        let tensors =
            adapter
                .layout
                .modules
                .iter()
                .zip(&adapter.factors)
                .map(|(module, factors)| {
                    let tensor = |values: &[f32], shape: [usize; 2]| {
                        Tensor::from_data(TensorData::new(values.to_vec(), shape), device)
                    };
                    (
                        tensor(&factors.a, [module.rank, module.in_features]),
                        tensor(&factors.b, [module.out_features, module.rank]),
                    )
                });
        Self::from_tensors(&adapter.layout, tensors)
    }

    /// Factors in the order of the layout's modules: A (rank, input) and B (output, rank).
    pub fn from_tensors(
        layout: &Layout,
        tensors: impl IntoIterator<Item = (Tensor<2>, Tensor<2>)>,
    ) -> Self {
        let factors = layout
            .modules
            .iter()
            .zip(tensors)
            .map(|(module, (a, b))| {
                let scaling = module.scaling(layout.use_rslora);
                (
                    (module.layer, module.projection),
                    LoraFactors { a, b, scaling },
                )
            })
            .collect();
        Self { factors }
    }

    /// The factors of one module, if the adapter covers it.
    pub fn factors(&self, layer: usize, projection: Projection) -> Option<&LoraFactors> {
        self.factors.get(&(layer, projection))
    }
}

/// Checks that a base model of these `dimensions` has every module of `layout`; `source_name`
/// names the adapter in errors.
///
/// # Errors
/// [`Error::AdapterMismatch`] for the first module that does not match.
pub fn check_layout(
    layout: &Layout,
    source_name: &str,
    dimensions: &dnd_adapter::BaseDimensions,
) -> Result<(), Error> {
    let mismatch = |message: String| Error::AdapterMismatch {
        source_name: source_name.to_owned(),
        base_model: layout.base_model.clone(),
        message,
    };
    for module in &layout.modules {
        if module.layer >= dimensions.num_layers {
            return Err(mismatch(format!(
                "it has a layer {}, the base model has {} layers",
                module.layer, dimensions.num_layers
            )));
        }
        let expected = dimensions.projection_shape(module.projection);
        let found = (module.in_features, module.out_features);
        if expected != found {
            return Err(mismatch(format!(
                "layer {} {}: expected (input, output) {expected:?}, found {found:?}",
                module.layer,
                module.projection.name()
            )));
        }
    }
    Ok(())
}
