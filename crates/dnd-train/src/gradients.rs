//! Gradient clipping by global norm.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use dnd_model::Error;

/// Clips the gradients of `module` to a global L2 norm of at most `limit`, and returns the norm
/// before clipping. The paper clips this way, like `clip_grad_norm_` of PyTorch; burn clips each
/// tensor on its own.
///
/// # Errors
/// [`Error::Device`] when the norm cannot be read back.
pub(crate) fn clip<M: Module>(
    module: &M,
    gradients: &mut GradientsParams,
    limit: f32,
) -> Result<f32, Error> {
    let mut squares = SumOfSquares {
        gradients,
        total: None,
    };
    module.visit(&mut squares);
    let Some(total) = squares.total else {
        return Ok(0.0);
    };
    let norm = total
        .try_into_scalar::<f32>()
        .map_err(Error::device)?
        .sqrt();
    if norm > limit {
        module.visit(&mut Scale {
            gradients,
            factor: limit / norm,
        });
    }
    Ok(norm)
}

struct SumOfSquares<'a> {
    gradients: &'a GradientsParams,
    total: Option<Tensor<1>>,
}

impl ModuleVisitor for SumOfSquares<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.get::<D>(param.id) {
            let sum = gradient.square().sum();
            self.total = Some(match self.total.take() {
                Some(total) => total + sum,
                None => sum,
            });
        }
    }
}

struct Scale<'a> {
    gradients: &'a mut GradientsParams,
    factor: f32,
}

impl ModuleVisitor for Scale<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.remove::<D>(param.id) {
            self.gradients.register(param.id, gradient * self.factor);
        }
    }
}
