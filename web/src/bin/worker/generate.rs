//! Generates the files of an adapter from prompts.

use dnd_adapter::Precision;
use dnd_model::{AdapterGenerator, PromptEncoder};

use super::download::now;
use super::failure::Failure;
use super::helpers::Helpers;
use super::models::Timings;
use super::reply::Reply;
use super::store::sha256;
use dnd_web::protocol::{Report, SimilarTask, Stage};

/// Number of training tasks to show.
const SHOWN_TASKS: usize = 5;

/// Generates an adapter, packs it and posts it. The same prompts and seed give the files of
/// `dnd generate`, except for rounding differences.
pub async fn generate(
    generator: &AdapterGenerator,
    helpers: &mut Helpers,
    prompts: &[String],
    seed: u64,
    mut timings: Timings,
    reply: Reply,
) -> Result<(), Failure> {
    let started = now();
    let mut encoded = started;
    let mut workers = 1;
    let encode =
        async |encoder: &PromptEncoder, prompts: &[&str], report: &mut dyn FnMut(usize)| {
            let states;
            (states, workers) = helpers.encode(encoder, prompts, report).await?;
            Ok::<_, Failure>(states)
        };
    let mut report = |stage, done: usize, total: usize| {
        if stage == dnd_model::Stage::Decode && done == 0 {
            encoded = now();
        }
        let stage = match stage {
            dnd_model::Stage::Encode => Stage::Encode,
            dnd_model::Stage::Decode => Stage::Decode,
        };
        reply.progress(stage, done as u64, total as u64);
    };
    let generation = generator
        .generate(prompts, seed, encode, &mut report)
        .await?;
    timings.push((Stage::Encode, (encoded - started) / 1e3));
    // There is no synchronization after encoding, so on a GPU this includes the encoding.
    timings.push((Stage::Decode, (now() - encoded) / 1e3));

    let started = now();
    reply.progress(Stage::Pack, 0, 0);
    let files = generation.files(Precision::F16)?;
    let archive = files.zip()?;
    let gguf = generator.base();
    let gguf = gguf.map(|base| generation.gguf(base, Precision::F16));
    let gguf = gguf.transpose()?;
    let hash = async |bytes: &[u8]| sha256(bytes).await.map_err(Failure::other);
    let mut report = Report {
        base_model: generation.adapter.layout.base_model.clone(),
        seed,
        given: generation.given,
        read: generation.draw.indices.len(),
        workers,
        sha256: hash(&files.peft.model).await?,
        zip_sha256: hash(&archive).await?,
        doubt: generation.doubt().map(str::to_owned),
        similar: generator
            .similar_tasks(&generation.embedding)
            .into_iter()
            .take(SHOWN_TASKS)
            .map(|(name, similarity)| SimilarTask { name, similarity })
            .collect(),
        timings,
    };
    report.timings.push((Stage::Pack, (now() - started) / 1e3));
    let peft = [&archive, &files.peft.model, &files.peft.config];
    let files: Vec<&[u8]> = peft.into_iter().chain(&gguf).map(Vec::as_slice).collect();
    reply.done(report, &files);
    Ok(())
}
