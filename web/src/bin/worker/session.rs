//! The worker's state between requests.

use dnd_model::{AdapterGenerator, PromptEncoder};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{RequestCache, RequestInit, Response};

use super::base_model::BaseModel;
use super::device::Choice;
use super::failure::{Failure, reason};
use super::generate;
use super::helpers::Helpers;
use super::measure::measure;
use super::models::{Files, Timings, fetch, read};
use super::reply::{Reply, scope};
use super::store::Store;
use dnd_web::manifest::{self, Manifest, ModelFile, Role};
use dnd_web::protocol::{Cause, DeviceChoice, Event, FilesReport, Request, Stage};

/// The chosen device, the model files and the models loaded from them.
#[derive(Default)]
pub struct Session {
    base: String,
    choice: Option<Choice>,
    /// The base model that was asked for.
    wanted: Option<String>,
    /// With the chosen generator alone.
    manifest: Option<Manifest>,
    /// The base models that the manifest has generators for.
    models: Vec<String>,
    store: Option<Store>,
    not_stored: Option<String>,
    generator: Option<AdapterGenerator>,
    /// Started once the models are loaded and stored.
    helpers: Option<Helpers>,
    /// The encoder of a worker that helps another one.
    helper_encoder: Option<PromptEncoder>,
    /// Loaded when the page asks for it, in a worker of its own.
    base_model: Option<BaseModel>,
    /// Seconds of loading, for the report of the first adapter.
    timings: Timings,
}

impl Session {
    /// Serves one request.
    pub async fn answer(
        &mut self,
        request: Request,
        files: &[Vec<u8>],
        reply: Reply,
    ) -> Result<(), Failure> {
        match request {
            Request::Start {
                device,
                base,
                model,
            } => {
                self.base = base;
                self.wanted = model;
                self.start(device, reply).await
            }
            Request::Prepare => {
                self.load(reply).await?;
                reply.post(Event::Prepared);
                self.start_helpers().await;
                Ok(())
            }
            Request::Help { manifest, tokens } => self.help(manifest, tokens, reply).await,
            Request::Encode { prompts } => {
                let encoder = self.helper_encoder.as_ref().ok_or_else(not_started)?;
                let prompts: Vec<&str> = prompts.iter().map(String::as_str).collect();
                let states = encoder.encode(&prompts)?;
                reply.encoded(states.dims(), &read(states).await?);
                Ok(())
            }
            Request::Generate { prompts, seed } => {
                self.load(reply).await?;
                let timings = std::mem::take(&mut self.timings);
                let generator = self.generator.as_ref().ok_or_else(not_started)?;
                let mut no_helpers = Helpers::default();
                let helpers = self.helpers.as_mut().unwrap_or(&mut no_helpers);
                generate::generate(generator, helpers, &prompts, seed, timings, reply).await?;
                self.start_helpers().await;
                Ok(())
            }
            Request::Measure {
                prompts,
                tokens,
                kernels,
                helpers,
            } => {
                if self.generator.is_none() {
                    dnd_kernels::gpu::enable(kernels);
                }
                self.load(reply).await?;
                if helpers {
                    self.start_helpers().await;
                }
                let choice = self.choice.as_mut().ok_or_else(not_started)?;
                let device = choice.open().await?;
                let generator = self.generator.as_ref().ok_or_else(not_started)?;
                let mut no_helpers = Helpers::default();
                let helpers = helpers.then(|| self.helpers.as_mut().unwrap_or(&mut no_helpers));
                reply.post(measure(generator, helpers, [prompts, tokens], &device).await?);
                Ok(())
            }
            Request::OpenBase {
                base,
                model,
                device,
            } => {
                self.base = base;
                self.wanted = model;
                self.open_base(device, reply).await
            }
            Request::Adapt => {
                let base_model = self.base_model.as_mut().ok_or_else(no_base_model)?;
                base_model.adapt(files)?;
                reply.post(Event::Adapted);
                Ok(())
            }
            Request::Answer {
                prompt,
                adapted,
                decoding,
            } => {
                let base_model = self.base_model.as_mut().ok_or_else(no_base_model)?;
                base_model.answer(&prompt, adapted, decoding, reply).await
            }
            // Has its effect when it arrives.
            Request::Stop => Ok(()),
            Request::Delete => self.delete(reply).await,
        }
    }

