//! The last step of a generation on devices that run WGSL. One kernel adds the basis head,
//! rescales each weight token, adds the mean adapter and writes the values in adapter order.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor};
use dnd_adapter::storage::quantize;
use dnd_adapter::{BundleTensor, Layout, Statistics, Storage, tokens};
use dnd_kernels::assemble::{Assembly, Target, Tiles};
use dnd_kernels::{mean_embedding, mixing_coefficients};

use crate::{Error, GeneratorConfig, Weights};

/// Turns decoder output into adapter values with one WGSL kernel.
pub(crate) struct Assembler {
    assembly: Assembly,
    head: Option<Head>,
}

/// Parameters of the mixing coefficients; see [`Basis`](crate::generator::Basis).
struct Head {
    centre: Tensor<1>,
    directions: Tensor<2>,
    gain: f32,
}

impl Assembler {
    /// Prepares the kernel for weight tokens written to `targets`, with the `mean` adapter as
    /// tokens and the basis head in `tensors`. `None` when [`Assembly::is_for`] rejects the
    /// columns or the device, or when the tiles of the head are not stored as int8.
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

    /// Adapter values for decoder output (1, T, rows, columns) and its condition (1, N, L, C).
    pub(crate) fn assemble(&self, cascade: Tensor<4>, condition: Tensor<4>) -> Tensor<1> {
        let coefficients = match &self.head {
            Some(head) => {
                let (centre, directions) = (head.centre.clone(), head.directions.clone());
                let embedding = mean_embedding(condition);
                mixing_coefficients(embedding, centre, directions, head.gain).squeeze_dim(0)
            }
            // No tile is mixed, but a buffer cannot be empty.
            None => Tensor::zeros([1], &cascade.device()),
        };
        self.assembly.assemble(cascade.squeeze_dim(0), coefficients)
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
        tile: None,
        scale,
    });
    Ok(targets.collect())
}
