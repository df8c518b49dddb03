//! The generator: attention pooling, the hyper-convolutional decoder and the expansion.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};
use dnd_adapter::{BundleTensor, Precision, Storage};
use rand::SeedableRng;
use rand_chacha::ChaCha12Rng;

use super::{Expansion, GeneratorConfig, HyperConvolution, Pooling};
use crate::{Error, Weights};

/// The hyper-convolutional decoder, from a condition (B, N, L, C) to weight tokens
/// (B, T, rows, columns), with pooling before it and the expansion behind it where there are any.
#[derive(Module, Debug)]
pub struct Generator {
    pooling: Option<Pooling>,
    layers: Vec<HyperConvolution>,
    expansion: Option<Expansion>,
    #[module(skip)]
    config: GeneratorConfig,
}

impl GeneratorConfig {
    /// A generator with seeded random weights, identical on every device. The expansion starts at
    /// zero, or the last layer where there is none, so an untrained generator predicts the mean
    /// adapter.
    pub fn init(&self, seed: u64, device: &Device) -> Generator {
        let mut random = ChaCha12Rng::seed_from_u64(seed);
        let pooling = self
            .pooling
            .then(|| Pooling::random(self.input(), &mut random, device));
        let last = self.features.len() - 2;
        let layers = self
            .features
            .windows(2)
            .enumerate()
            .map(|(index, pair)| {
                let is_zero = index == last && self.expansion.is_none();
                HyperConvolution::random(pair[0], pair[1], self, is_zero, &mut random, device)
            })
            .collect();
        let expansion = self
            .expansion
            .as_ref()
            .map(|expansion| Expansion::random(expansion, self.last_width(), &mut random, device));
        Generator {
            pooling,
            layers,
            expansion,
            config: self.clone(),
        }
    }

    /// Loads a generator from bundle tensors, named as by
    /// [`to_tensors`](Generator::to_tensors).
    ///
    /// # Errors
    /// When a tensor is missing or has the wrong shape.
    pub fn load(
        &self,
        tensors: &BTreeMap<String, BundleTensor>,
        source_name: &str,
        device: &Device,
    ) -> Result<Generator, Error> {
        let weights = Weights::from_bundle(tensors, source_name);
        let layers = self.features.windows(2).enumerate().map(|(index, pair)| {
            let part = format!("generator.{index}");
            HyperConvolution::load(pair[0], pair[1], self, &weights, &part, device)
        });
        let pooling = self
            .pooling
            .then(|| Pooling::load(self.input(), &weights, device));
        let expansion = self
            .expansion
            .as_ref()
            .map(|expansion| Expansion::load(expansion, self.last_width(), &weights, device));
        Ok(Generator {
            pooling: pooling.transpose()?,
            expansion: expansion.transpose()?,
            layers: layers.collect::<Result<_, _>>()?,
            config: self.clone(),
        })
    }
}

impl Generator {
    /// Weight tokens (B, T, rows, columns) for a condition (B, N, L, C).
    pub fn forward(&self, condition: Tensor<4>) -> Tensor<4> {
        self.forward_reported(condition, &mut |_| ())
    }

    /// As [`forward`](Self::forward); `report` gets the number of layers done.
    pub fn forward_reported(
        &self,
        condition: Tensor<4>,
        report: &mut dyn FnMut(usize),
    ) -> Tensor<4> {
        let features = self.features(condition, report);
        match self.expansion.as_ref().zip(self.config.expansion.as_ref()) {
            Some((expansion, config)) => expansion.forward(features, config),
            None => features,
        }
    }

    /// The output of the last layer, before the expansion.
    pub(crate) fn features(
        &self,
        condition: Tensor<4>,
        report: &mut dyn FnMut(usize),
    ) -> Tensor<4> {
        let input = match &self.pooling {
            Some(pooling) => pooling.forward(condition, self.config.input()),
            None => condition,
        };
        let layers = self.layers.iter().enumerate();
        layers.fold(input, |state, (index, layer)| {
            let state = layer.forward(state);
            report(index + 1);
            state
        })
    }

    /// The pooling, mutable.
    pub fn pooling_mut(&mut self) -> Option<&mut Pooling> {
        self.pooling.as_mut()
    }

    /// The layers, first to last.
    pub fn layers(&self) -> &[HyperConvolution] {
        &self.layers
    }

    /// The weights by name, such as `generator.0.norm_weight`. When `precision` is not f32, the
    /// expansion's matrices, which are most of the weights, are stored as int8.
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

/// Bundle name of the parameter at a module path such as `layers`, `0`, `bias`.
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
                let name = bundle_name(&self.path);
                let is_large = name.starts_with(super::expansion::MATRICES);
                let storage = if is_large && self.precision != Precision::F32 {
                    Storage::Int8
                } else {
                    self.precision.into()
                };
                let tensor = BundleTensor {
                    shape,
                    data,
                    storage,
                };
                self.tensors.insert(name, tensor);
            }
            Err(error) => self.error = Some(Error::device(error)),
        }
    }
}
