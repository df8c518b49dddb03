//! What the worker knows between requests.

use dnd_model::Workshop;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::Response;

use super::device::Choice;
use super::messages::{post, scope};
use super::models::{Timings, fetch};
use super::store::Store;
use super::{Failure, generate, reason};
use dnd_web::manifest::{self, Manifest};
use dnd_web::protocol::{Cause, DeviceChoice, Event, FilesReport, Request};

/// The chosen device, the model files and what was loaded of them.
#[derive(Default)]
pub struct Session {
    base: String,
    choice: Option<Choice>,
    manifest: Option<Manifest>,
    store: Option<Store>,
    not_stored: Option<String>,
    workshop: Option<Workshop>,
}

impl Session {
    /// Serves a request to its end.
    pub async fn answer(&mut self, request: Request) -> Result<(), Failure> {
        match request {
            Request::Start { device, base } => self.start(device, base).await,
            Request::Prepare => {
                self.load(&mut Vec::new()).await?;
                post(&Event::Prepared);
                Ok(())
            }
            Request::Generate { prompts, seed } => {
                let mut timings = Vec::new();
                let workshop = self.load(&mut timings).await?;
                generate::generate(workshop, &prompts, seed, timings).await
            }
            Request::Delete => self.delete().await,
        }
    }

    async fn start(&mut self, device: DeviceChoice, base: String) -> Result<(), Failure> {
        self.base = base;
        let choice = Choice::make(device).await;
        post(&Event::Device(choice.report.clone()));
        self.choice = Some(choice);
        match Store::open().await {
            Ok(store) => self.store = Some(store),
            Err(reason) => self.not_stored = Some(reason),
        }
        let manifest = self.fetch_manifest().await?;
        if let Some(store) = &self.store {
            // Files of an earlier version; one that another tab is reading goes another time.
            let _ = store.remove_others(Some(&manifest)).await;
        }
        self.manifest = Some(manifest);
        self.report_files().await;
        Ok(())
    }

    async fn fetch_manifest(&self) -> Result<Manifest, Failure> {
        let failure = |what: String| {
            Failure::new(
                Cause::Download,
                format!("{}: {what}. Reload the page to try again.", manifest::FILE),
            )
        };
        let url = format!("{}{}", self.base, manifest::FILE);
        let text = async {
            let response = JsFuture::from(scope().fetch_with_str(&url)).await?;
            let response: Response = response.dyn_into()?;
            if !response.ok() {
                let status = format!("the server answered {}", response.status());
                return Err(status.into());
            }
            JsFuture::from(response.text()?).await
        };
        let text = text.await.map_err(|error| failure(reason(&error)))?;
        let text = text.as_string().unwrap_or_default();
        Manifest::from_json(&text).map_err(|error| Failure::other(error.to_string()))
    }

    async fn report_files(&self) {
        let Some(manifest) = &self.manifest else {
            return;
        };
        let stored = match &self.store {
            Some(store) => store.stored(manifest).await,
            None => 0,
        };
        post(&Event::Files(FilesReport {
            total: manifest.total(),
            stored,
            not_stored: self.not_stored.as_ref().map(|reason| {
                format!(
                    "The models cannot be stored on this device ({reason}), so the next visit \
                     fetches them again."
                )
            }),
        }));
    }

    /// The loaded models, which are loaded first if they are not.
    async fn load(&mut self, timings: &mut Timings) -> Result<&Workshop, Failure> {
        if self.workshop.is_none() {
            if self.manifest.is_none() {
                self.manifest = Some(self.fetch_manifest().await?);
            }
            let out_of_order = || Failure::other("The page asked for models before a device.");
            let files = fetch(
                self.manifest.as_ref().ok_or_else(out_of_order)?,
                &self.base,
                self.store.as_ref(),
                &mut self.not_stored,
                timings,
            )
            .await;
            // What was fetched is stored, even when not all came.
            self.report_files().await;
            let choice = self.choice.as_mut().ok_or_else(out_of_order)?;
            self.workshop = Some(files?.load(choice, timings).await?);
        }
        self.workshop
            .as_ref()
            .ok_or_else(|| Failure::other("The models were not loaded."))
    }

    async fn delete(&mut self) -> Result<(), Failure> {
        // Deleted is deleted: a later generation fetches the models anew and says so.
        self.workshop = None;
        if let Some(store) = &self.store {
            store.remove_others(None).await.map_err(|reason| {
                Failure::other(format!("The stored models cannot be deleted: {reason}"))
            })?;
        }
        self.report_files().await;
        Ok(())
    }
}