    async fn start(&mut self, device: DeviceChoice, reply: Reply) -> Result<(), Failure> {
        let choice = Choice::make(device).await;
        reply.post(Event::Device(choice.report.clone()));
        self.choice = Some(choice);
        match Store::open().await {
            Ok(store) => self.store = Some(store),
            Err(reason) => self.not_stored = Some(reason),
        }
        let manifest = self.fetch_manifest().await?;
        if let Some(store) = &self.store {
            // Files of earlier versions. One that another tab is reading is deleted at a later
            // start.
            let _ = store.remove_others(Some(&manifest)).await;
        }
        self.choose(manifest)?;
        self.report_files(reply).await;
        Ok(())
    }

    /// Keeps the generator that was asked for.
    fn choose(&mut self, manifest: Manifest) -> Result<&Manifest, Failure> {
        self.models = manifest.names();
        let chosen = manifest.with_generator(self.wanted.as_deref());
        let chosen = chosen.map_err(|error| Failure::new(Cause::NoModel, error.to_string()))?;
        Ok(self.manifest.insert(chosen))
    }

    async fn fetch_manifest(&self) -> Result<Manifest, Failure> {
        let failure =
            |cause, what: &str| Failure::new(cause, format!("{}: {what}.", manifest::FILE));
        let broken = |error: JsValue| failure(Cause::Download, &reason(&error));
        let url = format!("{}{}", self.base, manifest::FILE);
        let options = RequestInit::new();
        // An old manifest would point to files that are gone.
        options.set_cache(RequestCache::NoCache);
        let response = scope().fetch_with_str_and_init(&url, &options);
        let response = JsFuture::from(response).await.map_err(broken)?;
        let response: Response = response.unchecked_into();
        match response.status() {
            _ if response.ok() => {}
            404 | 410 => return Err(failure(Cause::Outdated, "the server does not have it")),
            status => {
                let answered = format!("the server answered {status}");
                return Err(failure(Cause::Download, &answered));
            }
        }
        let kind = response.headers().get("Content-Type").ok().flatten();
        if kind.is_some_and(|kind| kind.starts_with("text/html")) {
            return Err(failure(Cause::Outdated, "a web page stands in its place"));
        }
        let text = async { JsFuture::from(response.text()?).await };
        let text = text.await.map_err(broken)?.as_string().unwrap_or_default();
        Manifest::from_json(&text).map_err(|error| {
            let cause = match error {
                manifest::Error::Format(_) => Cause::Outdated,
                _ => Cause::Other,
            };
            Failure::new(cause, error.to_string())
        })
    }

    async fn report_files(&self, reply: Reply) {
        let Some(manifest) = &self.manifest else {
            return;
        };
        let base_model = manifest.base_model.as_slice();
        let base_total = base_model.iter().map(|file| file.bytes).sum();
        let (stored, base_stored) = match &self.store {
            Some(store) => {
                let stored = store.stored(&manifest.files).await;
                (stored, store.stored(base_model).await)
            }
            None => (0, 0),
        };
        reply.post(Event::Files(FilesReport {
            models: self.models.clone(),
            model: manifest.name.clone(),
            total: manifest.total(),
            stored,
            base_total,
            base_stored,
            not_stored: self
                .not_stored
                .as_ref()
                .filter(|_| stored < manifest.total() || base_stored < base_total)
                .map(|reason| {
                    format!(
                        "The models cannot be stored on this device ({reason}), so the next visit \
                         downloads them again."
                    )
                }),
        }));
    }

    /// Loads the models unless they are loaded.
    async fn load(&mut self, reply: Reply) -> Result<(), Failure> {
        if self.generator.is_some() {
            return Ok(());
        }
        if self.manifest.is_none() {
            let manifest = self.fetch_manifest().await?;
            self.choose(manifest)?;
        }
        self.timings.clear();
        // The device runs the self-test during the download. A failure is reported later, when
        // the models are loaded onto it.
        let choice = self.choice.as_mut().ok_or_else(not_started)?;
        let _ = choice.test().await;
        let manifest = self.manifest.clone().ok_or_else(not_started)?;
        let files = self.fetch(&manifest.files, reply).await?;
        let choice = self.choice.as_mut().ok_or_else(not_started)?;
        let loaded = files.load(&manifest, choice, &mut self.timings, reply);
        self.generator = Some(loaded.await?);
        Ok(())
    }

