//! What a task's conditions are made of: prompts, descriptions, and descriptions with inputs.

use std::path::PathBuf;

use burn::tensor::{Device, Tensor, TensorData};
use dnd_adapter::{Precision, tensor_file};
use dnd_model::files::Encoder;
use dnd_model::{PromptEncoder, Weights};
use rand::Rng;
use rand::seq::index;
use rand_chacha::ChaCha12Rng;

use super::BehaviourSettings;
use crate::Error;

/// Most inputs beside a description.
const MOST_INPUTS: usize = 4;
/// Inputs that those beside descriptions are drawn from.
const INPUTS: usize = 12;

/// Encodes texts, and keeps their hidden states in the cache folder: a run encodes tens of
/// thousands.
pub struct CachedEncoder {
    encoder: PromptEncoder,
    device: Device,
    /// Hidden states by the hash of their texts; none where no cache folder is known.
    folder: Option<PathBuf>,
    /// What hidden states depend on beside the texts.
    id: String,
}

impl CachedEncoder {
    /// Reads `length` tokens of each text.
    ///
    /// # Errors
    /// When the encoder cannot be read.
    pub fn new(encoder: &Encoder, length: usize, device: &Device) -> Result<Self, Error> {
        Ok(Self {
            encoder: PromptEncoder::new(&encoder.model, &encoder.tokenizer_json, length, device)?,
            device: device.clone(),
            folder: dnd_files::cache_folder().map(|folder| folder.join("encoded")),
            id: format!("{} {length}", encoder.id()?.sha256),
        })
    }

    /// Hidden states (texts, L, C), rounded to half precision.
    fn encode(&self, texts: &[&str]) -> Result<Tensor<3>, Error> {
        let key = dnd_files::sha256(format!("{} {texts:?}", self.id).as_bytes());
        let path = self.folder.as_ref().map(|folder| folder.join(key));
        let bytes = match &path {
            Some(path) if path.exists() => dnd_files::read(path)?,
            _ => {
                let states = self.encoder.encode(texts)?;
                let shape = states.dims();
                let values = states.try_into_vec_as::<f32>();
                let values = values.map_err(dnd_model::Error::device)?;
                let tensor = (
                    STATES.to_owned(),
                    &shape[..],
                    &*values,
                    Precision::F16.into(),
                );
                tensor_file::write(STATES, [tensor], ("format", "pt".to_owned()))?
            }
        };
        if let Some((path, folder)) = path.filter(|path| !path.exists()).zip(self.folder.as_ref()) {
            dnd_files::make_folder(folder)?;
            dnd_files::write(&path, &bytes)?;
        }
        let shape = [
            texts.len(),
            self.encoder.length(),
            self.encoder.hidden_size(),
        ];
        let weights = Weights::from_safetensors(&bytes, STATES)?;
        Ok(weights.tensor(STATES, shape, &self.device)?)
    }
}

/// Name of the only tensor of a file of the cache.
const STATES: &str = "states";

/// Encoded texts of a task: rows of prompts, then of descriptions, then of inputs.
pub struct Texts {
    states: Tensor<3>,
    prompts: usize,
    descriptions: usize,
    inputs: usize,
}

impl Texts {
    /// Encodes the texts, or reads what an earlier run encoded; `inputs` belong to the first
    /// prompts. Without descriptions, inputs are not needed.
    ///
    /// # Errors
    /// When the tokenizer fails, or the cache folder cannot be written.
    pub fn encode(
        encoder: &CachedEncoder,
        prompts: &[&str],
        descriptions: &[&str],
        inputs: &[&str],
    ) -> Result<Self, Error> {
        let inputs = match descriptions {
            [] => &[],
            _ => &inputs[..inputs.len().min(INPUTS)],
        };
        let all = [prompts, descriptions, inputs].concat();
        Ok(Self {
            states: encoder.encode(&all)?,
            prompts: prompts.len(),
            descriptions: descriptions.len(),
            inputs: inputs.len(),
        })
    }

    /// Hidden states (rows, L, C) of all texts.
    pub fn states(&self) -> &Tensor<3> {
        &self.states
    }

    /// Rows of prompts; row i is that of line i.
    pub fn prompts(&self) -> usize {
        self.prompts
    }

