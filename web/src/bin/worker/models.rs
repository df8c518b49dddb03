//! Loads model files into a generator on a device that passed the self-test.

use burn::tensor::{Device, Tensor};
use dnd_adapter::Bundle;
use dnd_model::{
    AdapterGenerator, EncoderFiles, PromptEncoder, TextEncoder, TextEncoderConfig, Weights,
    read_values, self_test,
};

use super::device::{Choice, is_lost};
use super::download::{Download, Meter, now};
use super::failure::Failure;
use super::reply::Reply;
use super::store::{Store, sha256};
use dnd_web::manifest::{Manifest, ModelFile, Role};
use dnd_web::protocol::{Cause, Event, SelfTest, Stage};

/// The verified bytes of the model files.
pub struct Files<'a> {
    files: &'a [ModelFile],
    bytes: Vec<Vec<u8>>,
}

/// Seconds of the stages so far, in order.
pub type Timings = Vec<(Stage, f64)>;

/// Reads the files from the store and downloads what is missing. `not_stored` is set to the
/// reason when something cannot be stored.
pub async fn fetch<'a>(
    wanted: &'a [ModelFile],
    base: &str,
    store: Option<&Store>,
    not_stored: &mut Option<String>,
    timings: &mut Timings,
    reply: Reply,
) -> Result<Files<'a>, Failure> {
    if store.is_some() {
        *not_stored = None;
    }
    let mut stored = Vec::new();
    for file in wanted {
        let mut bytes = match store {
            Some(store) => store.read(file).await,
            None => Vec::new(),
        };
        bytes.truncate(file.bytes as usize);
        stored.push(bytes);
    }
    let present: usize = stored.iter().map(Vec::len).sum();
    let total: u64 = wanted.iter().map(|file| file.bytes).sum();
    let missing = total - present as u64;
    let started = now();
    let mut meter = Meter::new(missing, reply);
    let mut complete = Vec::new();
    for (file, bytes) in wanted.iter().zip(stored) {
        if bytes.len() as u64 == file.bytes {
            complete.push(bytes);
            continue;
        }
        let appender = match store {
            Some(store) => match store.append(file, bytes.len()).await {
                Ok(appender) => appender,
                Err(reason) => {
                    *not_stored = Some(reason);
                    None
                }
            },
            None => None,
        };
        let mut download = Download {
            base,
            file,
            bytes,
            appender,
            not_stored: None,
        };
        let outcome = download.complete(&mut meter).await;
        let is_damaged = matches!(&outcome, Err(failure) if failure.cause == Cause::Corrupt);
        drop(download.appender);
        if let Some(store) = store
            && (is_damaged || download.not_stored.is_some())
        {
            // A damaged or incomplete file only takes space.
            store.remove(file).await;
        }
        if download.not_stored.is_some() {
            *not_stored = download.not_stored;
        }
        outcome?;
        complete.push(download.bytes);
    }
    if missing > 0 {
        timings.push((Stage::Download, (now() - started) / 1e3));
    }
    let files = Files {
        files: wanted,
        bytes: complete,
    };
    files.verify(store, timings, reply).await?;
    Ok(files)
}

impl<'a> Files<'a> {
    /// Reads stored files; fails when one is missing or incomplete.
    pub async fn stored(
        files: &'a [ModelFile],
        store: &Store,
        reply: Reply,
    ) -> Result<Self, Failure> {
        let mut bytes = Vec::new();
        for file in files {
            let mut read = store.read(file).await;
            read.truncate(file.bytes as usize);
            bytes.push(read);
        }
        let files = Self { files, bytes };
        // Only the other worker may repair them.
        files.verify(None, &mut Timings::new(), reply).await?;
        Ok(files)
    }

    async fn verify(
        &self,
        store: Option<&Store>,
        timings: &mut Timings,
        reply: Reply,
    ) -> Result<(), Failure> {
        let started = now();
        let total = self.files.iter().map(|file| file.bytes).sum();
        let mut done = 0;
        reply.progress(Stage::Verify, done, total);
        let mut damaged = Vec::new();
        for (file, bytes) in self.files.iter().zip(&self.bytes) {
            let found = sha256(bytes).await.map_err(Failure::other)?;
            if found != file.sha256 {
                if let Some(store) = store {
                    store.remove(file).await;
                }
                damaged.push(format!(
                    "{}: expected SHA-256 {}, found {found}.",
                    file.path, file.sha256
                ));
            }
            done += file.bytes;
            reply.progress(Stage::Verify, done, total);
        }
        if !damaged.is_empty() {
            return Err(Failure::new(Cause::Corrupt, damaged.join(" ")));
        }
        timings.push((Stage::Verify, (now() - started) / 1e3));
        Ok(())
    }

