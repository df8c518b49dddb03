//! A collection on disk: a folder a task with snapshots, a log and a manifest.
//!
//! ```text
//! collection.json                      layout, settings, matmul dtype
//! TASK/snapshots/000.safetensors ...   adapters in f16, PEFT names
//! TASK/adapter_config.json             with adapter_model.safetensors: the last snapshot for PEFT
//! TASK/prompts.json                    the task's training prompts
//! TASK/log.csv                         step, rate phase, loss, gradient norm
//! TASK/manifest.json                   written last: a task with a manifest is finished
//! ```

use std::path::{Path, PathBuf};

use dnd_adapter::{Adapter, Layout, peft};
use dnd_model::language::MatmulDtype;
use serde::{Deserialize, Serialize};

use super::TuneSettings;
use crate::Error;
use dnd_tasks::Role;

/// What all tasks of a collection share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CollectionHeader {
    /// The adapters' layout; it names the base model.
    pub layout: Layout,
    /// How they were tuned.
    pub settings: TuneSettings,
    /// Number format of the base model's products.
    #[serde(default, alias = "products")]
    pub matmul_dtype: MatmulDtype,
}

/// A finished task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The task's name.
    pub task: String,
    /// Its family.
    pub family: String,
    /// Whether generators may be trained on it.
    #[serde(default = "train")]
    pub role: Role,
    /// Whether weights trained on it may be given away.
    pub ship: bool,
    /// Number of snapshots.
    pub snapshots: usize,
    /// Mean training loss over the snapshot phase, in nats a token.
    pub final_loss: f32,
    /// Wall-clock seconds of the fine-tuning.
    pub seconds: f64,
    /// Tokens a second over the whole task, prompts included.
    pub tokens_per_second: f64,
}

/// The role of tasks in collections that do not record it.
fn train() -> Role {
    Role::Train
}

/// A collection's folder.
#[derive(Debug, Clone)]
pub struct Collection {
    folder: PathBuf,
    /// What all its tasks share.
    pub header: CollectionHeader,
}

impl Collection {
    /// Opens a collection, or begins one with this header.
    ///
    /// # Errors
    /// When the folder holds a collection with another layout or other settings.
    pub fn create(folder: &Path, header: CollectionHeader) -> Result<Self, Error> {
        let path = folder.join("collection.json");
        if path.exists() {
            let collection = Self::open(folder)?;
            if collection.header != header {
                return Err(Error::content(
                    &path,
                    "expected the same layout, settings and matmul dtype as this run's, found \
                     others; \
                     take another --out folder or the same options",
                ));
            }
            return Ok(collection);
        }
        dnd_files::make_folder(folder)?;
        dnd_files::write_json(&path, &header)?;
        Ok(Self {
            folder: folder.to_owned(),
            header,
        })
    }

