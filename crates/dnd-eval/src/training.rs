//! The training adapters of a collection, loaded once for all tasks.

use std::path::Path;

use dnd_adapter::Adapter;
use dnd_model::lora::check_layout;

use crate::fingerprint::Fingerprint;
use crate::{Method, Sources, prompt_embedding};
use dnd_files::Observer;
use dnd_tasks::Task;
use dnd_train::Error;
use dnd_train::collect::Manifest;

/// The collection's last snapshots, and the embeddings of its tasks' prompts.
pub(super) struct Training {
    /// The finished tasks.
    pub(super) manifests: Vec<Manifest>,
    /// Their adapters, in the same order.
    pub(super) adapters: Vec<Adapter>,
    /// Embeddings of their prompts; empty if no method compares prompts.
    pub(super) embeddings: Vec<Vec<f32>>,
    /// Fingerprint of the collection.
    pub(super) hash: String,
}

impl Training {
    /// Reads what the methods need; nothing if none needs a collection.
    pub(super) fn open(
        sources: &Sources,
        methods: &[Method],
        chosen: &[Task],
        observer: &dyn Observer,
    ) -> Result<Self, Error> {
        let mut training = Self {
            manifests: Vec::new(),
            adapters: Vec::new(),
            embeddings: Vec::new(),
            hash: String::new(),
        };
        let Some(collection) = sources
            .collection
            .filter(|_| methods.iter().any(Method::needs_collection))
        else {
            return Ok(training);
        };
        check_layout(
            &collection.header.layout,
            "--collection",
            &sources.base.model.config().dimensions,
        )?;
        training.manifests = collection.finished_some()?;
        for manifest in &training.manifests {
            if chosen.iter().any(|task| task.name == manifest.task) {
                observer.note(&format!(
                    "{}: the collection has an adapter of this task, so methods that use the \
                     collection are not held-out results",
                    manifest.task
                ));
            }
        }
        training.hash = Fingerprint::new("collection")
            .json(&collection.header)?
            .json(&training.manifests)?
            .finish();
        observer.begin("read the collection", training.manifests.len() as u64);
        let compares = methods
            .iter()
            .find(|method| method.needs_prompt_embeddings());
        for manifest in &training.manifests {
            training.adapters.push(collection.last_snapshot(manifest)?);
            if let Some(method) = compares {
                let prompts = collection.prompts(&manifest.task)?;
                let encoder = required(sources.encoder, method, "an encoder")?;
                let embedding = prompt_embedding(encoder, &prompts, sources.device)?;
                training.embeddings.push(embedding);
            }
            observer.advance(1, &manifest.task);
        }
        Ok(training)
    }

    /// Names of at most `most` training tasks, spread evenly over the collection.
    pub(super) fn spread(&self, most: Option<usize>) -> Vec<String> {
        let all = self.manifests.len();
        let count = most.unwrap_or(all).min(all);
        let name = |place: usize| self.manifests[place * all / count].task.clone();
        (0..count).map(name).collect()
    }

    /// The adapter of a training task.
    pub(super) fn adapter(&self, task: &str) -> Result<&Adapter, Error> {
        let mut found = self.manifests.iter().zip(&self.adapters);
        match found.find(|(manifest, _)| manifest.task == task) {
            Some((_, adapter)) => Ok(adapter),
            None => {
                let expected = "a task of the collection";
                Err(Error::argument("methods: training", expected, task))
            }
        }
    }
}

/// The value, or an error that names the method.
pub(super) fn required<T>(source: Option<T>, method: &Method, what: &str) -> Result<T, Error> {
    source.ok_or_else(|| Error::argument(&format!("methods: {method}"), what, "none"))
}

/// Reads a PEFT directory and checks that it matches the base model.
pub(super) fn read_adapter(sources: &Sources, folder: &Path) -> Result<Adapter, Error> {
    let adapter = dnd_files::read_peft(folder)?;
    let dimensions = &sources.base.model.config().dimensions;
    check_layout(&adapter.layout, &folder.to_string_lossy(), dimensions)?;
    Ok(adapter)
}
