//! One AdamW step (Loshchilov and Hutter, arXiv 1711.05101) in a single pass over memory.

use burn::backend::Flex;
use burn::tensor::Tensor;
use multiversion::multiversion;
use rayon::prelude::*;

use crate::cpu;

/// Settings of a step, shared by all parameters.
#[derive(Debug, Clone, Copy)]
pub struct AdamW {
    /// Learning rate.
    pub rate: f32,
    /// Decay rate of the first moment.
    pub beta_1: f32,
    /// Decay rate of the second moment.
    pub beta_2: f32,
    /// Added to the denominator.
    pub epsilon: f32,
    /// Decoupled weight decay.
    pub weight_decay: f32,
    /// Step number, starting at 1.
    pub time: usize,
}

/// A parameter and its first and second moment.
pub type Moments<const D: usize> = [Tensor<D>; 3];

/// Returns the parameter and its moments after a step. The tensors must not track gradients.
pub fn adamw<const D: usize>(step: AdamW, state: Moments<D>, gradient: Tensor<D>) -> Moments<D> {
    if !cpu::is_here(&gradient) {
        return reference(step, state, gradient);
    }
    let shape = gradient.dims();
    for (name, tensor) in ["parameter", "first moment", "second moment"]
        .iter()
        .zip(&state)
    {
        cpu::expect(name, tensor.dims(), shape);
    }
    let read = |tensor: Tensor<D>| tensor.try_into_primitive::<Flex>();
    let [parameter, first, second] = state.clone().map(read);
    let (Ok(parameter), Ok(first), Ok(second), Ok(of)) =
        (parameter, first, second, read(gradient.clone()))
    else {
        return reference(step, state, gradient);
    };
    let inputs = [parameter, first, second, of].map(|tensor| tensor.to_contiguous());
    let [parameter, first, second, of] = inputs.each_ref().map(cpu::numbers);
    let mut outputs = [(); 3].map(|()| vec![0.0; of.len()]);
    let [new_parameter, new_first, new_second] = &mut outputs;
    // Large enough to amortize the cost of threading, small enough for the cache.
    const CHUNK: usize = 1 << 14;
    parameter
        .par_chunks(CHUNK)
        .zip(first.par_chunks(CHUNK))
        .zip(second.par_chunks(CHUNK))
        .zip(of.par_chunks(CHUNK))
        .zip(new_parameter.par_chunks_mut(CHUNK))
        .zip(new_first.par_chunks_mut(CHUNK))
        .zip(new_second.par_chunks_mut(CHUNK))
        .for_each(|((((((a, b), c), gradient), d), e), f)| {
            update(step, [a, b, c, gradient], [d, e, f]);
        });
    outputs.map(|values| Tensor::from_primitive::<Flex>(cpu::tensor(values, shape)))
}

#[multiversion(targets(
    "x86_64+avx512f+avx512vl+avx512bw+avx512dq+avx2+fma",
    "x86_64+avx2+fma"
))]
fn update(step: AdamW, inputs: [&[f32]; 4], outputs: [&mut [f32]; 3]) {
    let [parameter, first, second, gradient] = inputs;
    let [new_parameter, new_first, new_second] = outputs;
    let (of_first, of_second) = step.corrections();
    let kept = 1.0 - step.rate * step.weight_decay;
    let inputs = parameter.iter().zip(first).zip(second).zip(gradient);
    let outputs = new_parameter.iter_mut().zip(new_first).zip(new_second);
    for ((((parameter, first), second), gradient), ((new, first_out), second_out)) in
        inputs.zip(outputs)
    {
        let first = first * step.beta_1 + gradient * (1.0 - step.beta_1);
        let second = second * step.beta_2 + gradient * gradient * (1.0 - step.beta_2);
        let change = first * of_first / ((second * of_second).sqrt() + step.epsilon);
        *new = parameter * kept - change * step.rate;
        *first_out = first;
        *second_out = second;
    }
}

/// Reference implementation in plain burn.
pub fn reference<const D: usize>(
    step: AdamW,
    [parameter, first, second]: Moments<D>,
    gradient: Tensor<D>,
) -> Moments<D> {
    let (of_first, of_second) = step.corrections();
    let first = first * step.beta_1 + gradient.clone() * (1.0 - step.beta_1);
    let second = second * step.beta_2 + gradient.square() * (1.0 - step.beta_2);
    let change = first.clone() * of_first / ((second.clone() * of_second).sqrt() + step.epsilon);
    let kept = 1.0 - step.rate * step.weight_decay;
    [parameter * kept - change * step.rate, first, second]
}

impl AdamW {
    /// Bias-correction factors of the two moments.
    fn corrections(&self) -> (f32, f32) {
        let of = |beta: f32| 1.0 / (1.0 - beta.powi(self.time as i32));
        (of(self.beta_1), of(self.beta_2))
    }
}
