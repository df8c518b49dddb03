//! What a device that runs WGSL does of a bundle beside the cascade: the basis head, the unit of each token and the mean adapter,
//! in one kernel that gives the adapter's numbers in their own order.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor};
use dnd_adapter::storage::quantize;
use dnd_adapter::{BundleTensor, Layout, Statistics, Storage, tokens};
use dnd_kernels::assemble::{Assembly, Target, Tiles};
use dnd_kernels::{mean_embedding, mixing_coefficients};

use crate::{Error, GeneratorConfig, Weights};

/// The end of a generation on a device that runs WGSL.
pub(crate) struct Assembler {
    assembly: Assembly,
    head: Option<Head>,
}

/// What mixing coefficients are taken from; see [`Basis`](crate::generator::Basis).
struct Head {
    centre: Tensor<1>,
    directions: Tensor<2>,
    gain: f32,
}

impl Assembler {
    /// For tokens that go to `targets` in the adapter, with the `mean` adapter as tokens, and the head of a generator's `tensors`.
    /// `None` where [`Assembly::is_for`] says so, and where the head's tiles are not stored as integers, which the kernel reads.
    ///
    /// # Errors
    /// When a tensor of the head is missing or has another shape.
    pub(crate) fn new(
        tensors: &BTreeMap<String, BundleTensor>,
        source_name: &str,
        config: &GeneratorConfig,
        mut targets: Vec<Target>,
        mean: &[f32],
        device: &Device,
    ) -> Result<Option<Self>, Error> {
        let [_, _, width] = config.input();
        let [_, rows, columns] = config.output();
        if !Assembly::is_for(columns, device) {
            return Ok(None);
        }
        let weights = Weights::from_bundle(tensors, source_name);
        let (mut head, mut bytes, mut scales) = (None, Vec::new(), Vec::new());
        if let Some(basis) = &config.basis {
            let shape = [basis.count, basis.tokens.len(), rows * columns];
            let name = "generator.basis.tiles";
            let tiles = weights.values(name, &shape)?;
            if tensors[name].storage != Storage::Int8 {
                return Ok(None);
            }
            (bytes, scales) = quantize(&tiles, rows * columns);
            for (tile, &token) in basis.tokens.iter().enumerate() {
                targets[token].tile = Some(tile);
            }
            let directions = [width, basis.count];
            head = Some(Head {
                centre: weights.tensor("generator.basis.centre", [width], device)?,
                directions: weights.tensor("generator.basis.directions", directions, device)?,
                gain: basis.gain,
            });
        }
        let integers: Vec<i8> = bytes.into_iter().map(u8::cast_signed).collect();
        let tiles = Tiles {
            integers: &integers,
            scales: &scales,
            mixed: config.basis.as_ref().map_or(0, |basis| basis.count),
        };
        Ok(Some(Self {
            assembly: Assembly::new(&targets, columns, mean, tiles, device),
            head,
        }))
    }

    /// The adapter's numbers for the cascade's output (1, T, rows, columns) and the condition (1, N, L, C) it came from.
    pub(crate) fn assemble(&self, cascade: Tensor<4>, condition: Tensor<4>) -> Tensor<1> {
        let coefficients = match &self.head {
            Some(head) => {
                let (centre, directions) = (head.centre.clone(), head.directions.clone());
                let embedding = mean_embedding(condition);
                mixing_coefficients(embedding, centre, directions, head.gain).squeeze_dim(0)
            }
            // No tile is mixed, and a buffer has at least one number.
            None => Tensor::zeros([1], &cascade.device()),
        };
        self.assembly.assemble(cascade.squeeze_dim(0), coefficients)
    }
}

/// Where the tokens of a layout go, and their units.
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
        tile: None,
        scale,
    });
    Ok(targets.collect())
}