    /// Opens a collection.
    ///
    /// # Errors
    /// When `collection.json` is missing or malformed.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        Ok(Self {
            folder: folder.to_owned(),
            header: dnd_files::read_json(&folder.join("collection.json"))?,
        })
    }

    /// The folder of a task.
    pub fn task_folder(&self, task: &str) -> PathBuf {
        self.folder.join(task)
    }

    /// The manifest of a task, if it is finished.
    ///
    /// # Errors
    /// When there is one but it is malformed.
    pub fn manifest(&self, task: &str) -> Result<Option<Manifest>, Error> {
        let path = self.task_folder(task).join("manifest.json");
        let manifest = path.exists().then(|| dnd_files::read_json(&path));
        Ok(manifest.transpose()?)
    }

    /// Manifests of all finished tasks, by name.
    ///
    /// # Errors
    /// When the folder cannot be listed or a manifest is malformed.
    pub fn finished(&self) -> Result<Vec<Manifest>, Error> {
        let failed = |e| Error::file(&self.folder, "cannot list", e);
        let mut manifests = Vec::new();
        for entry in std::fs::read_dir(&self.folder).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            if let Some(manifest) = self.manifest(&name.to_string_lossy())? {
                manifests.push(manifest);
            }
        }
        manifests.sort_by(|a, b| a.task.cmp(&b.task));
        Ok(manifests)
    }

    /// As [`finished`](Self::finished), for work that needs a task.
    ///
    /// # Errors
    /// Also when no task is finished.
    pub fn finished_some(&self) -> Result<Vec<Manifest>, Error> {
        let manifests = self.finished()?;
        if manifests.is_empty() {
            return Err(Error::content(
                &self.folder,
                "expected at least one finished task, found none",
            ));
        }
        Ok(manifests)
    }

    /// The finished tasks, to train a generator on.
    ///
    /// # Errors
    /// As [`finished_some`](Self::finished_some), and when a held-out task is among them.
    pub fn training_tasks(&self) -> Result<Vec<Manifest>, Error> {
        let manifests = self.finished_some()?;
        if let Some(held_out) = manifests.iter().find(|task| task.role == Role::Dev) {
            return Err(Error::content(
                &self.folder,
                format!(
                    "task `{}`: expected role `train`, found `dev`: held-out tasks are never \
                     trained on",
                    held_out.task
                ),
            ));
        }
        Ok(manifests)
    }

    /// Path of a snapshot's weights.
    pub fn snapshot_path(&self, task: &str, index: usize) -> PathBuf {
        self.task_folder(task)
            .join(format!("snapshots/{index:03}.safetensors"))
    }

    /// Reads a snapshot.
    ///
    /// # Errors
    /// When it is missing, malformed, or of another layout than the collection.
    pub fn snapshot(&self, task: &str, index: usize) -> Result<Adapter, Error> {
        let config_path = self.task_folder(task).join(dnd_files::PEFT_CONFIG);
        let path = self.snapshot_path(task, index);
        let adapter = peft::read(
            &dnd_files::read(&config_path)?,
            &config_path.display().to_string(),
            &dnd_files::read(&path)?,
            &path.display().to_string(),
        )?;
        if adapter.layout != self.header.layout {
            return Err(Error::content(
                &path,
                "expected the collection's layout, found another",
            ));
        }
        Ok(adapter)
    }

    /// The last snapshot of a finished task.
    ///
    /// # Errors
    /// As [`snapshot`](Self::snapshot).
    pub fn last_snapshot(&self, manifest: &Manifest) -> Result<Adapter, Error> {
        self.snapshot(&manifest.task, manifest.snapshots.saturating_sub(1))
    }

    /// The training prompts of a finished task.
    ///
    /// # Errors
    /// When they are missing or malformed.
    pub fn prompts(&self, task: &str) -> Result<Vec<String>, Error> {
        Ok(dnd_files::read_json(
            &self.task_folder(task).join("prompts.json"),
        )?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dnd_test_support::small_layout;

    #[test]
    fn held_out_tasks_are_not_trained_on() {
        let header = CollectionHeader {
            layout: small_layout(),
            settings: TuneSettings::default(),
            matmul_dtype: MatmulDtype::F32,
        };
        let folder = tempfile::tempdir().unwrap();
        let collection = Collection::create(folder.path(), header).unwrap();
        assert!(collection.training_tasks().is_err());
        let mut manifest = Manifest {
            task: "one".to_owned(),
            family: "family".to_owned(),
            role: Role::Train,
            ship: true,
            snapshots: 1,
            final_loss: 0.0,
            seconds: 1.0,
            tokens_per_second: 1.0,
        };
        let write = |manifest: &Manifest| {
            let folder = collection.task_folder(&manifest.task);
            dnd_files::make_folder(&folder).unwrap();
            dnd_files::write_json(&folder.join("manifest.json"), manifest).unwrap();
        };
        write(&manifest);
        assert_eq!(collection.training_tasks().unwrap(), [manifest.clone()]);
        manifest.task = "two".to_owned();
        manifest.role = Role::Dev;
        write(&manifest);
        let message = collection.training_tasks().unwrap_err().to_string();
        assert!(message.contains("`two`"), "{message}");
    }
}
