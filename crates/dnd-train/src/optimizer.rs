//! AdamW for all training: same updates as burn, computed in one pass over memory.

use burn::optim::{AdamWState, AdaptiveMomentumState, ModuleOptimizer, Optimizer};
use burn::tensor::{Device, Tensor};
use dnd_kernels::adamw::{self, AdamW};

/// Added to the denominator of AdamW.
const EPSILON: f32 = 1e-8;
/// Defaults of PyTorch and burn.
const BETAS: [f32; 2] = [0.9, 0.999];

/// AdamW with decoupled weight decay.
pub(crate) fn adam_w(weight_decay: f64) -> ModuleOptimizer {
    let weight_decay = weight_decay as f32;
    ModuleOptimizer::from(FusedAdamW { weight_decay })
}

#[derive(Clone)]
struct FusedAdamW {
    weight_decay: f32,
}

impl Optimizer for FusedAdamW {
    type State<const D: usize> = AdamWState<D>;

    fn step<const D: usize>(
        &self,
        rate: f64,
        tensor: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<D>, Option<Self::State<D>>) {
        let (time, first, second) = match state {
            Some(AdamWState { momentum }) => (momentum.time, momentum.moment_1, momentum.moment_2),
            None => (0, gradient.zeros_like(), gradient.zeros_like()),
        };
        let time = time + 1;
        let step = AdamW {
            rate: rate as f32,
            beta_1: BETAS[0],
            beta_2: BETAS[1],
            epsilon: EPSILON,
            weight_decay: self.weight_decay,
            time,
        };
        let [tensor, first, second] = adamw::adamw(step, [tensor, first, second], gradient);
        let momentum = AdaptiveMomentumState::new(time, first, second);
        (tensor, Some(AdamWState::new(momentum)))
    }

    fn to_device<const D: usize>(state: Self::State<D>, device: &Device) -> Self::State<D> {
        burn::optim::AdamW::to_device(state, device)
    }
}

#[cfg(test)]
mod tests {
    use burn::module::{Module, Param};
    use burn::optim::{AdamWConfig, GradientsParams};

    use super::*;

    #[derive(Module, Debug)]
    struct Weights {
        values: Param<Tensor<1>>,
    }

    #[test]
    fn steps_are_those_of_burn() {
        let device = Device::flex().autodiff();
        let start = Tensor::from_data([0.5, -2.0, 3.0], &device);
        let start = Weights {
            values: Param::from_tensor(start),
        };
        let decay = 0.1;
        let reference = AdamWConfig::new()
            .with_weight_decay(decay as f32)
            .with_epsilon(EPSILON);
        let mut runs =
            [adam_w(decay), reference.init()].map(|optimizer| (optimizer, start.clone()));
        for step in 1..20 {
            for (optimizer, weights) in &mut runs {
                let loss = (weights.values.val().square() * step as f32).sin().sum();
                let gradients = GradientsParams::from_grads(loss.backward(), weights);
                *weights = optimizer.step(1e-2, weights.clone(), gradients);
            }
        }
        let [ours, burns] = runs.map(|(_, weights)| weights.values.val().into_data());
        ours.assert_approx_eq::<f32>(&burns, burn::tensor::Tolerance::absolute(1e-5));
    }
}