    /// The file with this role and its bytes.
    pub fn of(&self, role: Role) -> Result<(&ModelFile, &[u8]), Failure> {
        let mut files = self.files.iter().zip(&self.bytes);
        files
            .find(|(file, _)| file.role == role)
            .map(|(file, bytes)| (file, &bytes[..]))
            .ok_or_else(|| Failure::other(format!("manifest.json: no file with role {role:?}")))
    }

    /// Builds the models on the chosen device and runs the self-test. If the GPU fails, falls back
    /// to the CPU and updates `choice`.
    pub async fn load(
        &self,
        manifest: &Manifest,
        choice: &mut Choice,
        timings: &mut Timings,
        reply: Reply,
    ) -> Result<AdapterGenerator, Failure> {
        let failure = match self.load_on(manifest, choice, timings, reply).await {
            Ok(generator) => return Ok(generator),
            Err(failure) => failure,
        };
        // A lost GPU may still be good: the page tries it again.
        if !choice.report.gpu || is_lost() {
            return Err(failure);
        }
        choice.fall_back(failure.message.trim_end_matches('.'));
        reply.post(Event::Device(choice.report.clone()));
        self.load_on(manifest, choice, timings, reply).await
    }

    async fn load_on(
        &self,
        manifest: &Manifest,
        choice: &mut Choice,
        timings: &mut Timings,
        reply: Reply,
    ) -> Result<AdapterGenerator, Failure> {
        let started = now();
        reply.progress(Stage::Upload, 0, 0);
        let device = choice.open().await?;
        let generator = self.build(manifest, &device)?;
        timings.push((Stage::Upload, (now() - started) / 1e3));

        let started = now();
        reply.progress(Stage::Compile, 0, 0);
        let tested = self_test_result(choice.test().await?).await?;
        reply.post(Event::SelfTest(tested));
        timings.push((Stage::Compile, (now() - started) / 1e3));
        if tested.passed() {
            return Ok(generator);
        }
        let device = if choice.report.gpu { "GPU" } else { "CPU" };
        let found = if tested.largest_difference == f32::MAX {
            "NaN".to_owned()
        } else {
            format!("a difference of {:.1e}", tested.largest_difference)
        };
        Err(Failure::other(format!(
            "The {device} failed the self-test (expected a difference of at most {:.1e}, found \
             {found})",
            tested.tolerance
        )))
    }

    fn build(&self, manifest: &Manifest, device: &Device) -> Result<AdapterGenerator, Failure> {
        let encoder = self.encoder(device)?;
        let (_, tokenizer_json) = self.of(Role::Tokenizer)?;
        let (file, bytes) = self.of(Role::Bundle)?;
        let bundle = Bundle::read(bytes, &file.path)?;
        let found = &bundle.header.layout.base_model;
        if let Some(expected) = manifest.name.as_ref().filter(|name| *name != found) {
            return Err(Failure::other(format!(
                "{}: base model: expected {expected}, as the manifest says, found {found}",
                file.path
            )));
        }
        let files = EncoderFiles {
            model: &encoder,
            tokenizer_json,
            id: &manifest.encoder,
        };
        Ok(AdapterGenerator::new(&bundle, &file.path, &files, device)?)
    }

    /// The prompt encoder alone, for prompts of `tokens` tokens.
    pub fn prompt_encoder(&self, tokens: usize, device: &Device) -> Result<PromptEncoder, Failure> {
        let encoder = self.encoder(device)?;
        let (_, tokenizer_json) = self.of(Role::Tokenizer)?;
        Ok(PromptEncoder::new(
            &encoder,
            tokenizer_json,
            tokens,
            device,
        )?)
    }

    fn encoder(&self, device: &Device) -> Result<TextEncoder, Failure> {
        let (file, bytes) = self.of(Role::EncoderConfig)?;
        let text = std::str::from_utf8(bytes)
            .map_err(|e| Failure::other(format!("{}: {e}", file.path)))?;
        let config = TextEncoderConfig::from_json(text, &file.path)?;
        let (file, bytes) = self.of(Role::Encoder)?;
        let weights = Weights::from_safetensors(bytes, &file.path)?;
        Ok(config.load(&weights, device)?)
    }
}

async fn self_test_result(tested: Tensor<1>) -> Result<SelfTest, Failure> {
    let values = read(tested).await?;
    Ok(SelfTest {
        // JSON has no infinity.
        largest_difference: self_test::largest_difference(&values)?.min(f32::MAX),
        tolerance: self_test::TOLERANCE,
    })
}

/// Reads the values of a tensor back asynchronously.
pub async fn read<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, Failure> {
    Ok(read_values(tensor).await?)
}
