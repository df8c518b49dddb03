//! The cascade.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor, TensorData};
use dnd_adapter::{BundleTensor, Precision};
use rand::SeedableRng;
use rand::rngs::StdRng;

use super::{GeneratorConfig, HyperConvolution};
use crate::Error;

/// The hyper-convolutional decoder: condition (B, N, L, C) to weight tokens (B, T, rows, columns).
#[derive(Module, Debug)]
pub struct Generator {
    layers: Vec<HyperConvolution>,
}

impl GeneratorConfig {
    /// A generator with seeded random weights, the same on every device. Its last layer starts at
    /// zero: before training it predicts the mean adapter.
    pub fn init(&self, seed: u64, device: &Device) -> Generator {
        let mut random = StdRng::seed_from_u64(seed);
        let last = self.features.len() - 2;
        let layers = self
            .features
            .windows(2)
            .enumerate()
            .map(|(index, pair)| {
                HyperConvolution::random(pair[0], pair[1], self, index == last, &mut random, device)
            })
            .collect();
        Generator { layers }
    }

    /// The generator whose weights a bundle holds under the names of
    /// [`to_tensors`](Generator::to_tensors).
    ///
    /// # Errors
    /// When a tensor is missing or has another shape than these sizes ask for.
    pub fn load(
        &self,
        tensors: &BTreeMap<String, BundleTensor>,
        source_name: &str,
        device: &Device,
    ) -> Result<Generator, Error> {
        let layers = self.features.windows(2).enumerate().map(|(index, pair)| {
            let stored = StoredLayer {
                tensors,
                source_name,
                index,
            };
            HyperConvolution::load(pair[0], pair[1], self, &stored, device)
        });
        Ok(Generator {
            layers: layers.collect::<Result<_, _>>()?,
        })
    }
}

/// The tensors of one layer of a bundle.
pub(super) struct StoredLayer<'a> {
    tensors: &'a BTreeMap<String, BundleTensor>,
    source_name: &'a str,
    index: usize,
}

impl StoredLayer<'_> {
    /// A parameter as a tensor. Its shape is compared before anything is allocated, so that sizes
    /// that a file merely claims cost nothing.
    pub(super) fn parameter<const D: usize>(
        &self,
        name: &str,
        shape: [usize; D],
        device: &Device,
    ) -> Result<Param<Tensor<D>>, Error> {
        let tensor = format!("generator.{}.{name}", self.index);
        let source_name = self.source_name.to_owned();
        let Some(stored) = self.tensors.get(&tensor) else {
            return Err(Error::MissingTensor {
                source_name,
                tensor,
            });
        };
        if stored.shape != shape {
            return Err(Error::Shape {
                source_name,
                tensor,
                expected: shape.to_vec(),
                found: stored.shape.clone(),
            });
        }
        let data = TensorData::new(stored.data.clone(), shape);
        Ok(Param::from_tensor(Tensor::from_data(data, device)))
    }
}

impl Generator {
    /// Weight tokens (B, T, rows, columns) for a condition (B, N, L, C).
    pub fn forward(&self, condition: Tensor<4>) -> Tensor<4> {
        self.layers
            .iter()
            .fold(condition, |state, layer| layer.forward(state))
    }

    /// The layers, first to last.
    pub fn layers(&self) -> &[HyperConvolution] {
        &self.layers
    }

    /// The weights by name, `generator.0.norm_weight` and so on.
    ///
    /// # Errors
    /// [`Error::Device`] when values cannot be read back.
    pub fn to_tensors(
        &self,
        precision: Precision,
    ) -> Result<BTreeMap<String, BundleTensor>, Error> {
        let mut visitor = Collect {
            path: Vec::new(),
            precision,
            tensors: BTreeMap::new(),
            error: None,
        };
        self.visit(&mut visitor);
        match visitor.error {
            Some(error) => Err(error),
            None => Ok(visitor.tensors),
        }
    }
}

/// The name in a bundle of the parameter at a module path such as `layers`, `0`, `bias`.
fn bundle_name(path: &[String]) -> String {
    let path: Vec<&str> = path
        .iter()
        .map(String::as_str)
        .filter(|part| *part != "layers")
        .collect();
    format!("generator.{}", path.join("."))
}

struct Collect {
    path: Vec<String>,
    precision: Precision,
    tensors: BTreeMap<String, BundleTensor>,
    error: Option<Error>,
}

impl ModuleVisitor for Collect {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = param.val();
        let shape = tensor.dims().to_vec();
        match tensor.try_into_vec_as::<f32>() {
            Ok(data) => {
                let precision = self.precision;
                self.tensors.insert(
                    bundle_name(&self.path),
                    BundleTensor {
                        shape,
                        data,
                        precision,
                    },
                );
            }
            Err(error) => self.error = Some(Error::Device(error.to_string())),
        }
    }
}