    /// Reads files from the store, downloads what is missing, and reports what is stored.
    async fn fetch<'a>(
        &mut self,
        wanted: &'a [ModelFile],
        reply: Reply,
    ) -> Result<Files<'a>, Failure> {
        let files = fetch(
            wanted,
            &self.base,
            self.store.as_ref(),
            &mut self.not_stored,
            &mut self.timings,
            reply,
        )
        .await;
        // What was downloaded is stored, even if it is incomplete.
        self.report_files(reply).await;
        files
    }

    /// Starts helpers, once, when the CPU computes and all models are stored. Called after a
    /// request is answered, so that it does not wait for them.
    async fn start_helpers(&mut self) {
        let on_cpu = self
            .choice
            .as_ref()
            .is_some_and(|choice| !choice.report.gpu);
        let (Some(generator), Some(manifest), Some(store)) =
            (&self.generator, &self.manifest, &self.store)
        else {
            return;
        };
        if on_cpu
            && self.helpers.is_none()
            && store.stored(&manifest.files).await == manifest.total()
        {
            let tokens = generator.prompt_encoder().length();
            self.helpers = Some(Helpers::start(manifest, tokens));
        }
    }

    /// Loads the encoder to help another worker.
    async fn help(
        &mut self,
        mut manifest: Manifest,
        tokens: usize,
        reply: Reply,
    ) -> Result<(), Failure> {
        // Choosing the CPU enables relaxed SIMD; the report is not sent.
        let choice = self.choice.insert(Choice::cpu("It helps.", Vec::new()));
        let device = choice.open().await?;
        manifest.files.retain(|file| file.role != Role::Bundle);
        let store = Store::open().await.map_err(Failure::other)?;
        let files = Files::stored(&manifest.files, &store, reply).await?;
        self.helper_encoder = Some(files.prompt_encoder(tokens, &device)?);
        reply.post(Event::Prepared);
        Ok(())
    }

    /// Loads the base model unless it is loaded.
    async fn open_base(&mut self, device: DeviceChoice, reply: Reply) -> Result<(), Failure> {
        if self.base_model.is_some() {
            reply.post(Event::Opened);
            return Ok(());
        }
        // Choosing the CPU enables relaxed SIMD.
        let mut choice = Choice::make(device).await;
        let device = choice.open().await?;
        if choice.report.gpu {
            reply.post(Event::Device(choice.report));
        }
        match Store::open().await {
            Ok(store) => self.store = Some(store),
            Err(reason) => self.not_stored = Some(reason),
        }
        let manifest = self.fetch_manifest().await?;
        let manifest = self.choose(manifest)?.clone();
        let wanted = manifest.base_model.as_slice();
        if wanted.is_empty() {
            return Err(Failure::other(format!(
                "{}: field `base_model`: expected a file, found none",
                manifest::FILE
            )));
        }
        let files = self.fetch(wanted, reply).await?;
        reply.progress(Stage::Upload, 0, 0);
        self.base_model = Some(BaseModel::load(&files, &device)?);
        reply.post(Event::Opened);
        Ok(())
    }

    async fn delete(&mut self, reply: Reply) -> Result<(), Failure> {
        // Drops the loaded models too, so that the next generation downloads them again.
        self.generator = None;
        self.helpers = None;
        if let Some(store) = &self.store {
            store.remove_others(None).await.map_err(|reason| {
                Failure::other(format!("The stored models cannot be deleted: {reason}"))
            })?;
        }
        self.report_files(reply).await;
        Ok(())
    }
}

fn no_base_model() -> Failure {
    Failure::other("The base model was asked before it was opened.")
}

fn not_started() -> Failure {
    Failure::other("Models were requested before a device was chosen.")
}
