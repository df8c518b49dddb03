//! Running averages of weights.
//!
//! While the learning rate is high, single steps move the weights to and fro; their running average
//! does not, and is as good as weights at a much lower rate (Morales-Brotons et al., arXiv
//! 2411.18704).

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

/// Moves the parameters of `average` towards those of `module`: each becomes `keep` of itself and
/// the rest of the other. Both are copies of one module, on an autodiff device.
pub(crate) fn average<M: Module>(average: M, module: &M, keep: f32) -> M {
    let mut current = Gather(GradientsParams::new());
    module.visit(&mut current);
    average.map(&mut Blend {
        current: current.0,
        keep,
    })
}

/// Parameters by their ids, in the container that burn has for gradients.
struct Gather(GradientsParams);

impl ModuleVisitor for Gather {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.register(param.id, param.val().inner());
    }
}

struct Blend {
    current: GradientsParams,
    keep: f32,
}

impl ModuleMapper for Blend {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(current) = self.current.get::<D>(param.id) else {
            return param;
        };
        let keep = self.keep;
        param.map(|tensor| {
            let is_trained = tensor.is_require_grad();
            let blended = tensor.inner() * keep + current * (1.0 - keep);
            blended.autodiff().set_require_grad(is_trained)
        })
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[derive(Module, Debug)]
    struct Weights {
        values: Param<Tensor<1>>,
    }

    #[test]
    fn the_average_moves_towards_the_weights() {
        let device = Device::flex().autodiff();
        let start = Weights {
            values: Param::from_tensor(Tensor::from_data([1.0f32, -2.0], &device)),
        };
        let moved = Weights {
            values: start.values.clone().map(|tensor| tensor + 4.0),
        };
        let blended = average(start, &moved, 0.75);
        let values = blended.values.val().into_data();
        assert_eq!(values.try_into_vec::<f32>().unwrap(), [2.0, -1.0]);
    }
}
