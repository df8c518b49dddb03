//! Gradients of all weights of a module: clipping by their norm, and adding them up over processes.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use burn::tensor::TensorData;
use dnd_model::Error;

use crate::Processes;

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

/// Adds up the gradients of `module` over all processes, and `figures` with them. A weight that has
/// no gradient in a process has a zero there.
///
/// # Errors
/// [`Error::Device`] when they cannot be read back.
pub(crate) fn sum<M: Module>(
    module: &M,
    gradients: &mut GradientsParams,
    figures: &mut [f32],
    processes: &dyn Processes,
) -> Result<(), Error> {
    if processes.count() == 1 {
        return Ok(());
    }
    let mut all = Flatten {
        gradients,
        values: figures.to_vec(),
        error: None,
    };
    module.visit(&mut all);
    if let Some(error) = all.error {
        return Err(error);
    }
    let mut values = all.values;
    processes.sum(&mut values);
    let (first, rest) = values.split_at(figures.len());
    figures.copy_from_slice(first);
    module.visit(&mut Unflatten { gradients, rest });
    Ok(())
}

/// Takes the gradients out, one after the other.
struct Flatten<'a> {
    gradients: &'a mut GradientsParams,
    values: Vec<f32>,
    error: Option<Error>,
}

impl ModuleVisitor for Flatten<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let count = param.shape().num_elements();
        match self.gradients.remove::<D>(param.id) {
            Some(gradient) => match gradient.try_into_vec_as::<f32>() {
                Ok(values) => self.values.extend(values),
                Err(error) => self.error = Some(Error::device(error)),
            },
            None => self.values.resize(self.values.len() + count, 0.0),
        }
    }
}

/// Puts them back.
struct Unflatten<'a, 'b> {
    gradients: &'a mut GradientsParams,
    rest: &'b [f32],
}

impl ModuleVisitor for Unflatten<'_, '_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let shape = param.shape();
        let (values, rest) = self.rest.split_at(shape.num_elements());
        self.rest = rest;
        if param.is_require_grad() {
            let device = param.val().inner().device();
            let data = TensorData::new(values.to_vec(), shape);
            self.gradients
                .register(param.id, Tensor::<D>::from_data(data, &device));
        }
    }
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
