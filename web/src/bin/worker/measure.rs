//! Times encoder and generator for `cargo xtask bench`.

use burn::tensor::{Device, Int, Tensor, TensorData};
use dnd_model::AdapterGenerator;

use super::download::now;
use super::failure::Failure;
use super::helpers::Helpers;
use super::models::read;
use dnd_web::protocol::Event;

/// The value of tests/bench/browser.mjs.
const VOCABULARY: usize = 20_000;

/// Times one run of the encoder, with helpers if given, and one of the generator.
pub async fn measure(
    generator: &AdapterGenerator,
    helpers: Option<&mut Helpers>,
    [prompts, tokens]: [usize; 2],
    device: &Device,
) -> Result<Event, Failure> {
    let encoder = generator.prompt_encoder();
    let started;
    let states = if let Some(helpers) = helpers {
        helpers.prepare().await;
        // Tokens beyond L are left out.
        let prompt = "word ".repeat(tokens);
        started = now();
        let prompts = vec![prompt.as_str(); prompts];
        let (states, workers) = helpers.encode(encoder, &prompts, &mut |_| ()).await?;
        if workers == 1 {
            return Err(Failure::other("There is no helper to be measured."));
        }
        states
    } else {
        let ids = (0..prompts * tokens).map(|place| (1000 + place * 7919 % VOCABULARY) as i32);
        let data = TensorData::new(ids.collect::<Vec<i32>>(), [prompts, tokens]);
        let ids: Tensor<2, Int> = Tensor::from_data(data, device);
        let mask = Tensor::ones([prompts, tokens], device);
        started = now();
        encoder.encoder().forward(ids, mask)
    };
    // Reading back the last prompt waits for all, with the least transfer.
    read(states.narrow(0, prompts - 1, 1)).await?;
    let encode = (now() - started) / 1e3;

    let shape = generator.condition_shape();
    let numbers = (0..shape.iter().product()).map(|i: usize| (i * 37 % 101) as f32 / 101.0 - 0.5);
    let data = TensorData::new(numbers.collect::<Vec<f32>>(), shape);
    let states: Tensor<3> = Tensor::from_data(data, device);
    read(states.clone().narrow(0, 0, 1)).await?;
    let started = now();
    let decoded = generator.decode(states, &mut |_| ());
    read(decoded.values().clone().narrow(0, 0, 1)).await?;
    let decode = (now() - started) / 1e3;
    Ok(Event::Measured { encode, decode })
}
