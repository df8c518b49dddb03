//! What a device that runs WGSL does of a bundle beside the cascade: the basis head, the unit of each token and the mean adapter,
//! in one kernel that gives the adapter's numbers in their own order.

use burn::tensor::{Device, Tensor, TensorData};
use dnd_adapter::storage::quantise;
use dnd_adapter::{Bundle, Statistics, Storage, tokens};
use dnd_kernels::assemble::{Assembly, Place, Tiles};

use crate::generator::{BasisConfig, mixing_coefficients};
use crate::{Error, GeneratorConfig};

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
    /// `None` on other devices, and for a bundle whose tiles are not stored as integers, which the kernel reads.
    ///
    /// # Errors
    /// When a tensor of the head is missing or has another shape, or the layout is malformed.
    pub(crate) fn new(
        bundle: &Bundle,
        source_name: &str,
        config: &GeneratorConfig,
        statistics: &Statistics,
        device: &Device,
    ) -> Result<Option<Self>, Error> {
        let [count, rows, columns] = config.output();
        let tensor = |name: &str, expected: &[usize]| {
            let tensor = format!("generator.basis.{name}");
            let source_name = source_name.to_owned();
            let Some(stored) = bundle.tensors.get(&tensor) else {
                return Err(Error::MissingTensor {
                    source_name,
                    tensor,
                });
            };
            if stored.shape != expected {
                return Err(Error::Shape {
                    source_name,
                    tensor,
                    expected: expected.to_vec(),
                    found: stored.shape.clone(),
                });
            }
            Ok(stored)
        };
        let head = |basis: &BasisConfig| {
            let [_, _, width] = config.input();
            let load = |name: &str, shape: &[usize]| {
                Ok::<_, Error>(TensorData::new(tensor(name, shape)?.data.clone(), shape))
            };
            Ok::<_, Error>(Head {
                centre: Tensor::from_data(load("centre", &[width])?, device),
                directions: Tensor::from_data(load("directions", &[width, basis.count])?, device),
                gain: basis.gain,
            })
        };
        let (mut bytes, mut scales) = (Vec::new(), Vec::new());
        if let Some(basis) = &config.basis {
            let shape = [basis.count, basis.tokens.len(), rows * columns];
            let tiles = tensor("tiles", &shape)?;
            if tiles.storage != Storage::Int8 {
                return Ok(None);
            }
            (bytes, scales) = quantise(&tiles.data, rows * columns);
        }
        let mut places: Vec<Place> = tokens::places(&bundle.header.layout)?
            .into_iter()
            .zip(&statistics.scale)
            .map(|(place, &scale)| Place {
                start: place.start,
                row: place.row,
                column: place.column,
                taken: place.taken,
                tile: None,
                scale,
            })
            .collect();
        debug_assert_eq!(places.len(), count, "tokens of layout and generator");
        for (tile, &token) in config
            .basis
            .iter()
            .flat_map(|basis| basis.tokens.iter().enumerate())
        {
            places[token].tile = Some(tile);
        }
        let integers: Vec<i8> = bytes.into_iter().map(u8::cast_signed).collect();
        let tiles = Tiles {
            integers: &integers,
            scales: &scales,
            mixed: config.basis.as_ref().map_or(0, |basis| basis.count),
        };
        let assembly = Assembly::new(&places, columns, &statistics.mean, tiles, device);
        let Some(assembly) = assembly else {
            return Ok(None);
        };
        Ok(Some(Self {
            assembly,
            head: config.basis.as_ref().map(head).transpose()?,
        }))
    }

    /// The adapter's numbers for the cascade's output (T, rows, columns) and the condition (N, L, C) it came from.
    pub(crate) fn assemble(&self, cascade: Tensor<3>, condition: Tensor<3>) -> Tensor<1> {
        let coefficients = match &self.head {
            Some(head) => mixing_coefficients(
                condition.unsqueeze_dim(0),
                head.centre.clone(),
                head.directions.clone(),
                head.gain,
            )
            .squeeze_dim(0),
            // No tile is mixed, and a buffer has at least one number.
            None => Tensor::zeros([1], &cascade.device()),
        };
        self.assembly.assemble(cascade, coefficients)
    }
}
