//! The cascade.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
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

    /// This generator with the weights of a bundle.
    ///
    /// # Errors
    /// When a tensor is missing or has another shape.
    pub fn with_tensors(
        self,
        tensors: &BTreeMap<String, BundleTensor>,
        source_name: &str,
    ) -> Result<Self, Error> {
        let mut mapper = Assign {
            path: Vec::new(),
            tensors,
            source_name,
            error: None,
        };
        let generator = self.map(&mut mapper);
        match mapper.error {
            Some(error) => Err(error),
            None => Ok(generator),
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

struct Assign<'a> {
    path: Vec<String>,
    tensors: &'a BTreeMap<String, BundleTensor>,
    source_name: &'a str,
    error: Option<Error>,
}

impl ModuleMapper for Assign<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let name = bundle_name(&self.path);
        let expected = param.val().dims();
        let Some(stored) = self.tensors.get(&name) else {
            self.error = Some(Error::MissingTensor {
                source_name: self.source_name.to_owned(),
                tensor: name,
            });
            return param;
        };
        if stored.shape != expected {
            self.error = Some(Error::Shape {
                source_name: self.source_name.to_owned(),
                tensor: name,
                expected: expected.to_vec(),
                found: stored.shape.clone(),
            });
            return param;
        }
        param.map(|tensor| {
            let tracked = tensor.is_require_grad();
            Tensor::from_data(
                TensorData::new(stored.data.clone(), expected),
                &tensor.device(),
            )
            .set_require_grad(tracked)
        })
    }
}
