//! A generator for inference: one kernel expands the features, rescales each weight token, adds the
//! mean adapter and writes the values in adapter order.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor};
use dnd_adapter::storage::quantize;
use dnd_adapter::{BundleTensor, Layout, Statistics, Storage, tokens};
use dnd_kernels::expand::{Expansion, Matrix, Sizes, Target};

use crate::generator::expansion::{FeatureScaling, MATRICES};
use crate::{Decoded, Error, Generator, GeneratorConfig, Weights};

/// A generator, with the kernel that expands its features where there is one.
pub(crate) struct Decoder {
    generator: Generator,
    assembler: Option<Assembler>,
}

/// Turns features into adapter values with one kernel.
struct Assembler {
    scaling: FeatureScaling,
    expansion: Expansion,
}

impl Decoder {
    /// Loads the generator in `tensors`, whose weight tokens go to `targets`, with the `mean`
    /// adapter as tokens.
    ///
    /// # Errors
    /// When a tensor is missing or has another shape.
    pub(crate) fn load(
        tensors: &BTreeMap<String, BundleTensor>,
        source_name: &str,
        config: &GeneratorConfig,
        targets: &[Target],
        mean: &[f32],
        device: &Device,
    ) -> Result<Self, Error> {
        let weights = Weights::from_bundle(tensors, source_name);
        let assembler = Assembler::load(tensors, &weights, config, targets, mean, device)?;
        let mut config = config.clone();
        if assembler.is_some() {
            // The kernel has the matrices, so that the generator ends with the features.
            config.expansion = None;
        }
        Ok(Self {
            generator: config.load(tensors, source_name, device)?,
            assembler,
        })
    }

    /// The generator, which lacks the expansion where a kernel has it.
    pub(crate) fn generator(&self) -> &Generator {
        &self.generator
    }

    /// Runs the generator on a condition (1, N, L, C); `report` gets the number of layers done.
    pub(crate) fn decode(&self, condition: Tensor<4>, report: &mut dyn FnMut(usize)) -> Decoded {
        if let Some(assembler) = &self.assembler {
            let features = self.generator.features(condition, report);
            let features = assembler.scaling.scale(features).squeeze_dim(0);
            return Decoded::Factors(assembler.expansion.expand(features));
        }
        let output = self.generator.forward_reported(condition, report);
        Decoded::Tokens(output.flatten(0, 3))
    }
}

impl Assembler {
    /// Prepares the kernel. `None` where there is none: no expansion, other sizes or another device
    /// than [`Expansion::is_for`] takes, or matrices that are not stored as int8.
    fn load(
        tensors: &BTreeMap<String, BundleTensor>,
        weights: &Weights,
        config: &GeneratorConfig,
        targets: &[Target],
        mean: &[f32],
        device: &Device,
    ) -> Result<Option<Self>, Error> {
        let Some(expansion) = &config.expansion else {
            return Ok(None);
        };
        let [_, rows, columns] = config.output();
        let sizes = Sizes {
            layers: expansion.layers,
            rows,
            columns,
            types: expansion.modules.len(),
            features: config.last_width(),
        };
        if !Expansion::is_for(&sizes, device) {
            return Ok(None);
        }
        let mut matrices = Vec::with_capacity(sizes.types);
        for (number, &[first, count]) in expansion.modules.iter().enumerate() {
            let name = format!("{MATRICES}.{number}");
            let width = count.saturating_mul(rows).saturating_mul(columns);
            let values = weights.values(&name, &[sizes.features, width])?;
            if tensors[&name].storage != Storage::Int8 {
                return Ok(None);
            }
            let (bytes, scales) = quantize(&values, width);
            matrices.push(Matrix {
                first,
                integers: bytes.into_iter().map(u8::cast_signed).collect(),
                scales,
            });
        }
        let shape = [expansion.blocks(), sizes.features];
        Ok(Some(Self {
            scaling: FeatureScaling::load(shape, weights, device)?,
            expansion: Expansion::new(sizes, targets, mean, &matrices, device),
        }))
    }
}

/// Destination and scale of each weight token of a layout.
///
/// # Errors
/// When the layout is malformed.
pub(crate) fn targets(layout: &Layout, statistics: &Statistics) -> Result<Vec<Target>, Error> {
    let spans = tokens::spans(layout)?.into_iter();
    let targets = spans.zip(&statistics.scale).map(|(span, &scale)| Target {
        offset: span.offset,
        row_stride: span.row_stride,
        column_stride: span.column_stride,
        columns: span.columns,
        scale,
    });
    Ok(targets.collect())
}
