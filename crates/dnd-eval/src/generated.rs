//! Generated adapters, and the controls that show whether the prompts matter.

use std::time::Instant;

use burn::tensor::{Tensor, TensorData};
use dnd_adapter::Adapter;
use dnd_model::{AdapterGenerator, PromptEncoder, encode_on_device, read_values};
use futures_lite::future::block_on;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha12Rng;
use rand_distr::{Distribution, Normal};

use dnd_tasks::{Role, Task};
use dnd_train::Error;

/// An adapter and the seconds to generate it.
pub(super) type Timed = (Adapter, f64);

/// Generates an adapter from prompts.
pub(super) fn from_prompts(
    generator: &AdapterGenerator,
    prompts: &[String],
    seed: u64,
) -> Result<Timed, Error> {
    let (generation, timing) = generator.generate_blocking(prompts, seed)?;
    Ok((generation.adapter, timing.encode + timing.decode))
}

/// Generates an adapter from random vectors in place of the prompts' hidden states: normally
/// distributed with the same mean and standard deviation, and zero at padding.
pub(super) fn from_random_states(
    generator: &AdapterGenerator,
    prompts: &[String],
    seed: u64,
) -> Result<Timed, Error> {
    let started = Instant::now();
    let encode =
        async |encoder: &PromptEncoder, prompts: &[&str], report: &mut dyn FnMut(usize)| {
            let states = encode_on_device(encoder, prompts, report).await?;
            let (shape, device) = (states.dims(), states.device());
            let mut values = read_values(states).await?;
            replace_by_noise(&mut values, shape[2], seed);
            let data = TensorData::new(values, shape);
            Ok::<_, Error>(Tensor::from_data(data, &device))
        };
    let generation = block_on(generator.generate(prompts, seed, encode, &mut |_, _, _| ()))?;
    Ok((generation.adapter, started.elapsed().as_secs_f64()))
}

/// Replaces the states of all tokens, `width` values each, except padding, which is zero.
fn replace_by_noise(values: &mut [f32], width: usize, seed: u64) {
    let is_real = |token: &[f32]| token.iter().any(|value| *value != 0.0);
    let (mut count, mut sum, mut squares) = (0.0f64, 0.0f64, 0.0f64);
    for token in values.chunks(width).filter(|token| is_real(token)) {
        for value in token {
            count += 1.0;
            sum += f64::from(*value);
            squares += f64::from(*value).powi(2);
        }
    }
    if count == 0.0 {
        return;
    }
    let mean = sum / count;
    let deviation = (squares / count - mean * mean).max(0.0).sqrt();
    let mut random = ChaCha12Rng::seed_from_u64(seed);
    // `new` fails only if the deviation is not finite.
    let Ok(normal) = Normal::new(mean, deviation) else {
        return;
    };
    for token in values.chunks_mut(width).filter(|token| is_real(token)) {
        for value in token {
            *value = normal.sample(&mut random) as f32;
        }
    }
}

/// The task whose prompts replace those of `task`. The held-out tasks are shuffled by the seed,
/// and each takes the prompts of the next one, cyclically, so none keeps its own. If `task` is
/// not held out, or is the only one, all tasks are shuffled instead.
pub(super) fn shuffled_control_task<'a>(
    tasks: &'a [Task],
    task: &str,
    seed: u64,
) -> Option<&'a Task> {
    let held_out: Vec<&Task> = tasks.iter().filter(|task| task.role == Role::Dev).collect();
    let is_among = held_out.iter().any(|other| other.name == task);
    let mut round = if is_among && held_out.len() > 1 {
        held_out
    } else {
        tasks.iter().collect()
    };
    round.shuffle(&mut ChaCha12Rng::seed_from_u64(seed));
    let place = round.iter().position(|other| other.name == task)?;
    let other = round[(place + 1) % round.len()];
    (other.name != task).then_some(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_has_the_mean_and_deviation_of_the_states() {
        let mut values: Vec<f32> = (0..4000).map(|i| 3.0 + (i % 2) as f32 * 2.0).collect();
        values.extend([0.0; 8]);
        replace_by_noise(&mut values, 4, 1);
        let real = &values[..4000];
        let mean = real.iter().sum::<f32>() / 4000.0;
        let variance = real.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / 4000.0;
        assert!((mean - 4.0).abs() < 0.1, "{mean}");
        assert!((variance - 1.0).abs() < 0.1, "{variance}");
        assert_eq!(values[4000..], [0.0; 8]);
    }

    fn task(name: &str, role: Role) -> Task {
        Task {
            name: name.to_owned(),
            family: "family".to_owned(),
            role,
            ship: true,
            templates: Vec::new(),
        }
    }

    #[test]
    fn no_task_keeps_its_prompts_and_none_are_taken_twice() {
        let mut tasks: Vec<Task> = ["a", "b", "c", "d"].map(|n| task(n, Role::Dev)).to_vec();
        tasks.push(task("e", Role::Train));
        for seed in 0..20 {
            let mut taken: Vec<&str> = Vec::new();
            for name in ["a", "b", "c", "d"] {
                let other = shuffled_control_task(&tasks, name, seed).unwrap();
                assert_ne!(other.name, name);
                taken.push(&other.name);
            }
            taken.sort_unstable();
            assert_eq!(taken, ["a", "b", "c", "d"]);
        }
    }

    #[test]
    fn a_single_held_out_task_takes_any_other() {
        let tasks = [task("a", Role::Dev), task("b", Role::Train)];
        assert_eq!(shuffled_control_task(&tasks, "a", 3).unwrap().name, "b");
        assert!(shuffled_control_task(&tasks[..1], "a", 3).is_none());
    }
}