    /// Draws the rows of a condition; with them come the lines that it shows.
    pub fn draw(
        &self,
        settings: &BehaviourSettings,
        random: &mut ChaCha12Rng,
    ) -> (Vec<usize>, Vec<usize>) {
        if self.descriptions > 0 && random.random_bool(settings.describe) {
            let description = self.prompts + random.random_range(0..self.descriptions);
            // Half of the time the description is alone.
            let most = if random.random_bool(0.5) {
                self.inputs.min(MOST_INPUTS)
            } else {
                0
            };
            let count = random.random_range(0..=most);
            let lines = index::sample(random, self.inputs, count).into_vec();
            let start = self.prompts + self.descriptions;
            let inputs = lines.iter().map(|line| start + line);
            return ([description].into_iter().chain(inputs).collect(), lines);
        }
        let most = settings.most_prompts.min(self.prompts);
        let fewest = settings.fewest_prompts.min(most);
        // As often few prompts as many.
        let part: f64 = random.random_range(0.0..=1.0);
        let count = fewest as f64 * (most as f64 / fewest as f64).powf(part);
        let lines = index::sample(random, self.prompts, count.round() as usize).into_vec();
        (lines.clone(), lines)
    }

    /// Hidden states (count, L, C) of these rows, gone through again until there are `count`.
    pub fn select(&self, rows: &[usize], count: usize) -> Tensor<3> {
        let places = rows.iter().map(|&row| row as i32);
        let places: Vec<i32> = places.cycle().take(count).collect();
        let places = Tensor::from_data(places.as_slice(), &self.states.device());
        self.states.clone().select(0, places)
    }
}

/// Zeroes a part of the tokens of hidden states (N, L, C).
pub fn disturb(states: Tensor<3>, dropout: f64, random: &mut ChaCha12Rng) -> Tensor<3> {
    if dropout == 0.0 {
        return states;
    }
    let [prompts, length, _] = states.dims();
    let kept: Vec<f32> = (0..prompts * length)
        .map(|_| f32::from(u8::from(!random.random_bool(dropout))))
        .collect();
    let kept = TensorData::new(kept, [prompts, length, 1]);
    let kept = Tensor::from_data(kept, &states.device());
    states * kept
}

/// Stacks conditions (N, L, C) to (B, N, L, C), the longest N; the others get padding.
pub fn stack(conditions: Vec<Tensor<3>>) -> Tensor<4> {
    let most = conditions.iter().map(|condition| condition.dims()[0]);
    let most = most.max().unwrap_or(0);
    let padded = conditions.into_iter().map(|condition| {
        let [prompts, length, width] = condition.dims();
        if prompts == most {
            return condition;
        }
        let padding = Tensor::zeros([most - prompts, length, width], &condition.device());
        Tensor::cat(vec![condition, padding], 0)
    });
    Tensor::stack(padded.collect(), 0)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    /// Row i has the value i + 1 everywhere.
    fn texts(prompts: usize, descriptions: usize, inputs: usize) -> Texts {
        let rows = prompts + descriptions + inputs;
        let values: Vec<f32> = (0..rows).map(|row| row as f32 + 1.0).collect();
        let states = Tensor::<1>::from_data(values.as_slice(), &Device::flex());
        Texts {
            states: states.reshape([rows, 1, 1]),
            prompts,
            descriptions,
            inputs,
        }
    }

    fn draws(texts: &Texts, describe: f64) -> Vec<(Vec<usize>, Vec<usize>)> {
        let settings = BehaviourSettings {
            describe,
            fewest_prompts: 2,
            most_prompts: 6,
            ..BehaviourSettings::default()
        };
        let mut random = ChaCha12Rng::seed_from_u64(1);
        let draw = |_| texts.draw(&settings, &mut random);
        (0..200).map(draw).collect()
    }

    #[test]
    fn conditions_are_of_prompts_or_begin_with_a_description() {
        let texts = texts(10, 3, 8);
        for (rows, lines) in draws(&texts, 0.0) {
            assert!((2..=6).contains(&rows.len()));
            assert_eq!(rows, lines);
            assert!(rows.iter().all(|&row| row < 10));
        }
        let described = draws(&texts, 1.0);
        for (rows, lines) in &described {
            assert!((10..13).contains(&rows[0]));
            assert!(lines.len() <= MOST_INPUTS);
            let inputs: Vec<usize> = lines.iter().map(|line| 13 + line).collect();
            assert_eq!(rows[1..], inputs);
        }
        let alone = described.iter().filter(|(rows, _)| rows.len() == 1).count();
        assert!((90..160).contains(&alone), "{alone}");
    }

    #[test]
    fn short_conditions_are_padded() {
        let texts = texts(3, 0, 0);
        let stacked = stack(vec![texts.select(&[0, 2], 2), texts.select(&[1], 1)]);
        assert_eq!(stacked.dims(), [2, 2, 1, 1]);
        let values = stacked.into_data().try_into_vec::<f32>().unwrap();
        assert_eq!(values, [1.0, 3.0, 2.0, 0.0]);
        // A generator that reads a fixed number of prompts gets them again.
        let repeated = texts.select(&[0, 1], 5).into_data();
        let repeated = repeated.try_into_vec::<f32>().unwrap();
        assert_eq!(repeated, [1.0, 2.0, 1.0, 2.0, 1.0]);
    }
}
