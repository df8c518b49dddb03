//! LoRA factors as trainable parameters.

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use dnd_adapter::{Adapter, Factors, Layout};
use dnd_model::Error;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha12Rng;

use crate::answer_gradients::FactorPair;

/// The adapter that every fine-tuning starts from: A uniform within 1 / sqrt(input), as peft
/// starts it, B zero. The same seed gives the same adapter on every machine.
pub fn initial_adapter(layout: &Layout, seed: u64) -> Adapter {
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    let factors = layout
        .modules
        .iter()
        .map(|module| {
            let limit = 1.0 / (module.in_features as f32).sqrt();
            let a = (0..module.rank * module.in_features)
                .map(|_| random.random_range(-limit..limit))
                .collect();
            Factors {
                a,
                b: vec![0.0; module.out_features * module.rank],
            }
        })
        .collect();
    Adapter {
        layout: layout.clone(),
        factors,
    }
}

/// The factors of all modules of a layout, in its order.
#[derive(Module, Debug)]
pub struct LoraParameters {
    a: Vec<Param<Tensor<2>>>,
    b: Vec<Param<Tensor<2>>>,
}

impl LoraParameters {
    /// Parameters that start as `adapter`, on an autodiff device.
    pub fn new(adapter: &Adapter, device: &Device) -> Self {
        let parameter = |values: &[f32], shape: [usize; 2]| {
            Param::from_tensor(Tensor::from_data(
                TensorData::new(values.to_vec(), shape),
                device,
            ))
        };
        let modules = || adapter.layout.modules.iter().zip(&adapter.factors);
        Self {
            a: modules()
                .map(|(module, factors)| parameter(&factors.a, [module.rank, module.in_features]))
                .collect(),
            b: modules()
                .map(|(module, factors)| parameter(&factors.b, [module.out_features, module.rank]))
                .collect(),
        }
    }

    /// The present factors of each module, as constants.
    pub(crate) fn factors(&self) -> Vec<FactorPair> {
        let pairs = self.a.iter().zip(&self.b);
        pairs
            .map(|(a, b)| (a.val().inner(), b.val().inner()))
            .collect()
    }

    /// Gradients that were computed elsewhere, for the optimizer.
    pub(crate) fn gradients(&self, factors: Vec<FactorPair>) -> GradientsParams {
        let mut gradients = GradientsParams::new();
        for ((a, b), (grad_a, grad_b)) in self.a.iter().zip(&self.b).zip(factors) {
            gradients.register(a.id, grad_a);
            gradients.register(b.id, grad_b);
        }
        gradients
    }

    /// The present values.
    ///
    /// # Errors
    /// [`Error::Device`] when they cannot be read back.
    pub fn to_adapter(&self, layout: &Layout) -> Result<Adapter, Error> {
        let read =
            |param: &Param<Tensor<2>>| param.val().try_into_vec_as::<f32>().map_err(Error::device);
        let factors = self
            .a
            .iter()
            .zip(&self.b)
            .map(|(a, b)| {
                Ok(Factors {
                    a: read(a)?,
                    b: read(b)?,
                })
            })
            .collect::<Result<_, Error>>()?;
        Ok(Adapter::new(layout.clone(), factors)?)
    }
}
